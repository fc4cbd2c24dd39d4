//! Clients that are too slow, and clients that leave.

mod common;

use common::{GET, House, OK, Says, wait_until};

#[test]
fn a_client_that_sends_too_slowly_is_reset_where_that_is_said() {
    let post = "POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 5\r\n\r\nhal";
    let gone = "GET /gone HTTP/1.1\r\nHost: here\r\n\r\n";
    for (reset, says) in [(false, ""), (true, "reset_timedout_connection on;")] {
        let http = format!("client_header_timeout 300ms; client_body_timeout 300ms; {says}");
        let location = "if ($uri = /gone) { return 444; }";
        let house = House::saying(Says { http: &http, location, ..Says::default() });
        let worker = house.worker("a.sock");
        for (sent, may_reset) in
            [("GET / HTTP/1.1\r\nHo", true), (post, true), (gone, true), ("", false)]
        {
            let mut client = house.client();
            client.send(sent);
            let _kept = (sent == post).then(|| worker.accept());
            assert_eq!(client.is_reset(), reset && may_reset, "{says} {sent:?}");
        }
    }
}

#[test]
fn a_request_goes_on_without_its_client_where_that_is_said() {
    // Where it is not said, the worker is left; where it is, whoever still reads gets the answer.
    for (says, status) in [("", "499"), ("proxy_ignore_client_abort on;", "200")] {
        let house = House::saying(Says { location: says, ..Says::default() });
        let worker = house.worker("a.sock");
        for stays in [true, false] {
            let mut client = house.client();
            client.send(GET);
            let mut server = worker.accept();
            server.head();
            let mut left = None;
            if stays {
                client.finish();
                left = Some(client);
            } else {
                client.reset();
            }
            if says.is_empty() {
                server.expect_end();
            } else {
                server.send(OK);
                let answer = left.map(|mut client| client.answer().1);
                assert_eq!(answer.as_deref(), stays.then_some("ok"));
            }
        }
        let lines = || house.log("access.log").matches(&format!("\" {status} ")).count();
        wait_until("both are logged", || lines() == 2);
        house.wait_for_peace();
    }
}
