//! Bodies: lengths, chunks, ends by closing, in both directions.

use tests::worker::answer_and_close;

use crate::case::{Case, proxied, server};

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = to_the_worker();
    cases.extend(to_the_client());
    cases.extend(limits());
    cases
}

const CHUNKED: &str = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";

fn to_the_worker() -> Vec<Case> {
    let case = |name: &str| Case::new(name, proxied(""));
    let streamed = |name: &str| Case::new(name, proxied("proxy_request_buffering off;"));
    let post = |lines: &str| format!("POST / HTTP/1.1\r\nHost: h\r\n{lines}\r\n");
    vec![
        case("a body by length").asks(post("Content-Length: 5\r\n") + "hello"),
        case("a body of no length").asks(post("Content-Length: 0\r\n")),
        case("a POST without any length").asks(post("")),
        case("a GET with a body").asks("GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi"),
        case("a chunked body").asks(format!("{CHUNKED}5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n")),
        streamed("a chunked body, streamed").asks(format!("{CHUNKED}5\r\nhello\r\n0\r\n\r\n")),
        case("a chunked body of nothing").asks(format!("{CHUNKED}0\r\n\r\n")),
        case("chunk extensions").asks(format!("{CHUNKED}2;a=b\r\nhi\r\n0\r\n\r\n")),
        case("trailers").asks(format!("{CHUNKED}2\r\nhi\r\n0\r\nX-T: 1\r\n\r\n")),
        case("a chunked body to HTTP/1.0").also("proxy_http_version 1.0;").asks(format!(
            "{CHUNKED}2\r\nhi\r\n0\r\n\r\n"
        )),
        case("a bad chunk size").asks(format!("{CHUNKED}zz\r\nhi\r\n0\r\n\r\n")),
        case("length and chunked together").asks(
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        ),
        case("two lengths that agree")
            .asks(post("Content-Length: 2\r\nContent-Length: 2\r\n") + "hi"),
        case("two lengths that do not")
            .asks(post("Content-Length: 2\r\nContent-Length: 3\r\n") + "hi!"),
        case("a length that is no number").asks(post("Content-Length: x\r\n")),
        case("a negative length").asks(post("Content-Length: -1\r\n")),
        case("an unknown transfer coding").asks(post("Transfer-Encoding: gzip, chunked\r\n")),
        case("chunked over HTTP/1.0").asks(
            "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
        ),
        case("a body in pieces").client(|scene| {
            let mut client = scene.connect();
            client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\n");
            ["ab", "cd", "ef"].iter().for_each(|piece| client.send(piece));
            client.response();
            client.end();
        }),
        case("a megabyte to the worker").also("client_max_body_size 2m;").client(|scene| {
            let mut client = scene.connect();
            client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n");
            client.send_aside(pattern(1_000_000));
            client.response();
            client.end();
        }),
    ]
}

fn to_the_client() -> Vec<Case> {
    let case = |name: &str, raw: &str| {
        Case::new(name, proxied("")).worker("a", answer_and_close(raw)).gets("/")
    };
    let old = |name: &str, raw: &str| {
        Case::new(name, proxied(""))
            .worker("a", answer_and_close(raw))
            .asks("GET / HTTP/1.0\r\n\r\n")
    };
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let mut megabyte = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n".to_vec();
    megabyte.extend(pattern(1_000_000));
    let mut endless = b"HTTP/1.0 200 OK\r\n\r\n".to_vec();
    endless.extend(pattern(1_000_000));
    vec![
        case("an answer by length", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
        case("an answer of no length", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
        case("a chunked answer", &format!("{chunked}2\r\nok\r\n1\r\n!\r\n0\r\n\r\n")),
        case("a chunked answer of nothing", &format!("{chunked}0\r\n\r\n")),
        case("an answer with trailers", &format!("{chunked}2\r\nok\r\n0\r\nX-T: 1\r\n\r\n")),
        case("an answer until the end", "HTTP/1.1 200 OK\r\n\r\nok"),
        case("an answer until the end, of HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\nok"),
        case("an empty answer until the end", "HTTP/1.1 200 OK\r\n\r\n"),
        case("bytes behind an answer", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok and more"),
        case("an answer cut short", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok"),
        case("a chunked answer cut short", &format!("{chunked}9\r\nok")),
        case("204", "HTTP/1.1 204 No Content\r\nX-A: 1\r\n\r\n"),
        case("304", "HTTP/1.1 304 Not Modified\r\nETag: \"e\"\r\n\r\n"),
        case("304 with a length", "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n"),
        old("a chunked answer to HTTP/1.0", &format!("{chunked}2\r\nok\r\n0\r\n\r\n")),
        old("an answer by length to HTTP/1.0", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
        old("an answer until the end to HTTP/1.0", "HTTP/1.1 200 OK\r\n\r\nok"),
        case("HEAD with a chunked answer", chunked).asks("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n"),
        case("HEAD without any length", "HTTP/1.1 200 OK\r\n\r\n")
            .asks("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n"),
        Case::new("a megabyte to the client", proxied("")).answers(megabyte).gets("/"),
        Case::new("a megabyte until the end", proxied(""))
            .worker("a", answer_and_close(endless))
            .gets("/"),
    ]
}

fn limits() -> Vec<Case> {
    let post = |n: usize| {
        format!("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: {n}\r\n\r\n{}", "x".repeat(n))
    };
    let limited = |name: &str| Case::new(name, proxied("client_max_body_size 10;"));
    vec![
        limited("a body at the limit").asks(post(10)),
        limited("a body above the limit").asks(post(11)),
        limited("a chunked body above the limit")
            .asks(format!("{CHUNKED}b\r\nhello world\r\n0\r\n\r\n")),
        Case::new("no limit", proxied("client_max_body_size 0;")).asks(post(20)),
        Case::new("the default limit", proxied("")).client(|scene| {
            let mut client = scene.connect();
            client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1048577\r\n\r\n");
            client.response();
        }),
        Case::new("a limit of the server, another of the location", server(
            "client_max_body_size 10; location / { proxy_pass http://unix:a.sock; client_max_body_size 1k; }",
        ))
        .asks(post(20)),
        limited("a body above the limit, expected").client(|scene| {
            let mut client = scene.connect();
            client.send("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 11\r\n\r\n");
            client.response();
        }),
    ]
}

/// Bytes that repeat late and show an offset.
fn pattern(n: u32) -> Vec<u8> {
    (0..n).map(|i| i.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect()
}

trait Also {
    /// More in the location.
    fn also(self, directives: &str) -> Self;
}

impl Also for Case {
    fn also(mut self, directives: &str) -> Self {
        self.config = proxied(directives);
        self
    }
}
