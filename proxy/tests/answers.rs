//! Answers that are slow, early, short, or more than they should be.

mod common;

use std::time::{Duration, Instant};

use common::{GET, House, OK, Says};

fn saying(location: &str) -> House {
    House::saying(Says { location, ..Says::default() })
}

#[test]
fn a_body_is_read_no_faster_than_it_may() {
    for (location, field) in [
        ("proxy_limit_rate 40;", ""),
        ("proxy_limit_rate $arg_rate;", ""),
        ("", "X-Accel-Limit-Rate: 40\r\n"),
        ("proxy_limit_rate 1m;", "X-Accel-Limit-Rate: 40\r\n"),
    ] {
        let house = saying(location);
        let worker = house.worker("a.sock");
        let mut client = house.client();
        client.send("GET /?rate=40 HTTP/1.1\r\nHost: here\r\n\r\n");
        let begin = Instant::now();
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n{field}\r\n");
        let (mut server, _) = worker.answer(&head);
        client.head();
        server.send("y".repeat(100));
        // 40 in each of the first two seconds, the rest in the third.
        assert_eq!(client.exactly(100), "y".repeat(100).as_bytes());
        let took = begin.elapsed();
        assert!(took >= Duration::from_millis(1900), "{location} {field}: {took:?}");
        // The rate was that answer's only.
        client.send(GET);
        server.head();
        server.send(OK);
        assert_eq!(client.answer().1, "ok");
    }
}

#[test]
fn a_rate_holds_only_where_answers_are_buffered_and_nobody_ignores_it() {
    for (location, field) in [
        ("proxy_limit_rate 1; proxy_buffering off;", ""),
        ("proxy_limit_rate 0;", ""),
        ("proxy_limit_rate $arg_nothing;", ""),
        ("proxy_ignore_headers X-Accel-Limit-Rate;", "X-Accel-Limit-Rate: 1\r\n"),
        ("", "X-Accel-Limit-Rate: off\r\n"),
    ] {
        let house = saying(location);
        let worker = house.worker("a.sock");
        let mut client = house.client();
        client.send(GET);
        let body = "y".repeat(3000);
        let _kept =
            worker.answer(&format!("HTTP/1.1 200 OK\r\nContent-Length: 3000\r\n{field}\r\n{body}"));
        // At one byte in a second, the patience of the test would end first.
        assert_eq!(client.answer().1, body, "{location} {field}");
    }
}

#[test]
fn a_worker_that_answers_before_it_has_the_body_is_heard() {
    let house = House::new();
    let worker = house.worker("a.sock");
    let mut client = house.client();
    client.send("POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 8\r\n\r\nhalf");
    let mut server = worker.accept();
    server.head();
    server.expect("half");
    server.send("HTTP/1.1 403 No\r\nContent-Length: 3\r\n\r\nno!");
    let (head, body) = client.answer();
    assert!(head.starts_with("HTTP/1.1 403 "), "{head}");
    assert_eq!(body, "no!");
    // Its connection waits for half a body: the next request does not go over it.
    drop(client);
    let mut client = house.client();
    client.send(GET);
    let _kept = worker.answer(OK);
    assert_eq!(client.answer().1, "ok");
}

#[test]
fn what_is_more_than_an_answer_is_told_and_goes_to_nobody() {
    for (answer, words) in [
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok and more",
            "upstream sent more data than specified in \"Content-Length\" header while reading upstream",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\nmore",
            "upstream sent data after final chunk while reading upstream",
        ),
        (
            "HTTP/1.1 204 No Content\r\n\r\nmore",
            "upstream sent more data than specified in \"Content-Length\" header while reading upstream",
        ),
    ] {
        let house = House::new();
        let worker = house.worker("a.sock");
        let mut client = house.client();
        client.send(GET);
        let (mut server, _) = worker.answer(answer);
        client.head();
        house.wait_for_error(words);
        server.expect_end();
        let line = house.log("error.log");
        assert!(line.lines().any(|line| line.contains("[warn]") && line.contains(words)), "{line}");
    }
}

#[test]
fn a_client_s_body_that_no_worker_gets_is_read_all_the_same() {
    let house = saying("proxy_set_body \"<$request_method>\"; client_max_body_size 20000;");
    let worker = house.worker("a.sock");
    let mut client = house.client();
    client.send("POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 10000\r\n\r\n");
    client.send("y".repeat(4000));
    assert!(worker.is_left_alone());
    client.send("y".repeat(6000));
    let mut server = worker.accept();
    let head = server.head();
    assert_eq!(common::header(&head, "content-length"), Some("6"), "{head}");
    server.expect("<POST>");
    server.send(OK);
    assert_eq!(client.answer().1, "ok");
    // A chunked one that grows too large is refused, though nobody would have got it.
    client.send("POST / HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n");
    client.try_send(format!("7530\r\n{}\r\n0\r\n\r\n", "y".repeat(30_000)));
    assert!(client.head().starts_with("HTTP/1.1 413 "));
    assert!(worker.is_left_alone());
}

#[test]
fn a_head_may_be_as_large_as_its_configuration_says() {
    let house = saying("proxy_buffer_size 512;");
    let worker = house.worker("a.sock");
    for (length, status) in [(300, "200"), (512, "502")] {
        let mut client = house.client();
        client.send(GET);
        let long = "y".repeat(length);
        drop(worker.answer(&format!("HTTP/1.1 200 OK\r\nX: {long}\r\nContent-Length: 0\r\n\r\n")));
        let head = client.head();
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{head}");
    }
    house
        .wait_for_error("upstream sent too big header while reading response header from upstream");
}

#[test]
fn a_part_is_cut_out_of_an_answer_that_comes_in_pieces() {
    let house = saying("proxy_force_ranges on;");
    let worker = house.worker("a.sock");
    let mut client = house.client();
    client.send("GET / HTTP/1.1\r\nHost: here\r\nRange: bytes=3-6\r\n\r\n");
    let (mut server, _) = worker.answer("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n01");
    let head = client.head();
    assert!(head.starts_with("HTTP/1.1 206 Partial Content\r\n"), "{head}");
    for piece in ["2", "34", "56789"] {
        server.send(piece);
    }
    assert_eq!(client.exactly(4), b"3456");
    // The client's connection goes on; what more the server says is not waited for.
    client.send(GET);
    drop(server);
    let _kept = worker.answer(OK);
    assert_eq!(client.answer().1, "ok");
}
