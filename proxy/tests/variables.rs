//! Variables that nginx 1.22 does not have, and paces that a request sets itself.

mod common;

use std::time::{Duration, Instant};

use common::{House, OK, Says, header};

#[test]
fn a_host_s_port_is_known_with_its_colon() {
    let location = "return 200 \"$host$is_request_port$request_port|\";";
    let house = House::saying(Says { location, ..Says::default() });
    for (request, expected) in [
        ("GET / HTTP/1.1\r\nHost: a.b:81\r\n", "a.b:81|"),
        ("GET / HTTP/1.1\r\nHost: a.b\r\n", "a.b|"),
        ("GET / HTTP/1.1\r\nHost: [::1]:82\r\n", "[::1]:82|"),
        ("GET http://c:83/ HTTP/1.1\r\nHost: a.b:81\r\n", "c:83|"),
        ("GET http://c/ HTTP/1.1\r\nHost: a.b:81\r\n", "c|"),
        ("GET / HTTP/1.0\r\n", "|"),
    ] {
        let answer = house.ask(&format!("{request}Connection: close\r\n\r\n"));
        assert!(answer.ends_with(&format!("\r\n\r\n{expected}")), "{request:?}: {answer}");
    }
}

#[test]
fn a_request_may_set_its_own_rate() {
    let location = "limit_rate_after 40; set $limit_rate $arg_rate; return 200 $arg_text;";
    let house = House::saying(Says { location, ..Says::default() });
    let mut client = house.client();
    let text = "y".repeat(140);
    client.send(format!("GET /?rate=50&text={text} HTTP/1.1\r\nHost: here\r\n\r\n"));
    let begin = Instant::now();
    assert_eq!(client.answer().1, text);
    // 40 are free, and so are the first 50; the rest comes within a second.
    let took = begin.elapsed();
    assert!(took >= Duration::from_millis(900), "{took:?}");
}

#[test]
fn a_body_that_is_too_large_to_be_a_variable_goes_on_as_it_comes() {
    let location = "client_body_buffer_size 8; proxy_set_header X-Body \"[$request_body]\";";
    let house = House::saying(Says { location, ..Says::default() });
    let worker = house.worker("a.sock");
    let mut client = house.client();
    let head = "POST / HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n";
    client.send(format!("{head}6\r\nsix by\r\n6\r\ntes is\r\n"));
    let mut server = worker.accept();
    let asked = server.head();
    assert_eq!(header(&asked, "X-Body"), Some("[]"), "{asked}");
    assert_eq!(server.until(b"tes is\r\n"), "c\r\nsix bytes is\r\n");
    client.send("4\r\n one\r\n0\r\n\r\n");
    assert_eq!(server.until(b"0\r\n\r\n"), "4\r\n one\r\n0\r\n\r\n");
    server.send(OK);
    assert_eq!(client.answer().1, "ok");
}
