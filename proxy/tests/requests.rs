//! Requests and answers that stay HTTP, byte for byte.

mod common;

use std::thread;

use common::{GET, House, OK, Says, header, wait_until};

#[test]
fn a_slow_reader_gets_the_end_of_an_answer_that_did_not_wait_for_the_body() {
    const LONG: usize = 20_000_000;
    let house = House::new();
    let worker = house.worker("a.sock");
    let mut client = house.client();
    client.send(
        "PUT / HTTP/1.1\r\nHost: here\r\nConnection: close\r\nContent-Length: 100\r\n\r\nnot all",
    );
    let mut server = worker.accept();
    let sender = thread::spawn(move || {
        server.head();
        server.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {LONG}\r\n\r\n"));
        server.send(vec![b'x'; LONG]);
    });
    client.head();
    let mut read = 0;
    wait_until("the proxy has taken all from the worker", || {
        read += client.exactly(100_000.min(LONG - read)).len();
        sender.is_finished() && house.active() == [0]
    });
    assert_eq!(read + client.rest().len(), LONG);
    house.wait_for_peace();
}

#[test]
fn a_client_that_never_reads_is_left_at_send_timeout() {
    let house = House::saying(Says { http: "send_timeout 300ms;", ..Says::default() });
    let worker = house.worker("a.sock");
    let mut client = house.client();
    client.send(GET);
    let mut server = worker.accept();
    server.head();
    server.send("HTTP/1.1 200 OK\r\nContent-Length: 50000000\r\n\r\n");
    assert!(server.fill(50_000_000) < 20_000_000);
    house.wait_for_peace();
}

#[test]
fn one_that_is_to_be_reset_loses_what_it_has_not_read() {
    for (reset, says) in [(false, ""), (true, "reset_timedout_connection on;")] {
        let http = format!("send_timeout 300ms; {says}");
        let house = House::saying(Says { http: &http, ..Says::default() });
        let worker = house.worker("a.sock");
        let mut client = house.client();
        client.send(GET);
        let mut server = worker.accept();
        server.head();
        server.send("HTTP/1.1 200 OK\r\nContent-Length: 50000000\r\n\r\n");
        server.fill(50_000_000);
        house.wait_for_peace();
        assert_eq!(client.is_reset(), reset);
    }
}

#[test]
fn bodies_stream_both_ways() {
    let house = House::new();
    let worker = house.worker("a.sock");
    let mut client = house.client();
    client.send("PUT /up HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n");
    client.send("5\r\nfirst\r\n");
    let mut server = worker.accept();
    let head = server.head();
    assert!(head.starts_with("PUT /up HTTP/1.1\r\n"), "{head}");
    assert_eq!(header(&head, "transfer-encoding"), Some("chunked"));
    server.expect("5\r\nfirst\r\n");
    client.send("4\r\nlast\r\n0\r\n\r\n");
    server.expect("4\r\nlast\r\n0\r\n\r\n");
    server.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n");
    let head = client.head();
    assert_eq!(header(&head, "transfer-encoding"), Some("chunked"));
    client.expect("3\r\none\r\n");
    server.send("3\r\ntwo\r\n0\r\n\r\n");
    client.expect("3\r\ntwo\r\n0\r\n\r\n");
    // The connection goes on on both sides.
    client.send(GET);
    server.head();
    server.send(OK);
    assert_eq!(client.answer().1, "ok");
}

#[test]
fn an_answer_that_ends_with_its_connection_is_chunked_for_the_client() {
    let house = House::new();
    let worker = house.worker("a.sock");
    let mut client = house.client();
    client.send(GET);
    let (server, _) = worker.answer("HTTP/1.1 200 OK\r\n\r\nbody");
    client.head();
    client.expect("4\r\nbody\r\n");
    drop(server);
    client.expect("0\r\n\r\n");
    // To HTTP/1.0 its end is the connection's.
    let mut client = house.client();
    client.send("GET / HTTP/1.0\r\n\r\n");
    drop(worker.answer("HTTP/1.0 200 OK\r\n\r\nbody"));
    let answer = client.rest_text();
    assert!(answer.ends_with("\r\n\r\nbody"), "{answer}");
    assert!(!answer.contains("chunked"), "{answer}");
}

#[test]
fn answers_without_a_body_keep_the_connection() {
    let house = House::new();
    let worker = house.worker("a.sock");
    let mut client = house.client();
    client.send("HEAD / HTTP/1.1\r\nHost: here\r\n\r\n");
    let (mut server, head) = worker.answer("HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n");
    assert!(head.starts_with("HEAD / HTTP/1.1\r\n"), "{head}");
    assert_eq!(header(&client.head(), "content-length"), Some("5000"));
    for answer in
        ["HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\n\r\n"]
    {
        client.send(GET);
        server.head();
        server.send(answer);
        let head = client.head();
        assert_eq!(header(&head, "content-length"), None, "{head}");
        assert_eq!(header(&head, "transfer-encoding"), None, "{head}");
    }
    client.send("HEAD / HTTP/1.1\r\nHost: here\r\n\r\n");
    server.head();
    server.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    let head = client.head();
    assert_eq!(header(&head, "content-length"), None, "{head}");
    client.send(GET);
    server.head();
    server.send(OK);
    assert_eq!(client.answer().1, "ok");
}

#[test]
fn a_client_that_waits_for_100_gets_it_and_the_worker_never_hears_of_it() {
    let house = House::new();
    let worker = house.worker("a.sock");
    let mut client = house.client();
    client
        .send("POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
    assert_eq!(client.head(), "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("body");
    let mut server = worker.accept();
    assert_eq!(header(&server.head(), "expect"), None);
    server.expect("body");
    server.send(OK);
    assert_eq!(client.answer().1, "ok");
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let house = House::new();
    let worker = house.worker("a.sock");
    let mut client = house.client();
    client.send(
        "GET /1 HTTP/1.1\r\nHost: here\r\n\r\nPOST /2 HTTP/1.1\r\nHost: here\r\n\
         Content-Length: 3\r\n\r\nabcGET /3 HTTP/1.1\r\nHost: here\r\n\r\n",
    );
    let mut server = worker.accept();
    for number in 1..=3 {
        let head = server.head();
        assert!(head.contains(&format!(" /{number} HTTP/1.1")), "{head}");
        if number == 2 {
            server.expect("abc");
        }
        server.send(format!("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{number}"));
    }
    for number in 1..=3 {
        assert_eq!(client.answer().1, number.to_string());
    }
    assert_eq!(house.proxy.counts().requests, 3);
}

#[test]
fn an_absolute_target_goes_out_as_a_path() {
    let house = House::new();
    let worker = house.worker("a.sock");
    let mut client = house.client();
    client.send("GET http://there/x?y HTTP/1.1\r\nHost: here\r\n\r\n");
    let (_server, head) = worker.answer(OK);
    assert!(head.starts_with("GET /x?y HTTP/1.1\r\n"), "{head}");
    assert_eq!(header(&head, "host"), Some("workers"));
    assert_eq!(client.answer().1, "ok");
}

#[test]
fn fields_keep_their_spelling_and_their_number_and_nginx_s_own_stay_inside() {
    let house = House::new();
    let worker = house.worker("a.sock");
    let mut client = house.client();
    client.send("GET / HTTP/1.1\r\nHost: here\r\nX-mIxEd: 1\r\nx-two: a\r\nx-two: b\r\n\r\n");
    let (_server, head) = worker.answer(
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nset-COOKIE: a=1\r\nset-COOKIE: b=2\r\n\
         X-Accel-Buffering: no\r\nX-Accel-Expires: 1\r\nX-Accel-Limit-Rate: 1\r\n\
         server: other\r\n\r\nok",
    );
    assert!(head.contains("\r\nX-mIxEd: 1\r\n"), "{head}");
    assert!(head.contains("\r\nx-two: a\r\nx-two: b\r\n"), "{head}");
    let (head, _) = client.answer();
    assert!(head.contains("\r\nset-COOKIE: a=1\r\nset-COOKIE: b=2\r\n"), "{head}");
    assert!(!head.to_lowercase().contains("x-accel"), "{head}");
    assert!(!head.contains("other"), "{head}");
}

#[test]
fn interim_answers_of_a_worker_do_not_disturb_the_final_one() {
    let house = House::new();
    let worker = house.worker("a.sock");
    let mut client = house.client();
    client.send(GET);
    let interim = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
    let (_server, _) = worker.answer(&format!("{interim}{OK}"));
    let (head, body) = client.answer();
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert_eq!(body, "ok");
}

#[test]
fn a_kept_connection_that_its_worker_closed_costs_nobody_a_request() {
    let house = House::new();
    let worker = house.worker("a.sock");
    let mut client = house.client();
    client.send(GET);
    drop(worker.answer(OK));
    assert_eq!(client.answer().1, "ok");
    client.send("POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 4\r\n\r\nbody");
    let mut server = worker.accept();
    server.head();
    server.expect("body");
    server.send(OK);
    assert_eq!(client.answer().1, "ok");
    assert!(!house.log("error.log").contains("[error]"), "{}", house.log("error.log"));
}

#[test]
fn a_kept_connection_that_closes_on_the_next_request_is_replaced_but_for_a_post() {
    let house = House::new();
    let worker = house.worker("a.sock");
    let mut client = house.client();
    client.send(GET);
    let (mut server, _) = worker.answer(OK);
    client.answer();
    client.send(GET);
    server.head();
    drop(server);
    let (mut server, _) = worker.answer(OK);
    assert_eq!(client.answer().1, "ok");
    // A POST may have done its work before the worker closed.
    client.send("POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 0\r\n\r\n");
    server.head();
    drop(server);
    assert!(client.answer().0.starts_with("HTTP/1.1 502 "));
    assert!(worker.is_left_alone());
}

#[test]
fn bytes_behind_an_answer_are_never_taken_for_the_next_one() {
    let house = House::new();
    let worker = house.worker("a.sock");
    let mut client = house.client();
    client.send(GET);
    let poison = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison";
    let (mut server, _) = worker.answer(&format!("{OK}{poison}"));
    assert_eq!(client.answer().1, "ok");
    server.expect_end();
    client.send(GET);
    let (mut server, _) = worker.answer(OK);
    assert_eq!(client.answer().1, "ok");
    // Also when they come later.
    server.send(poison);
    server.expect_end();
    client.send(GET);
    worker.answer(OK);
    assert_eq!(client.answer().1, "ok");
}

#[test]
fn an_answer_before_the_body_is_passed_on() {
    let house = House::saying(Says { http: "client_max_body_size 0;", ..Says::default() });
    let worker = house.worker("a.sock");
    let refusal = "HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno";
    for framing in ["Content-Length: 20000000", "Transfer-Encoding: chunked"] {
        let mut client = house.client();
        client.send(format!("PUT / HTTP/1.1\r\nHost: here\r\n{framing}\r\n\r\n"));
        let body = if framing.contains("chunked") { "1312D00\r\n" } else { "" };
        let mut writer = client.try_clone();
        let upload = thread::spawn(move || {
            // The proxy need not take it to the end.
            let _cut = writer.try_send(body) && writer.try_send(vec![b'x'; 20_000_000]);
        });
        drop(worker.answer(refusal));
        let (head, body) = client.answer();
        assert!(head.starts_with("HTTP/1.1 413 "), "{head}");
        assert_eq!(body, "no");
        drop(client);
        upload.join().unwrap();
    }
    house.wait_for_peace();
}

#[test]
fn what_could_smuggle_a_request_is_refused() {
    let house = House::new();
    let worker = house.worker("a.sock");
    for fields in [
        "Content-Length: 3\r\nContent-Length: 4",
        "Content-Length: 3\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 3",
        "Transfer-Encoding: gzip",
        "Content-Length: x",
        "Content-Length: -1",
    ] {
        let answer =
            house.ask(&format!("POST / HTTP/1.1\r\nHost: here\r\n{fields}\r\n\r\n0\r\n\r\n"));
        let refused = answer.starts_with("HTTP/1.1 400 ") || answer.starts_with("HTTP/1.1 501 ");
        assert!(refused, "{fields}: {answer}");
    }
    assert!(worker.is_left_alone());
}

#[test]
fn a_client_that_has_said_all_still_gets_what_the_configuration_says() {
    let house =
        House::saying(Says { location: "location /said { return 200 said; }", ..Says::default() });
    let mut client = house.client();
    client.send("GET /said HTTP/1.0\r\n\r\n");
    client.finish();
    assert!(client.rest_text().ends_with("\r\n\r\nsaid"));
}

#[test]
fn a_body_without_a_length_is_collected_for_http_1_0() {
    let location = "location /old { proxy_http_version 1.0; client_max_body_size 3m; \
                    proxy_pass http://workers; }";
    let house = House::saying(Says { location, ..Says::default() });
    let worker = house.worker("a.sock");
    let put = "PUT /old HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n";
    let mut client = house.client();
    client.send(format!("{put}5\r\nfirst\r\n4\r\nlast\r\n0\r\n\r\n"));
    let (_server, head) = worker.answer(OK);
    assert!(head.starts_with("PUT /old HTTP/1.0\r\n"), "{head}");
    assert_eq!(header(&head, "content-length"), Some("9"));

    let mut client = house.client();
    client.send(format!("{put}100001\r\n{}", "x".repeat(0x10_0001)));
    let (head, _) = client.answer();
    assert!(head.starts_with("HTTP/1.1 411 Length Required\r\n"), "{head}");
}
