//! Error pages, timeouts, and requests that are refused.

use std::sync::Arc;

use tests::worker::{Script, answer_and_close};

use crate::case::{Case, balanced, proxied, server};

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = refused();
    cases.extend(upstream());
    cases
}

fn refused() -> Vec<Case> {
    let case = |name: &str| {
        Case::new(name, server("location /a { return 200 a; } location / { return 404; }"))
    };
    vec![
        case("404").gets("/x"),
        case("404 to HTTP/1.0").asks("GET /x HTTP/1.0\r\n\r\n"),
        case("404 with Connection: close")
            .asks("GET /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"),
        case("400: no request at all").asks("?\r\n\r\n"),
        case("400: binary").asks(b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n".to_vec()),
        case("505").asks("GET / HTTP/3.0\r\nHost: h\r\n\r\n"),
        case("414").asks(format!("GET /{} HTTP/1.1\r\nHost: h\r\n\r\n", "x".repeat(40_000))),
        case("400: a header too large")
            .asks(format!("GET / HTTP/1.1\r\nHost: h\r\nX: {}\r\n\r\n", "x".repeat(40_000))),
        case("HTTP/0.9").asks("GET /a\r\n"),
        case("a client that goes amid its head").client(|scene| {
            let mut client = scene.connect();
            client.send("GET / HTTP/1.1\r\nHo");
            client.half_close();
            client.read_to_end();
        }),
        case("a client that says nothing").client(|scene| {
            let mut client = scene.connect();
            client.half_close();
            client.read_to_end();
        }),
        Case::new("client_header_timeout", server("client_header_timeout 1s; return 200;")).client(
            |scene| {
                let mut client = scene.connect();
                client.send("GET / HTTP/1.1\r\n");
                client.read_to_end();
            },
        ),
        Case::new("keepalive_timeout", server("keepalive_timeout 1s; return 200 x;")).client(
            |scene| {
                let mut client = scene.connect();
                client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
                client.response();
                client.read_to_end();
            },
        ),
        Case::new("keepalive_timeout 0", server("keepalive_timeout 0; return 200 x;")).gets("/"),
        Case::new(
            "keepalive_timeout with a header",
            server("keepalive_timeout 5s 7s; return 200 x;"),
        )
        .gets("/"),
    ]
}

fn upstream() -> Vec<Case> {
    // Reads the request and then says nothing until the front gives up.
    let silent: Script = Arc::new(|visit| while visit.request().is_some() {});
    let amid: Script = Arc::new(|visit| {
        visit.request();
        visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok");
        while visit.request().is_some() {}
    });
    let down = |name: &str| Case::new(name, proxied("")).refusing("a");
    vec![
        down("502: refused").gets("/"),
        down("502: refused, to HEAD").asks("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n"),
        down("502: refused, with a body")
            .asks("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"),
        down("502: refused, to HTTP/1.0").asks("GET / HTTP/1.0\r\n\r\n"),
        down("502: refused, to a handshake")
            .asks("GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"),
        Case::new("502: no such socket", server("location / { proxy_pass http://unix:no.sock; }"))
            .gets("/"),
        Case::new("502: all servers down", balanced("server unix:a.sock; server unix:b.sock;", ""))
            .refusing("a")
            .refusing("b")
            .client(|scene| scene.get_each(&["/1", "/2", "/3"])),
        Case::new("502: the answer's head too large", proxied(""))
            .worker(
                "a",
                answer_and_close(format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(100_000))),
            )
            .gets("/"),
        Case::new("504: no answer in time", proxied("proxy_read_timeout 300ms;"))
            .worker("a", silent)
            .gets("/"),
        Case::new("an answer that stops in the middle", proxied("proxy_read_timeout 300ms;"))
            .worker("a", amid)
            .gets("/"),
    ]
}
