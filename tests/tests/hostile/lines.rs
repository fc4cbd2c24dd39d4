//! The request line, and the ends of lines (RFC 9112, 2.2 and 3).

use crate::case::{Case, passed, refused};

const LINE: &str = "3";
const ENDS: &str = "2.2";

const OLD: &str = "HTTP/0.9 has no fields, so that nothing says what a request of it is for: it is not spoken \
    here. nginx sends HTTP/1.1 for it, without a Host.";

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = methods();
    cases.extend(targets());
    cases.extend(versions());
    cases.extend(spaces());
    cases.extend(ends());
    cases
}

fn head(line: &str) -> String {
    format!("{line}\r\nHost: h\r\n\r\n")
}

fn methods() -> Vec<Case> {
    let mut cases = Vec::new();
    for method in [
        "get",
        "Get",
        "GeT",
        "G ET",
        "G\tET",
        "G\0ET",
        "GET\0",
        "\0GET",
        "GET\x01",
        "G\x7fET",
        "GET:",
        "GET/",
        "(GET)",
        "G@T",
        "G,ET",
        "\"GET\"",
        "[GET]",
        "GÉT",
        "\u{feff}GET",
        "GET\x0b",
        "\x0bGET",
        " GET",
        "\tGET",
        "{",
        "GET1",
    ] {
        cases.push(refused(
            format!("method {method:?}"),
            "3.1, 9110 9.1",
            head(&format!("{method} / HTTP/1.1")),
        ));
    }
    for method in
        ["GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "PROPFIND", "M-SEARCH", "A_B"]
    {
        cases.push(passed(
            format!("method {method}"),
            "3.1",
            head(&format!("{method} /m HTTP/1.1")),
            &format!("{method} /m"),
        ));
    }
    for method in ["CONNECT", "TRACE"] {
        cases.push(
            refused(format!("method {method}"), "9110 9.3", head(&format!("{method} / HTTP/1.1")))
                .with(405),
        );
    }
    cases.push(refused("CONNECT to a host", "9110 9.3.6", head("CONNECT h:443 HTTP/1.1")));
    cases
}

fn targets() -> Vec<Case> {
    let mut cases = Vec::new();
    for target in [
        "a",
        "*",
        "?",
        "#",
        "//\0",
        "/\0",
        "/\x01",
        "/\x7f",
        "/a\tb",
        "/a b",
        "/a\x0bb",
        "/a\rb",
        "\\",
        "/a\x1f",
        "http:",
        "http:/",
        "http://",
        "http:///",
        "http:///a",
        "http://h\0/",
        "http://h /",
        "://h/",
        "1http://h/",
        "http//h/",
        "h:80",
        "@h",
        "/../",
        "/..",
        "/a/../..",
        "/%",
        "/%zz",
        "/%0",
        "/%00",
        "/%2",
        "/..%2f..%2f..%2f..",
    ] {
        cases.push(refused(
            format!("target {target:?}"),
            "3.2",
            head(&format!("GET {target} HTTP/1.1")),
        ));
    }
    for target in [
        "/",
        "/a?b=c",
        "/a//b",
        "/%41",
        "/a%20b",
        "/a%0d%0aX:%20y",
        "/?a=%00",
        "/a;b=c",
        "/~a",
        "/a?b?c",
        "/a/./b",
    ] {
        let case = passed(
            format!("target {target:?}"),
            "3.2.1",
            head(&format!("GET {target} HTTP/1.1")),
            &format!("GET {target}"),
        );
        cases.push(case);
    }
    cases
}

fn versions() -> Vec<Case> {
    let mut cases = Vec::new();
    for version in [
        "HTTP",
        "HTTP/",
        "HTTP/1",
        "HTTP/1.",
        "HTTP/.1",
        "HTTP/a.b",
        "http/1.1",
        "HTTP/1.1x",
        "HTTP/1,1",
        "HTTP/1.1.1",
        "HTTP/ 1.1",
        "HTTP /1.1",
        "HTTP/1 .1",
        "HTTP/1. 1",
        "HTTP/+1.1",
        "HTTP/1.-1",
        "HTTP/0.9",
        "HTTP/0.1",
        "HTTP\\1.1",
        "HTTPS/1.1",
        "ICE/1.0",
        "HTTP/1.1\0",
        "HTTP/1.1\x0b",
        "HTTP/1.1\x0c",
        "HTTP/1.1\t",
        "\tHTTP/1.1",
        "HTTP/\u{661}.1",
        "HTTP/1.1 x",
        "HTTP/1.1 HTTP/1.1",
        "XHTTP/1.1",
    ] {
        cases.push(refused(
            format!("version {version:?}"),
            "2.3",
            head(&format!("GET / {version}")),
        ));
    }
    for version in ["HTTP/2.0", "HTTP/2", "HTTP/3.0", "HTTP/9.9", "HTTP/10.0", "HTTP/11.1"] {
        cases.push(
            refused(
                format!("version {version:?}"),
                "9110 15.6.6",
                head(&format!("GET / {version}")),
            )
            .with(505),
        );
    }
    cases.push(passed("version 1.2", "9110 2.5", head("GET / HTTP/1.2"), "GET /"));
    for (name, raw) in [("HTTP/0.9", "GET /\r\n"), ("HTTP/0.9 and a space", "GET / \r\n")] {
        cases.push(refused(name, "2.3", raw).unlike_nginx(OLD));
    }
    cases.push(refused("the preface of HTTP/2", "9113 3.4", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
    cases.push(refused("a handshake of TLS", "3", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"));
    cases
}

fn spaces() -> Vec<Case> {
    vec![
        passed("spaces in a request line", LINE, head("GET   /a   HTTP/1.1  "), "GET /a"),
        refused("tabs in a request line", LINE, head("GET\t/a\tHTTP/1.1")),
        refused("a tab and a space", LINE, head("GET \t/a HTTP/1.1")),
        refused("a form feed in a request line", LINE, head("GET\x0c/a HTTP/1.1")),
        refused("a no-break space in a request line", LINE, head("GET\u{a0}/a HTTP/1.1")),
        refused("a return in a request line", LINE, head("GET\r/a HTTP/1.1")),
        refused("a return behind a method", LINE, head("GET \r/a HTTP/1.1")),
        refused("a space in front of the first field", ENDS, "GET / HTTP/1.1\r\n Host: h\r\n\r\n"),
        refused(
            "a space in front of the only field",
            ENDS,
            "GET / HTTP/1.1\r\n X: y\r\nHost: h\r\n\r\n",
        ),
        refused(
            "a tab in front of the first field",
            ENDS,
            "GET / HTTP/1.1\r\n\tX: y\r\nHost: h\r\n\r\n",
        ),
        refused("a line of spaces", ENDS, "GET / HTTP/1.1\r\nHost: h\r\n  \r\n\r\n"),
    ]
}

fn ends() -> Vec<Case> {
    const RETURNS: &str = "A CR that no LF follows is no part of a line (2.2): another reader may take it for \
        the end of one. nginx skips it.";
    let mut cases = vec![
        // A lone LF ends a line of a head, as nginx and most readers take it (2.2 lets them): there is
        // nothing else that it could be, for values have no control characters.
        passed("line feeds alone", ENDS, "GET /a HTTP/1.1\nHost: h\n\n", "GET /a"),
        passed("one line feed alone", ENDS, "GET /a HTTP/1.1\r\nHost: h\nX: y\r\n\r\n", "GET /a")
            .has("X: y"),
        passed("a line feed alone at the end", ENDS, "GET /a HTTP/1.1\r\nHost: h\r\n\n", "GET /a"),
        passed(
            "a length behind a line feed alone",
            ENDS,
            "POST /a HTTP/1.1\r\nHost: h\r\nX: y\nContent-Length: 3\r\n\r\nabc",
            "POST /a +3",
        ),
        passed(
            "a coding behind a line feed alone",
            ENDS,
            "POST /a HTTP/1.1\r\nHost: h\r\nX: y\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "POST /a",
        ),
        passed(
            "empty lines in front",
            ENDS,
            "\r\n\r\nGET /a HTTP/1.1\r\nHost: h\r\n\r\n",
            "GET /a",
        ),
        passed("line feeds in front", ENDS, "\n\nGET /a HTTP/1.1\r\nHost: h\r\n\r\n", "GET /a"),
        refused(
            "both line ends, and a length twice",
            ENDS,
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\nContent-Length: 4\r\n\r\nabcd",
        ),
        refused("returns alone", ENDS, "GET / HTTP/1.1\rHost: h\r\r"),
        refused("a return alone behind the request line", ENDS, "GET / HTTP/1.1\rHost: h\r\n\r\n"),
        refused("a return alone behind a field", ENDS, "GET / HTTP/1.1\r\nHost: h\rX: y\r\n\r\n"),
        refused("two returns behind the request line", ENDS, "GET / HTTP/1.1\r\r\nHost: h\r\n\r\n"),
        refused("two returns at the end", ENDS, "GET / HTTP/1.1\r\nHost: h\r\n\r\r\n"),
        refused("a return and a letter at the end", ENDS, "GET / HTTP/1.1\r\nHost: h\r\n\rX\r\n"),
        refused("a line feed and a return at the end", ENDS, "GET / HTTP/1.1\r\nHost: h\r\n\n\rX")
            .comes_to("200 400", "GET /")
            .unlike_nginx(RETURNS),
    ];
    for (name, raw) in [
        ("two returns behind a field", "GET / HTTP/1.1\r\nHost: h\r\r\n\r\n"),
        ("three returns behind a value", "GET / HTTP/1.1\r\nHost: h\r\nX: y\r\r\r\n\r\n"),
        ("a return in front of the request line", "\rGET / HTTP/1.1\r\nHost: h\r\n\r\n"),
        (
            "two returns behind a coding",
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\r\n\r\n0\r\n\r\n",
        ),
        ("two returns in front", "\r\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n"),
    ] {
        cases.push(refused(name, ENDS, raw).unlike_nginx(RETURNS));
    }
    cases
}
