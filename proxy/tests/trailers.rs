//! What stands around a server's answer: hints before its head, trailers behind its body.

mod common;

use common::{GET, House, OK, Says, wait_until};

const CHUNKS: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n";

fn saying(location: &str) -> House {
    // A log's format stands in front of the server that names it.
    let upstream = "server unix:{dir}/a.sock; } log_format t \
                    '$upstream_trailer_x_sum|$sent_trailer_x_sum|$sent_trailer_x_own'; \
                    upstream nobody { server 127.0.0.1;";
    House::saying(Says { location, upstream, ..Says::default() })
}

#[test]
fn trailers_are_passed_on_where_they_may_be() {
    let location = "proxy_pass_trailers on; proxy_hide_header X-Secret; add_trailer X-Own $status; \
                    access_log {dir}/t.log t;";
    let house = saying(location);
    let worker = house.worker("a.sock");
    let mut client = house.client();
    client.send(GET);
    let trailers = "X-Sum:  5 \r\nx-secret: 1\r\nServer: w\r\nX-SUM: 6\r\n\r\n";
    let mut server = worker.accept();
    server.head();
    for byte in format!("{CHUNKS}{trailers}").as_bytes() {
        server.send([*byte]);
    }
    assert!(client.head().contains("\r\nTransfer-Encoding: chunked\r\n"));
    let expected = "X-Sum: 5\r\nX-SUM: 6\r\nX-Own: 200\r\n\r\n";
    assert!(client.until(b"\r\n\r\n").ends_with(&format!("0\r\n{expected}")));
    // The connections go on, both of them.
    client.send(GET);
    server.head();
    server.send(OK);
    let head = client.head();
    assert!(head.contains("\r\nTransfer-Encoding: chunked\r\n"), "{head}");
    assert_eq!(client.until(b"\r\n\r\n"), "2\r\nok\r\n0\r\nX-Own: 200\r\n\r\n");
    let log = "5, 6|5, 6|200\n-|-|200\n";
    wait_until("both are logged", || house.log("t.log") == log);
}

#[test]
fn trailers_go_to_nobody_who_cannot_take_them() {
    for (location, request) in [
        ("", GET),
        ("proxy_pass_trailers off;", GET),
        ("proxy_pass_trailers on;", "GET / HTTP/1.0\r\n\r\n"),
    ] {
        let house = saying(location);
        let worker = house.worker("a.sock");
        let mut client = house.client();
        client.send(request);
        let _kept = worker.answer(&format!("{CHUNKS}X-Sum: 5\r\n\r\n"));
        let head = client.head();
        let end = if head.contains("chunked") { "3\r\nabc\r\n0\r\n\r\n" } else { "abc" };
        assert_eq!(client.exactly(end.len()), end.as_bytes(), "{location} {head}");
        client.finish();
        client.expect_end();
    }
}

#[test]
fn trailers_that_are_none_cut_the_answer_off() {
    for (trailers, why) in [
        ("X-Sum: 5\r\nno field\r\n\r\n".to_owned(), "invalid trailer: \"no\\x20...\""),
        (format!("X-Sum: {}\r\n\r\n", "y".repeat(2000)), "too big trailers"),
    ] {
        let house = saying("proxy_pass_trailers on; proxy_buffer_size 1k;");
        let worker = house.worker("a.sock");
        let mut client = house.client();
        client.send(GET);
        let (mut server, _) = worker.answer(CHUNKS);
        client.until(b"abc\r\n");
        server.send(trailers);
        client.expect_end();
        house.wait_for_error(&format!("upstream sent {why} while reading upstream"));
    }
}

#[test]
fn hints_come_before_the_answer_to_whom_they_are_meant_for() {
    let hints = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nServer: w\r\n\r\n";
    let passed = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
    let house = saying("early_hints $http_x_hints;");
    let worker = house.worker("a.sock");
    let mut client = house.client();
    let ask = |value: &str| format!("GET / HTTP/1.1\r\nHost: here\r\nX-Hints: {value}\r\n\r\n");
    client.send(ask("1"));
    let mut server = worker.accept();
    server.head();
    server.send(hints);
    assert_eq!(client.head(), passed);
    server.send(hints);
    assert_eq!(client.head(), passed);
    server.send(OK);
    assert_eq!(client.answer().1, "ok");
    // All at once, and in the middle of pipelined requests.
    client.send(format!("{}{}", ask("yes"), ask("0")));
    server.head();
    server.send(format!("HTTP/1.1 100 Continue\r\n\r\n{hints}{OK}"));
    assert_eq!(client.head(), passed);
    assert_eq!(client.answer().1, "ok");
    server.head();
    server.send(format!("{hints}{OK}"));
    assert_eq!(client.answer().1, "ok");
    // Hints of nothing are none.
    client.send(ask("1"));
    server.head();
    server.send(format!("HTTP/1.1 103 Early Hints\r\nDate: now\r\n\r\n{OK}"));
    assert_eq!(client.answer().1, "ok");
}
