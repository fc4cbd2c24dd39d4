//! What goes wrong with a request or its answer, and whom it costs what.

mod common;

use common::{GET, House, OK, Says, wait_until};

#[test]
fn a_body_that_is_too_large_is_refused_by_its_length_and_by_its_chunks() {
    let house = House::saying(Says { http: "client_max_body_size 10;", ..Says::default() });
    let worker = house.worker("a.sock");
    // Exactly as large as allowed.
    let mut client = house.client();
    client.send("PUT / HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n");
    client.send("a\r\n0123456789\r\n0\r\n\r\n");
    let mut server = worker.accept();
    server.until(b"\r\n\r\na\r\n");
    server.expect("0123456789\r\n0\r\n\r\n");
    server.send(OK);
    assert_eq!(client.answer().1, "ok");
    let answer = house.ask("PUT / HTTP/1.1\r\nHost: here\r\nContent-Length: 11\r\n\r\nhello world");
    assert!(answer.starts_with("HTTP/1.1 413 Request Entity Too Large\r\n"), "{answer}");
    house.wait_for_error("client intended to send too large body: 11 bytes");
    assert!(worker.is_left_alone());
    let mut client = house.client();
    client.send("PUT / HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n");
    client.send("b\r\nhello world\r\n0\r\n\r\n");
    let answer = client.rest_text();
    assert!(answer.starts_with("HTTP/1.1 413 Request Entity Too Large\r\n"), "{answer}");
    assert_eq!(house.proxy.servers()[0].servers[0].failures, 0);
}

#[test]
fn a_client_that_aborts_frees_its_worker() {
    let house = House::new();
    let worker = house.worker("a.sock");
    // While the answer is awaited, in the middle of its own body, and in the middle of the answer.
    let mut client = house.client();
    client.send(GET);
    let mut server = worker.accept();
    server.head();
    drop(client);
    server.expect_end();
    let mut client = house.client();
    client.send("PUT / HTTP/1.1\r\nHost: here\r\nContent-Length: 100\r\n\r\nsome");
    let mut server = worker.accept();
    server.head();
    server.expect("some");
    drop(client);
    server.expect_end();
    let mut client = house.client();
    client.send(GET);
    let (mut server, _) = worker.answer("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome");
    client.head();
    client.expect("some");
    drop(client);
    server.expect_end();
    house.wait_for_peace();
    wait_until("all are logged", || house.log("access.log").lines().count() == 3);
    let log = house.log("access.log");
    assert_eq!(log.matches("\" 499 0 ").count(), 1, "{log}");
    assert_eq!(house.proxy.servers()[0].servers[0].failures, 0);
}

#[test]
fn an_answer_that_breaks_off_breaks_off_for_the_client() {
    let house = House::new();
    let worker = house.worker("a.sock");
    for framing in
        ["Content-Length: 100\r\n\r\nsome", "Transfer-Encoding: chunked\r\n\r\n4\r\nsome\r\n"]
    {
        let mut client = house.client();
        client.send(GET);
        let (server, _) = worker.answer(&format!("HTTP/1.1 200 OK\r\n{framing}"));
        client.head();
        client.until(b"some");
        drop(server);
        let rest = client.rest_text();
        assert!(!rest.contains("0\r\n\r\n"), "{rest}");
    }
    house.wait_for_error("upstream prematurely closed connection while reading upstream");
    house.wait_for_peace();
}

#[test]
fn an_answer_that_is_no_http_is_a_502() {
    let house = House::new();
    let worker = house.worker("a.sock");
    for nonsense in
        ["nonsense\r\n\r\n", "HTTP/1.1 abc\r\n\r\n", "HTTP/1.1 200 OK\r\nbad header\r\n\r\n"]
    {
        let mut client = house.client();
        client.send(GET);
        drop(worker.answer(nonsense));
        let (head, body) = client.answer();
        assert!(head.starts_with("HTTP/1.1 502 Bad Gateway\r\n"), "{nonsense}: {head}");
        assert!(body.contains("<h1>502 Bad Gateway</h1>"), "{body}");
    }
    // Nothing at all, too.
    let mut client = house.client();
    client.send(GET);
    drop(worker.answer(""));
    assert!(client.answer().0.starts_with("HTTP/1.1 502 "));
    house.wait_for_error(
        "upstream prematurely closed connection while reading response header from upstream",
    );
}

#[test]
fn a_worker_that_does_not_answer_is_a_504() {
    let house = House::saying(Says { location: "proxy_read_timeout 200ms;", ..Says::default() });
    let worker = house.worker("a.sock");
    let mut client = house.client();
    client.send(GET);
    let mut server = worker.accept();
    server.head();
    assert!(client.answer().0.starts_with("HTTP/1.1 504 Gateway Time-out\r\n"));
    server.expect_end();
    house.wait_for_error(
        "upstream timed out (110: Connection timed out) while reading response header from upstream",
    );
    // In the middle of a body it is too late to say so: the connection is cut.
    let mut client2 = house.client();
    client2.send(GET);
    let (_server, _) = worker.answer("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nsome");
    client2.head();
    client2.expect("some");
    client2.expect_end();
    drop(client);
    house.wait_for_peace();
}

#[test]
fn large_heads_pass() {
    let house = House::new();
    let worker = house.worker("a.sock");
    let large = "x".repeat(7000);
    let mut client = house.client();
    client.send(format!("GET /{large} HTTP/1.1\r\nHost: here\r\nCookie: {large}\r\n\r\n"));
    let (_server, head) =
        worker.answer(&format!("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Y: {large}\r\n\r\nok"));
    assert!(head.contains(&format!("\r\nCookie: {large}\r\n")));
    let (head, body) = client.answer();
    assert!(head.contains(&format!("\r\nX-Y: {large}\r\n")));
    assert_eq!(body, "ok");
}

#[test]
fn a_slow_upload_is_not_the_worker_s_fault() {
    let house = House::saying(Says {
        http: "client_body_timeout 200ms;",
        location: "proxy_send_timeout 300ms;",
        ..Says::default()
    });
    let worker = house.worker("a.sock");
    let mut client = house.client();
    client.send("PUT / HTTP/1.1\r\nHost: here\r\nContent-Length: 100\r\n\r\nsome");
    let mut server = worker.accept();
    server.head();
    server.expect("some");
    let answer = client.rest_text();
    assert!(answer.starts_with("HTTP/1.1 408 ") || answer.is_empty(), "{answer}");
    server.expect_end();
    assert_eq!(house.proxy.servers()[0].servers[0].failures, 0);
    house.wait_for_peace();
}
