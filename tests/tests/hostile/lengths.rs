//! `Content-Length` and `Transfer-Encoding`: how long a body is (RFC 9112, 6).

use crate::case::{Case, get, passed, post, refused};

const LENGTH: &str = "6.3, 9110 8.6";
const BOTH: &str = "6.3, 11.2";
const CODING: &str = "6.1, 6.3";

const CLOSES: &str = "A coding that is not chunked at its end says nothing of the body's length: 400 \
    (6.3); nginx says 501, as if somebody else could know.";

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = lengths();
    cases.extend(two_lengths());
    cases.extend(codings());
    cases.extend(both());
    cases
}

fn lengths() -> Vec<Case> {
    let bad = [
        "+3",
        "-3",
        "-0",
        "+",
        "-",
        "",
        " ",
        "3 3",
        "3,3",
        "3, 3",
        "3,",
        ",3",
        "3;",
        "3;3",
        "3.0",
        "3.",
        ".3",
        "3e0",
        "0x3",
        "0X3",
        "3h",
        "0b11",
        "0o3",
        "1_0",
        "three",
        "\"3\"",
        "'3'",
        "(3)",
        "3\u{a0}",
        "\u{663}",
        "\t3",
        "3\t",
        "3 \t3",
        "NaN",
        "inf",
        "null",
        "*",
        "%33",
        "3%20",
        "3=",
        "\\3",
        "9223372036854775808",
        "18446744073709551615",
        "18446744073709551616",
        "18446744073709551619",
        "36893488147419103235",
        "99999999999999999999999999999999",
        "-18446744073709551613",
        "340282366920938463463374607431768211459",
    ];
    let mut cases = Vec::new();
    for value in bad {
        let line = format!("Content-Length: {value}");
        cases.push(refused(format!("length {value:?}"), LENGTH, post(&line, "abc")));
    }
    for value in ["3 3", "+3", "3,3", "0x3", ""] {
        let line = format!("content-length:{value}");
        cases.push(refused(format!("length {value:?} of a GET"), LENGTH, get(&line)));
    }
    let good = |name, raw: Vec<u8>, worker| {
        passed(name, LENGTH, raw, worker).lacks("content-length").has("Content-Length: 3")
    };
    cases.extend([
        good("a length", post("Content-Length: 3", "abc"), "POST / +3"),
        good("a length with zeros", post("Content-Length: 000000003", "abc"), "POST / +3"),
        good("a length in spaces", post("Content-Length:   3  ", "abc"), "POST / +3"),
    ]);
    cases.extend([
        passed(
            "a request as a body",
            LENGTH,
            {
                let inner = "GET /inner HTTP/1.1\r\nHost: h\r\n\r\n";
                post(&format!("Content-Length: {}", inner.len()), inner)
            },
            "POST / +32",
        ),
        passed("no length at all", "6.3", post("X: y", ""), "POST /"),
        passed("a length of nothing", LENGTH, post("Content-Length: 0", ""), "POST /"),
        refused("a length behind a space", "5.1", post("Content-Length : 3", "abc")),
        refused("a length behind a tab", "5.1", post("Content-Length\t: 3", "abc")),
        refused("a length that is folded", "5.2", post("Content-Length:\r\n 3", "abc")),
        refused("a length with a return in front", "2.2", post("Content-Length: \r3", "abc")),
        refused("a length with a NUL", "9110 5.5", post("Content-Length: 3\0", "abc")),
        refused("a length with a vertical tab", "9110 5.5", post("Content-Length: \x0b3", "abc")),
        refused("a length with a form feed", "9110 5.5", post("Content-Length: 3\x0c", "abc")),
    ]);
    cases
}

fn two_lengths() -> Vec<Case> {
    let mut cases = Vec::new();
    for (one, two) in [
        ("3", "3"),
        ("3", "4"),
        ("4", "3"),
        ("0", "3"),
        ("3", "0"),
        ("3", "03"),
        ("3", ""),
        ("", "3"),
        ("3", "x"),
    ] {
        let lines = format!("Content-Length: {one}\r\nContent-Length: {two}");
        cases.push(refused(format!("lengths {one:?} and {two:?}"), LENGTH, post(&lines, "abc")));
        let lines = format!("Content-Length: {one}\r\nX: y\r\ncontent-length: {two}");
        cases.push(refused(
            format!("lengths {one:?} and {two:?} apart"),
            LENGTH,
            post(&lines, "abc"),
        ));
    }
    cases.push(refused(
        "three lengths",
        LENGTH,
        post("Content-Length: 3\r\nContent-Length: 3\r\nContent-Length: 3", "abc"),
    ));
    cases
}

fn codings() -> Vec<Case> {
    let mut cases = Vec::new();
    // What does not end with chunked, or has it twice.
    for value in [
        "identity",
        "gzip",
        "deflate",
        "chunked, gzip",
        "chunked, identity",
        "chunked, chunked",
        "chunked,chunked",
        "chunkedchunked",
        "xchunked",
        "chunkedx",
        "x chunked",
        "chunked x",
        "chunked;",
        "chunked; q=1",
        "chunked;chunked",
        "\"chunked\"",
        "'chunked'",
        "chunk",
        "chunke",
        "",
        ",",
        "cow",
        "trailers",
        "chun\tked",
        "chunked,",
        "chunked, ",
        "\u{a0}chunked",
        "chunked\u{a0}",
        "chunked\tx",
        "chunked, cow",
        "chunked=1",
        "chunked:",
        "[chunked]",
        "chunKed, ChunKed",
        "gzip, chunked, chunked",
        "chunked,\tchunked",
        "ChunKed\u{130}",
        "\u{ff43}hunked",
    ] {
        let line = format!("Transfer-Encoding: {value}");
        let case = refused(format!("coding {value:?}"), CODING, post(&line, "0\r\n\r\n"));
        cases.push(case.unlike_nginx(CLOSES));
    }
    // What ends with chunked behind codings that nobody knows here (6.1).
    for value in [
        "gzip, chunked",
        "identity, chunked",
        "x, y, chunked",
        "gzip,chunked",
        "cow,\tchunked",
        ", chunked",
        ",chunked",
    ] {
        let line = format!("Transfer-Encoding: {value}");
        let case = refused(format!("coding {value:?}"), "6.1", post(&line, "0\r\n\r\n"));
        cases.push(case.with(501));
    }
    for value in ["\tchunked", "chunked\t", " \tchunked"] {
        let line = format!("Transfer-Encoding: {value}");
        cases.push(refused(format!("coding {value:?}"), "6.1", post(&line, "0\r\n\r\n")).with(501));
    }
    for (value, byte) in [
        ("chunked\0", "NUL"),
        ("\x0bchunked", "a vertical tab"),
        ("chunked\x0c", "a form feed"),
        ("chun\x08ked", "a backspace"),
        ("chunked\x7f", "a DEL"),
        ("chunked\rx", "a return"),
    ] {
        let line = format!("Transfer-Encoding: {value}");
        let case = refused(format!("a coding with {byte}"), "9110 5.5", post(&line, "0\r\n\r\n"));
        let nginx_too = matches!(byte, "NUL" | "a return");
        cases.push(if nginx_too { case } else { case.unlike_nginx(CLOSES) });
    }
    for lines in [
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\ntransfer-encoding: identity",
        "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: gzip\r\nX: y\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding:\r\nTransfer-Encoding: chunked",
    ] {
        cases.push(refused(format!("codings {lines:?}"), CODING, post(lines, "0\r\n\r\n")));
    }
    for line in [
        "Transfer-Encoding : chunked",
        "Transfer-Encoding\t: chunked",
        " Transfer-Encoding: chunked",
        "Transfer Encoding: chunked",
        "Transfer-Encoding\0: chunked",
        "Transfer-Encoding\x0b: chunked",
        "\tTransfer-Encoding: chunked",
        "X: y\r\n Transfer-Encoding: chunked",
        "Transfer-Encoding:\r\n chunked",
        "Transfer-Encoding:\r\n\tchunked",
        "X: y\rTransfer-Encoding: chunked",
        "\rTransfer-Encoding: chunked",
        "Transfer-Encoding\r: chunked",
        ":Transfer-Encoding: chunked",
    ] {
        cases.push(refused(
            format!("a coding in {line:?}"),
            "5.1, 5.2, 2.2",
            post(line, "0\r\n\r\n"),
        ));
    }
    for old in ["chunked", "gzip", "identity"] {
        let raw =
            format!("POST / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: {old}\r\n\r\n0\r\n\r\n");
        cases.push(refused(format!("coding {old:?} of HTTP/1.0"), "6.1", raw));
    }
    for value in ["chunked", "Chunked", "CHUNKED", "   chunked", "chunked  "] {
        let line = format!("Transfer-Encoding: {value}");
        let case = passed(
            format!("coding {value:?}"),
            "7.1",
            post(&line, "3\r\nabc\r\n0\r\n\r\n"),
            "POST / +3",
        );
        cases.push(case);
    }
    cases.push(passed(
        "a chunked GET",
        "7.1",
        get("Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0"),
        "GET / +3",
    ));
    cases
}

/// A length and a coding at once.
fn both() -> Vec<Case> {
    let mut cases = Vec::new();
    for length in ["0", "3", "5", "6", "10", "99999", "x"] {
        let (length, coding) = (format!("Content-Length: {length}"), "Transfer-Encoding: chunked");
        for lines in [format!("{length}\r\n{coding}"), format!("{coding}\r\n{length}")] {
            cases.push(refused(format!("{lines:?}"), BOTH, post(&lines, "0\r\n\r\n")));
        }
    }
    for coding in ["Chunked", "chunked, chunked", "identity", "gzip"] {
        let lines = format!("Content-Length: 5\r\nTransfer-Encoding: {coding}");
        let case =
            refused(format!("a length and coding {coding:?}"), BOTH, post(&lines, "0\r\n\r\n"));
        let other = coding != "Chunked";
        cases.push(if other { case.unlike_nginx(CLOSES) } else { case });
    }
    cases.push(refused("both on HTTP/1.0", BOTH, "POST / HTTP/1.0\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"));
    cases
}
