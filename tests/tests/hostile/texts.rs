//! What a client writes into the file's texts: a path with line ends in it makes no lines, at the worker
//! or at the client, however it is used (RFC 9110, 5.5 and 17.6).

use crate::case::{Case, get, passed, post, refused};

const TEXTS: &str = "9110 5.5, 9112 11.1";

const LINES: &str = "`$uri` is decoded, so that it can have line ends in it: a field that it would break is left \
    out, a redirect is a 500, a target a 400. nginx writes them, and who asks writes the worker's fields or \
    the client's.";

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for bad in [
        "a%0d%0aX:%20y",
        "a%0aX:%20y",
        "a%0dX:%20y",
        "a%0d%0aX:%20y%0d%0a%0d%0aGET%20/in%20HTTP/1.1",
        "a%7f",
        "a%01",
    ] {
        let ask = |place: &str| format!("GET /{place}/{bad} HTTP/1.1\r\nHost: h\r\n\r\n");
        let case = |place: &str, client: &str, worker: &str| {
            let name = format!("/{place}/{bad}");
            let case = passed(name, TEXTS, ask(place), "").comes_to(client, worker);
            case.spares("X: y").lacks("X: y").unlike_nginx(LINES)
        };
        cases.push(case("return", "500", ""));
        cases.push(case("add", "204 200", "GET /last"));
        cases.push(case("set", "200 200", &format!("GET /set/{bad}, GET /last")).lacks("X-Path"));
        cases.push(case("var", "400", ""));
        let escaped = bad.replace("%0d", "%0D").replace("%0a", "%0A").replace("%7f", "%7F");
        cases.push(passed(
            format!("/sub/{bad}"),
            TEXTS,
            ask("sub"),
            &format!("GET /new/{escaped}"),
        ));
    }
    cases.extend(large());
    cases.extend(expecting());
    cases
}

/// Heads that are too large, which nobody has to keep.
fn large() -> Vec<Case> {
    let long = |length| "x".repeat(length);
    let many = |number| "X: y\r\n".repeat(number);
    vec![
        refused(
            "a target of 9000 bytes",
            "3, 9110 4.1",
            format!("GET /{} HTTP/1.1\r\nHost: h\r\n\r\n", long(9_000)),
        )
        .with(414),
        refused(
            "a target of 100000 bytes",
            "3, 9110 4.1",
            format!("GET /{} HTTP/1.1\r\nHost: h\r\n\r\n", long(100_000)),
        )
        .with(414),
        refused(
            "a method of 9000 bytes",
            "3.1",
            format!("{} / HTTP/1.1\r\nHost: h\r\n\r\n", long(9_000).to_uppercase()),
        )
        .with(414),
        refused("a value of 9000 bytes", "5.4", get(&format!("X: {}", long(9_000)))),
        refused("a name of 9000 bytes", "5.4", get(&format!("{}: x", long(9_000)))),
        refused("a value of 100000 bytes", "5.4", get(&format!("X: {}", long(100_000)))),
        refused("ten thousand fields", "5.4", get(many(10_000).trim_end())),
        refused(
            "a body larger than it may be",
            "9110 15.5.14",
            post("Content-Length: 9223372036854775807", ""),
        )
        .with(413),
    ]
}

/// Who waits for a word before the body, and who does not.
fn expecting() -> Vec<Case> {
    let expects = |name: &str, raw: Vec<u8>, worker: &str| {
        passed(name, "9110 10.1.1", raw, worker)
            .lacks("Expect")
            .comes_to("100 200 200", &format!("{worker}, GET /last"))
    };
    vec![
        expects(
            "a body that does not wait for 100",
            post("Content-Length: 3\r\nExpect: 100-continue", "abc"),
            "POST / +3",
        ),
        expects(
            "chunks that do not wait for 100",
            post("Transfer-Encoding: chunked\r\nExpect: 100-Continue", "3\r\nabc\r\n0\r\n\r\n"),
            "POST / +3",
        ),
        refused(
            "an expectation twice",
            "9110 5.3",
            post("Content-Length: 3\r\nExpect: 100-continue\r\nExpect: 100-continue", "abc"),
        ),
    ]
}
