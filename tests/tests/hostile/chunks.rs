//! Chunks, their extensions, and trailers (RFC 9112, 7.1).

use crate::case::{Case, passed, post, refused};

const SIZE: &str = "7.1";
const EXTENSION: &str = "7.1.1";
const TRAILER: &str = "7.1.2, 5";

const LINE_FEED: &str = "A lone LF ends no line of a chunk (RFC 9112, 7.1): who needs the CR reads on where \
    nginx has stopped.";
const LOOSE: &str = "What stands behind a size is an extension of visible characters (7.1.1), and no more \
    than anybody needs; nginx skips anything up to the line's end, however long.";
const TRAILERS: &str = "A trailer is a field like any other (7.1.2); nginx skips anything that looks like \
    lines.";

/// A chunked body, said to be bad: the worker gets no whole request.
fn bad(name: impl Into<String>, rfc: &'static str, body: impl AsRef<[u8]>) -> Case {
    let raw = [&*post("Transfer-Encoding: chunked", ""), body.as_ref()].concat();
    refused(name, rfc, raw)
}

fn good(name: impl Into<String>, rfc: &'static str, body: impl AsRef<[u8]>, length: usize) -> Case {
    let raw = [&*post("Transfer-Encoding: chunked", ""), body.as_ref()].concat();
    let plus = if length == 0 { String::new() } else { format!(" +{length}") };
    passed(name, rfc, raw, &format!("POST /{plus}"))
}

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = sizes();
    cases.extend(ends());
    cases.extend(extensions());
    cases.extend(unread());
    cases.extend(trailers());
    cases
}

fn sizes() -> Vec<Case> {
    let mut cases = Vec::new();
    for size in [
        "zz",
        "-3",
        "+3",
        "0x3",
        "x3",
        "3x",
        "3g",
        "3_",
        "3.0",
        "3,",
        "3=",
        "\"3\"",
        "3\0",
        "\x0b3",
        "3\x0c",
        "\u{663}",
        "%33",
        "3-",
        "three",
        "fffffffffffffffff",
        "10000000000000000",
        "10000000000000003",
        "ffffffffffffffff3",
        "8000000000000000",
        "fffffffffffffffe",
        "ffffffffffffffff",
        "G",
        "3h",
        "\\3",
        "7fffffffffffffff0",
        "100000000000000000000000000000003",
    ] {
        cases.push(bad(
            format!("a chunk of {size:?}"),
            SIZE,
            format!("{size}\r\nabc\r\n0\r\n\r\n"),
        ));
    }
    for size in ["", " 3", "\t3", " ", "\r\n3"] {
        cases.push(bad(
            format!("a chunk of {size:?}"),
            SIZE,
            format!("{size}\r\nabc\r\n0\r\n\r\n"),
        ));
    }
    for size in ["3", "03", "0000000000003"] {
        cases.push(good(
            format!("a chunk of {size:?}"),
            SIZE,
            format!("{size}\r\nabc\r\n0\r\n\r\n"),
            3,
        ));
    }
    for size in ["a", "A", "0a", "0A"] {
        cases.push(good(
            format!("a chunk of {size:?}"),
            SIZE,
            format!("{size}\r\n0123456789\r\n0\r\n\r\n"),
            10,
        ));
    }
    for zero in ["0", "00", "0000000000000000"] {
        cases.push(good(
            format!("a last chunk of {zero:?}"),
            SIZE,
            format!("3\r\nabc\r\n{zero}\r\n\r\n"),
            3,
        ));
    }
    cases
}

fn ends() -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, body) in [
        ("data longer than its chunk", "3\r\nabcd\r\n0\r\n\r\n"),
        ("data shorter than its chunk", "5\r\nabc\r\n0\r\n\r\n"),
        ("no line end behind data", "3\r\nabc0\r\n\r\n"),
        ("a space behind data", "3\r\nabc \r\n0\r\n\r\n"),
        ("two returns behind data", "3\r\nabc\r\r\n0\r\n\r\n"),
        ("a return alone behind data", "3\r\nabc\r0\r\n\r\n"),
        ("two returns behind a size", "3\r\r\nabc\r\n0\r\n\r\n"),
        ("a return alone behind a size", "3\rabc\r\n0\r\n\r\n"),
        ("a return and a letter behind a size", "3\rx\nabc\r\n0\r\n\r\n"),
    ] {
        cases.push(bad(name, SIZE, body));
    }
    for (name, body) in [
        ("a line feed alone behind a size", "3\nabc\r\n0\r\n\r\n"),
        ("a line feed alone behind data", "3\r\nabc\n0\r\n\r\n"),
        ("a line feed alone behind the last size", "3\r\nabc\r\n0\n\r\n"),
        ("a line feed alone at the end of chunks", "3\r\nabc\r\n0\r\n\n"),
        ("line feeds alone in chunks", "3\nabc\n0\n\n"),
        ("a line feed alone behind an extension", "3;a\nabc\r\n0\r\n\r\n"),
    ] {
        cases.push(bad(name, SIZE, body).unlike_nginx(LINE_FEED));
    }
    cases
}

/// Bodies that nobody reads: what is answered without them is answered, and no request is read behind
/// what is none of them.
fn unread() -> Vec<Case> {
    const ANSWERED: &str = "What needs no body is answered before one has come, so that it cannot depend on how \
        fast it comes; then the connection ends. nginx looks at what is there by chance.";
    let bodies = [
        "zz\r\nabc\r\n0\r\n\r\n",
        "3\r\nabcd\r\n0\r\n\r\n",
        "3\r\nabc\r\n0\n\n",
        "3;\0\r\nabc\r\n0\r\n\r\n",
    ];
    let cases = bodies.iter().map(|body| {
        let raw =
            format!("POST /here HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n{body}");
        let case = refused(format!("nobody reads {body:?}"), SIZE, raw);
        case.comes_to("204", "").unlike_nginx(ANSWERED)
    });
    cases.collect()
}

fn extensions() -> Vec<Case> {
    let body = |extension: &str| format!("3{extension}\r\nabc\r\n0\r\n\r\n");
    let mut cases = Vec::new();
    for extension in [
        ";a",
        ";a=b",
        ";a=\"b\"",
        ";a=\"b;c\"",
        "; a=b",
        ";a=b;c=d",
        ";a;b;c",
        " ;a=b",
        ";a = b",
        "\t;a",
        ";",
        " ;",
        ";;",
        ";=",
        ";a=",
        ";caf\u{e9}",
        // Spaces alone are no extension, but some pad their sizes: nothing else can be meant.
        " ",
        "\t",
        "  ",
    ] {
        cases.push(good(format!("extension {extension:?}"), EXTENSION, body(extension), 3));
    }
    for extension in
        [";a\0", ";a=\x01", ";\x7f", ";a=\"\x0b\"", ";a\x1b[2J", ";\x08", " x", " 3", "\tx"]
    {
        let case = bad(format!("extension {extension:?}"), EXTENSION, body(extension));
        cases.push(case.unlike_nginx(LOOSE));
    }
    for extension in [";a=b\rc", ";a\r\r", "\u{a0}", "x", "=", ",a"] {
        cases.push(bad(format!("extension {extension:?}"), EXTENSION, body(extension)));
    }
    for length in [17_000, 200_000] {
        let extension = format!(";a={}", "x".repeat(length));
        cases.push(
            bad(format!("an extension of {length} bytes"), EXTENSION, body(&extension))
                .unlike_nginx(LOOSE),
        );
    }
    let many = format!("1;a={}\r\nx\r\n", "y".repeat(50)).repeat(2_000) + "0\r\n\r\n";
    cases.push(bad("two thousand extensions", EXTENSION, many).unlike_nginx(LOOSE));
    cases
}

fn trailers() -> Vec<Case> {
    let body = |trailers: &str| format!("3\r\nabc\r\n0\r\n{trailers}\r\n");
    let mut cases = Vec::new();
    for trailers in [
        "T: 1\r\n",
        "T:\r\n",
        "T: 1\r\nU: 2\r\n",
        "Content-Length: 9\r\n",
        "Transfer-Encoding: chunked\r\n",
        "Host: evil\r\n",
        "X-Forwarded-For: evil\r\n",
        "T:\t1 \r\n",
        "T: caf\u{e9}\r\n",
    ] {
        cases.push(
            good(format!("trailers {trailers:?}"), TRAILER, body(trailers), 3)
                .lacks("evil")
                .lacks("T:"),
        );
    }
    for trailers in [
        "T : 1\r\n",
        " T: 1\r\n",
        "T\0: 1\r\n",
        "T: \0\r\n",
        "T: \x01\r\n",
        "T: \x7f\r\n",
        "T\r\n",
        ": 1\r\n",
        "T: 1\r\n U: 2\r\n",
        "T(: 1\r\n",
        "T\u{e9}: 1\r\n",
        "GET / HTTP/1.1\r\n",
    ] {
        cases.push(
            bad(format!("trailers {trailers:?}"), TRAILER, body(trailers)).unlike_nginx(TRAILERS),
        );
    }
    for trailers in ["T: 1\r\r\n", "T: a\rb\r\n"] {
        cases.push(bad(format!("trailers {trailers:?}"), TRAILER, body(trailers)));
    }
    for trailers in ["T: 1\n", "T: 1\nU: 2\r\n", "\n", "T: 1\r\n\n"] {
        cases.push(
            bad(format!("trailers {trailers:?}"), TRAILER, body(trailers)).unlike_nginx(LINE_FEED),
        );
    }
    for length in [20_000, 200_000] {
        let trailers = format!("T: {}\r\n", "x".repeat(length));
        cases.push(
            bad(format!("a trailer of {length} bytes"), TRAILER, body(&trailers))
                .unlike_nginx(TRAILERS),
        );
    }
    let many = "T: 1\r\n".repeat(5_000);
    cases.push(bad("five thousand trailers", TRAILER, body(&many)).unlike_nginx(TRAILERS));
    cases
}
