//! Fields: their names and values (RFC 9112, 5).

use crate::case::{Case, get, passed, post, refused};

const NAME: &str = "5, 9110 5.1";
const VALUE: &str = "9110 5.5";

const NAMES: &str = "A name has letters, digits and a few signs (9110 5.6.2): what has others is no field, \
    and not to be skipped (nginx: `ignore_invalid_headers`), for somebody else may read it.";
const CONTROLS: &str = "Control characters stand in no value (9110 5.5); nginx refuses NUL, CR and LF \
    among them, and sends the others on.";
const NAMED: &str =
    "What Connection names is meant for this connection alone (9110 7.6.1); nginx sends it on.";

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = names();
    cases.extend(values());
    cases.extend(folds());
    cases.extend(hops());
    cases
}

fn names() -> Vec<Case> {
    let mut cases = Vec::new();
    for byte in (0..=0x20).chain([0x7f]).filter(|byte| !matches!(byte, b'\n' | b'\r')) {
        let line = [b"X", &[byte][..], b"Y: z"].concat();
        cases.push(refused(format!("a name with byte {byte:#04x}"), NAME, around(&line)));
    }
    for byte in b"()<>@,;\\\"/[]?={}".iter().copied().chain([0x80, 0xa0, 0xc3, 0xff]) {
        let line = [b"X", &[byte][..], b"Y: z"].concat();
        let shown = char::from(byte);
        cases.push(
            refused(format!("a name with {shown:?}"), NAME, around(&line)).unlike_nginx(NAMES),
        );
        let line = [&[byte][..], b"X: z"].concat();
        cases.push(
            refused(format!("a name that begins with {shown:?}"), NAME, around(&line))
                .unlike_nginx(NAMES),
        );
    }
    for line in [
        "Content-Length(: 3",
        "Transfer-Encoding\u{e9}: chunked",
        "[Content-Length]: 3",
        "Host\": x",
    ] {
        cases.push(
            refused(format!("the line {line:?}"), NAME, post(line, "abc")).unlike_nginx(NAMES),
        );
    }
    // Signs that a name may have, but that nginx takes for mistakes: they go no further.
    for byte in b"!#$%&'*+.^_`|~" {
        let sign = char::from(*byte);
        let raw = get(&format!("X{sign}Y: z\r\nX-Z: z"));
        cases.push(
            passed(format!("a name with {sign:?}"), NAME, raw, "GET /").has("X-Z: z").lacks("X!"),
        );
    }
    for line in [
        "Content_Length: 3",
        "Transfer_Encoding: chunked",
        "Content.Length: 3",
        "Transfer+Encoding: chunked",
        "~Host: x",
    ] {
        cases.push(
            passed(format!("the line {line:?}"), NAME, get(line), "GET /")
                .lacks("3")
                .lacks("chunked"),
        );
    }
    for line in [": z", ":", " : z", "X : z", "X\t: z", "X : ", "X  Y: z", "Host : h"] {
        cases.push(refused(format!("the line {line:?}"), "5.1", get(line)));
    }
    cases
}

fn values() -> Vec<Case> {
    let mut cases = Vec::new();
    for byte in (0..0x20).chain([0x7f]).filter(|byte| !matches!(byte, b'\t' | b'\n')) {
        let line = [b"X: a", &[byte][..], b"b"].concat();
        let case = refused(format!("a value with byte {byte:#04x}"), VALUE, around(&line));
        cases.push(if matches!(byte, 0 | b'\r') { case } else { case.unlike_nginx(CONTROLS) });
    }
    for (name, line) in [
        ("Cookie", "a=\x01"),
        ("Authorization", "a\x02"),
        ("User-Agent", "\x1b[31m"),
        ("X-Forwarded-For", "1.2.3.4\x0bx"),
        ("Upgrade", "websocket\x03"),
    ] {
        let raw = get(&format!("{name}: {line}"));
        cases.push(
            refused(format!("{name} with a control character"), VALUE, raw).unlike_nginx(CONTROLS),
        );
    }
    cases.extend([
        passed("a value with a tab", VALUE, get("X: a\tb"), "GET /").has("X: a\tb"),
        passed("a value above ASCII", VALUE, around(b"X: \xe9\xff"), "GET /"),
        passed("a value of nothing", VALUE, get("X:"), "GET /"),
        passed("a value like a request", VALUE, get("X: GET / HTTP/1.1"), "GET /"),
        passed("a value with colons", VALUE, get("X:::Content-Length: 3"), "GET /")
            .has("X: ::Content-Length: 3"),
    ]);
    cases
}

fn folds() -> Vec<Case> {
    let mut cases = Vec::new();
    for line in [
        "X: y\r\n z",
        "X: y\r\n\tz",
        "X: y\r\n  z",
        "X:\r\n y",
        "X: y\n z",
        "X: y\n\tz",
        "X: y\r\n ",
        "X: y\r\n \r\nZ: z",
        "X: y\r\n : z",
        "X: y\r\n Content-Length: 3",
        "Host: a\r\n b",
    ] {
        let raw = format!(
            "GET / HTTP/1.1\r\n{}{line}\r\n\r\n",
            if line.starts_with("Host") { "" } else { "Host: h\r\n" }
        );
        cases.push(refused(format!("folded {line:?}"), "5.2", raw));
    }
    cases
}

/// What is meant for one connection alone.
fn hops() -> Vec<Case> {
    let on = |name: &str, lines: &str| passed(name, "9110 7.6.1", get(lines), "GET /");
    vec![
        on("a field that Connection names", "Connection: X-Mine\r\nX-Mine: 1")
            .lacks("X-Mine")
            .unlike_nginx(NAMED),
        on("a field that Connection names behind it", "X-Mine: 1\r\nConnection: x-mine")
            .lacks("X-Mine")
            .unlike_nginx(NAMED),
        on(
            "two fields that Connection names",
            "Connection: X-Mine , X-Thine\r\nX-Mine: 1\r\nx-thine: 2",
        )
        .lacks("X-Mine")
        .lacks("x-thine")
        .unlike_nginx(NAMED),
        on(
            "fields that two Connections name",
            "Connection: X-Mine\r\nX-Mine: 1\r\nConnection: X-Thine\r\nX-Thine: 2",
        )
        .lacks("X-")
        .unlike_nginx(NAMED),
        on("HTTP2-Settings", "Connection: HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQAAP__")
            .lacks("HTTP2")
            .unlike_nginx(NAMED),
        on("a field that is not named", "Connection: X-Min\r\nX-Mine: 1").has("X-Mine: 1"),
        on("Host named by Connection", "Connection: Host").has("Host: h"),
        passed(
            "a length named by Connection",
            "9110 7.6.1",
            post("Connection: Content-Length\r\nContent-Length: 3", "abc"),
            "POST / +3",
        )
        .has("Content-Length: 3"),
        passed(
            "a coding named by Connection",
            "9110 7.6.1",
            post(
                "Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked",
                "3\r\nabc\r\n0\r\n\r\n",
            ),
            "POST / +3",
        ),
        passed(
            "a named field that the file passes",
            "9110 7.6.1",
            "GET /passes HTTP/1.1\r\nHost: h\r\nConnection: X-Mine\r\nX-Mine: 1\r\n\r\n",
            "GET /passes",
        )
        .has("X-Mine: 1"),
        on("TE", "TE: trailers").lacks("TE"),
        on("Keep-Alive", "Keep-Alive: timeout=5").lacks("Keep-Alive"),
        on("Upgrade where nobody passes it", "Upgrade: websocket\r\nConnection: Upgrade")
            .lacks("Upgrade"),
    ]
}

fn around(line: &[u8]) -> Vec<u8> {
    [b"GET / HTTP/1.1\r\nHost: h\r\n", line, b"\r\n\r\n"].concat()
}
