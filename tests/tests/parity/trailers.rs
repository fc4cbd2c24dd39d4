//! Fields behind a body: `add_trailer`, and what becomes of a worker's own.

use crate::case::{Case, OK, proxied, server};

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = added();
    cases.extend(levels());
    cases
}

const CHUNKED: &str =
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";

fn added() -> Vec<Case> {
    let case =
        |name: &str, inside: &str| Case::new(format!("add_trailer: {name}"), proxied(inside));
    let one = "add_trailer X-End $upstream_status;";
    vec![
        case("to a body of known length", one).answers(OK).gets("/"),
        case("to chunks", one).answers(CHUNKED).gets("/"),
        case("to a body until the end", one)
            .worker("a", tests::worker::answer_and_close("HTTP/1.1 200 OK\r\n\r\nabc"))
            .gets("/"),
        case("to nothing", one).answers("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").gets("/"),
        case("to 204", one).answers("HTTP/1.1 204 No Content\r\n\r\n").gets("/"),
        case("to 304", one).answers("HTTP/1.1 304 Not Modified\r\nETag: \"1\"\r\n\r\n").gets("/"),
        case("to 404", one).answers("HTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\nno").gets("/"),
        case("to 404, always", "add_trailer X-End $status always;")
            .answers("HTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\nno")
            .gets("/"),
        case("to HEAD", one).asks("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n"),
        case("to HTTP/1.0", one).asks("GET / HTTP/1.0\r\nHost: h\r\n\r\n"),
        case("to HTTP/1.0 that stays", one)
            .asks("GET / HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\n\r\n"),
        case("to who asks for trailers", &format!("{one} add_header Trailer X-End;"))
            .asks("GET / HTTP/1.1\r\nHost: h\r\nTE: trailers\r\n\r\n"),
        case("several", "add_trailer x-Odd_ONE 1; add_trailer X-Two a; add_trailer X-Two b;").gets("/"),
        case("none that has a value", "add_trailer X-End $arg_none;").gets("/"),
        case("of names that a head has", "add_trailer Content-Length 5; add_trailer ETag x;").gets("/"),
        case("to a page of one's own", "add_trailer X-End $status always; deny all;").gets("/"),
        Case::new("add_trailer: to a text", server("add_trailer X-End $uri; return 200 hello;"))
            .gets("/"),
        Case::new("add_trailer: to a file", server("add_trailer X-End $uri; root .;"))
            .file("f.txt", "some text")
            .gets("/f.txt"),
        Case::new("add_trailer: to a part of a file", server("add_trailer X-End $uri; root .;"))
            .file("f.txt", "some text")
            .asks("GET /f.txt HTTP/1.1\r\nHost: h\r\nRange: bytes=2-4\r\n\r\n"),
        Case::new("add_trailer: to a part that is not there", server("add_trailer X-End $uri always; root .;"))
            .file("f.txt", "some text")
            .asks("GET /f.txt HTTP/1.1\r\nHost: h\r\nRange: bytes=20-40\r\n\r\n"),
        case("to pipelined requests", "add_trailer X-End $connection_requests;").client(|scene| {
            let mut client = scene.connect();
            client.send("GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n");
            client.response();
            client.response();
            client.end();
        }),
        Case::new(
            "add_trailer: in the log",
            crate::case::http(
                "log_format t '$sent_trailer_x_end [$sent_trailer_x_no] $body_bytes_sent'; server { \
                 listen 127.0.0.1:{port}; access_log t.log t; add_trailer X-End $uri; \
                 location / { return 200 hello; } }",
            ),
        )
        .client(|scene| scene.get_each(&["/x"]))
        .log("t.log", 1),
    ]
}

fn levels() -> Vec<Case> {
    let text = "add_trailer X-A outer; location /a { return 200 a; } \
                location /b { add_trailer X-B inner; return 200 b; }";
    vec![
        Case::new("add_trailer of another level", server(text))
            .client(|scene| scene.get_each(&["/a", "/b"])),
        Case::new(
            "add_trailer in an if",
            server(
                "location / { add_trailer X-A outer; if ($arg_x) { add_trailer X-A inner; } root .; }",
            ),
        )
        .file("f.txt", "some text")
        .client(|scene| scene.get_each(&["/f.txt", "/f.txt?x=1"])),
    ]
}
