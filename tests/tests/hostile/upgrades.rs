//! Upgrade: what is no upgrade is no tunnel (RFC 9110, 7.8).

use crate::case::{Case, passed};
use crate::recorder::{Reply, Then};

const UPGRADE: &str = "9110 7.8";

const OLD: &str = "Upgrade of HTTP/1.0 is ignored, so that no server can take it up (9110 7.8).";
const BODY: &str =
    "A body and a tunnel cannot follow one head: Upgrade beside a body is not passed on.";
const HTTP: &str = "Through `$http_upgrade` goes websocket alone: behind another protocol, h2c before all, \
    requests would reach the worker that nobody here has looked at. A file that wants that says so in words.";
const UNASKED: &str = "101 to who did not ask for it is a bad gateway (9110 15.2.2).";

fn ask(path: &str, lines: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\n{lines}\r\n\r\n")
}

fn says(text: &str) -> Reply {
    Reply::new(text, Then::Listen)
}

const SWITCH: &str =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = protocols();
    cases.extend(failed());
    cases.extend(tunnels());
    cases.extend(ignored());
    cases
}

fn protocols() -> Vec<Case> {
    let mut cases = Vec::new();
    for protocol in ["websocket", "WebSocket", "WEBSOCKET"] {
        let case = passed(
            format!("Upgrade: {protocol}"),
            UPGRADE,
            ask("/guide", &format!("Upgrade: {protocol}")),
            "GET /guide",
        );
        cases.push(case.lacks("h2c"));
    }
    for protocol in [
        "h2c",
        "H2C",
        "h2",
        "HTTP/2.0",
        "TLS/1.0",
        "TLS/1.2, HTTP/1.1",
        "h2c, HTTP/2.0",
        "websocketx",
        "xwebsocket",
        "web socket",
        "chat/2",
        "tcp",
        "IRC/6.9",
        "h2c\t",
        "\"websocket\"",
        "websocket/13",
    ] {
        let case = passed(
            format!("Upgrade: {protocol}"),
            UPGRADE,
            ask("/guide", &format!("Upgrade: {protocol}")),
            "GET /guide",
        );
        cases.push(case.lacks("Upgrade:").unlike_nginx(HTTP));
    }
    for protocol in ["websocket, h2c", "h2c, websocket", "h2c,WebSocket,x"] {
        let case = passed(
            format!("Upgrade: {protocol}"),
            UPGRADE,
            ask("/guide", &format!("Upgrade: {protocol}")),
            "GET /guide",
        );
        cases.push(case.lacks("h2c").unlike_nginx(HTTP));
    }
    cases.push(passed("h2c with its settings", UPGRADE, "GET /guide HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n", "GET /guide").lacks("Upgrade:").lacks("HTTP2-Settings:").unlike_nginx(HTTP));
    cases.push(
        passed("h2c by the file's own words", UPGRADE, ask("/told", "Upgrade: x"), "GET /told")
            .has("Upgrade: h2c"),
    );
    cases
}

/// What the client sends behind its request is HTTP when the answer is no 101.
fn failed() -> Vec<Case> {
    let mut cases = Vec::new();
    let ask = ask("/guide", "Upgrade: websocket");
    for status in [
        "200 OK",
        "400 Bad Request",
        "403 Forbidden",
        "426 Upgrade Required",
        "500 Internal Server Error",
        "204 No Content",
    ] {
        let code = &status[..3];
        let length = if code == "204" { "" } else { "Content-Length: 0\r\n" };
        let reply = says(&format!("HTTP/1.1 {status}\r\n{length}\r\n"));
        let case = passed(format!("an upgrade answered {status}"), UPGRADE, &ask, "GET /guide");
        cases.push(
            case.answered(reply.clone()).comes_to(&format!("{code} 200"), "GET /guide, GET /last"),
        );
        let raw = format!("{ask}GET /inner HTTP/1.1\r\nHost: h\r\n\r\n");
        let case = passed(
            format!("a request behind an upgrade answered {status}"),
            UPGRADE,
            &raw,
            "GET /guide, GET /inner",
        );
        cases.push(
            case.answered(reply.clone())
                .comes_to(&format!("{code} 200 200"), "GET /guide, GET /inner, GET /last"),
        );
        let case = passed(
            format!("frames behind an upgrade answered {status}"),
            UPGRADE,
            [ask.as_bytes(), b"\x81\x85\x01\x02\x03\x04abcde"].concat(),
            "",
        );
        cases.push(case.answered(reply).comes_to(&format!("{code} 400"), "GET /guide"));
    }
    cases
}

/// Bytes that come behind the request wait for the worker's 101.
fn tunnels() -> Vec<Case> {
    let mut cases = Vec::new();
    let ask = ask("/guide", "Upgrade: websocket");
    for (name, early) in [
        ("nothing", &b""[..]),
        ("a frame", b"\x81\x85\x01\x02\x03\x04abcde"),
        ("a request", b"GET /inner HTTP/1.1\r\nHost: h\r\n\r\n"),
        ("a bad request", b"x\r\n\r\n"),
        ("zeros", b"\0\0\0\0"),
    ] {
        let raw = [ask.as_bytes(), early].concat();
        let reply = Reply::new(SWITCH, Then::Tunnel);
        let case = passed(format!("a tunnel, and {name} behind its request"), UPGRADE, raw, "");
        cases.push(case.answered(reply).comes_to("101", "GET /guide"));
    }
    cases
}

fn ignored() -> Vec<Case> {
    let switch = || Reply::new(SWITCH, Then::Close);
    vec![
        passed("Upgrade on HTTP/1.0", UPGRADE, "GET /guide HTTP/1.0\r\nHost: h\r\nConnection: Upgrade, keep-alive\r\nUpgrade: websocket\r\n\r\n", "GET /guide")
            .lacks("Upgrade:").unlike_nginx(OLD),
        passed("Upgrade and a body", UPGRADE, "POST /guide HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 3\r\n\r\nabc", "POST /guide +3")
            .lacks("Upgrade:").unlike_nginx(BODY),
        passed("Upgrade and chunks", UPGRADE, "POST /guide HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", "POST /guide +3")
            .lacks("Upgrade:").unlike_nginx(BODY),
        passed("101 to a request", UPGRADE, "GET /guide HTTP/1.1\r\nHost: h\r\n\r\n", "")
            .answered(switch()).comes_to("502 200", "GET /guide, GET /last").unlike_nginx(UNASKED),
        passed("101 to an upgrade that is not passed", UPGRADE, ask("/", "Upgrade: websocket"), "")
            .answered(switch()).comes_to("502 200", "GET /, GET /last").unlike_nginx(UNASKED),
        passed("101 to Upgrade: h2c", UPGRADE, ask("/guide", "Upgrade: h2c"), "")
            .answered(switch()).comes_to("502 200", "GET /guide, GET /last").unlike_nginx(UNASKED),
        passed("101 to Upgrade on HTTP/1.0", UPGRADE, "GET /guide HTTP/1.0\r\nHost: h\r\nConnection: Upgrade, keep-alive\r\nUpgrade: websocket\r\n\r\n", "")
            .answered(switch()).comes_to("502 200", "GET /guide, GET /last").unlike_nginx(UNASKED),
        passed("101 to Upgrade and a body", UPGRADE, "POST /guide HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 3\r\n\r\nabc", "")
            .answered(switch()).comes_to("502 200", "POST /guide +3, GET /last").unlike_nginx(UNASKED),
    ]
}
