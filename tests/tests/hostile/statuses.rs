//! Status lines and fields of answers (RFC 9112, 4 and 5), and interim answers.

use crate::answer::{Answer, broken, kept};

const LINE: &str = "4";
const FIELD: &str = "5, 9110 5.5";
const INTERIM: &str = "9110 15.2";

const RAW: &str = "What is no status line by the letter (4) begins no answer; nginx takes it for HTTP/0.9 and \
    sends all of it to the client under a head of its own, or reads a status on where it ends.";
const FIELDS: &str = "A field that is none spoils its answer (9110 5.5, 5.6.2): the client may read it otherwise. \
    nginx sends control characters on, and leaves out what has an odd name.";
const FIRST: &str = "An interim answer is skipped, and 101 is for who asked (9110 15.2); this nginx takes either \
    for the last answer.";

pub(crate) fn cases() -> Vec<Answer> {
    let families = [(lines(), RAW), (fields(), FIELDS), (interim(), FIRST)];
    let families = families.into_iter().flat_map(|(cases, why)| {
        cases.into_iter().map(move |case| case.where_nginx_differs(why).splits())
    });
    families.collect()
}

fn after(line: &str) -> String {
    format!("{line}\r\nContent-Length: 2\r\n\r\nok")
}

fn lines() -> Vec<Answer> {
    let mut cases = Vec::new();
    for line in [
        "",
        " ",
        "HTTP/1.1",
        "HTTP/1.1 ",
        "HTTP/1.1 abc OK",
        "HTTP/1.1 2x0 OK",
        "HTTP/1.1 20 OK",
        "HTTP/1.1 2 OK",
        "HTTP/1.1 -200 OK",
        "HTTP/1.1 +200 OK",
        "HTTP/1.1 0x200 OK",
        "HTTP/1.1\t200 OK",
        "HTTP/1.1200 OK",
        "HTTP 200 OK",
        "HTTP/ 200 OK",
        "HTTP/1 200 OK",
        "HTTP/1. 200 OK",
        "HTTP/.1 200 OK",
        "http/1.1 200 OK",
        "Http/1.1 200 OK",
        "HTTPS/1.1 200 OK",
        "HTTP/1.a 200 OK",
        "HTTP/a.1 200 OK",
        " HTTP/1.1 200 OK",
        "\tHTTP/1.1 200 OK",
        "\0HTTP/1.1 200 OK",
        "xHTTP/1.1 200 OK",
        "ICY 200 OK",
        "200 OK",
        "OK",
        "SSH-2.0-x",
        "220 mail ESMTP",
        "<html>hello</html>",
        "{\"a\": 1}",
        "GET / HTTP/1.1",
        "\u{feff}HTTP/1.1 200 OK",
        "HTTP/1.1 \u{662}00 OK",
        "HTTP/1,1 200 OK",
        "HTTP\\1.1 200 OK",
        "HTTP/-1.1 200 OK",
        "RTSP/1.0 200 OK",
        "\x16\x03\x01\x02",
        "HTTP/1.1 200.0 OK",
        "HTTP/1.1 200, OK",
        "HTTP/1.1 200-OK",
        "HTTP/1.1 200\tOK",
        "HTTP/1.1 200OK",
        "HTTP/1.1 2000 OK",
        "HTTP/1.1 1000 OK",
        "HTTP/1.1 0200 OK",
        "HTTP/1.1  200 OK",
        "HTTP/1.1 200;OK",
        "HTTP/2.0 200 OK",
        "HTTP/2 200 OK",
        "HTTP/0.9 200 OK",
        "HTTP/1.2 200 OK",
        "HTTP/1.10 200 OK",
        "HTTP/3.0 200 OK",
        "HTTP/9.9 200 OK",
    ] {
        cases.push(broken(format!("status line {line:?}"), LINE, after(line)).closes());
    }
    for code in ["000", "001", "010", "020", "099", "99", "0"] {
        cases.push(
            broken(format!("status {code}"), "4, 9110 15", after(&format!("HTTP/1.1 {code} OK")))
                .closes(),
        );
    }
    for byte in [0, 1, 7, 8, 0x0b, 0x0c, 0x1b, 0x1f, 0x7f] {
        let bytes = [b"HTTP/1.1 200 O", &[byte][..], b"K\r\nContent-Length: 2\r\n\r\nok"].concat();
        cases.push(broken(format!("a reason with byte {byte:#04x}"), LINE, bytes).closes());
    }
    cases.extend([
        broken(
            "empty lines in front of an answer",
            LINE,
            format!("\r\n\r\n{}", after("HTTP/1.1 200 OK")),
        )
        .closes(),
        broken(
            "an empty line in front of an answer",
            LINE,
            format!("\r\n{}", after("HTTP/1.1 200 OK")),
        )
        .closes(),
        broken(
            "a line feed in front of an answer",
            LINE,
            format!("\n{}", after("HTTP/1.1 200 OK")),
        )
        .closes(),
        broken(
            "a return behind the status",
            "2.2",
            "HTTP/1.1 200 O\rK\r\nContent-Length: 2\r\n\r\nok",
        )
        .closes(),
        broken(
            "two returns behind the status line",
            "2.2",
            "HTTP/1.1 200 OK\r\r\nContent-Length: 2\r\n\r\nok",
        )
        .closes(),
        broken("nothing but a status line", LINE, "HTTP/1.1 200 OK\r\n").closes(),
        broken("half a status line", LINE, "HTTP/1.1 20").closes(),
        broken("half a field", LINE, "HTTP/1.1 200 OK\r\nContent-Len").closes(),
        broken("a head without its end", LINE, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n").closes(),
        broken("nothing at all", LINE, "").closes(),
        kept("a reason of nothing", LINE, after("HTTP/1.1 200 "), "200 ok"),
        kept("no reason and no space", LINE, after("HTTP/1.1 200"), "200 ok"),
        kept("a reason of many words", LINE, after("HTTP/1.1 200 All  is well "), "200 ok"),
        kept("status 299", "9110 15", after("HTTP/1.1 299 x"), "299 ok"),
        kept(
            "line feeds alone in an answer",
            "2.2",
            "HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
            "200 ok",
        ),
    ]);
    cases
}

fn fields() -> Vec<Answer> {
    let around = |line: &[u8]| {
        [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n", line, b"\r\nX-Last: 1\r\n\r\nok"].concat()
    };
    let mut cases = Vec::new();
    for byte in (0..0x20).chain([0x7f]).filter(|byte| !matches!(byte, b'\t' | b'\n')) {
        let line = [b"X: a", &[byte][..], b"b"].concat();
        cases.push(
            broken(format!("an answer's value with byte {byte:#04x}"), FIELD, around(&line))
                .closes(),
        );
        let line = [b"X", &[byte][..], b"Y: a"].concat();
        cases.push(
            broken(format!("an answer's name with byte {byte:#04x}"), FIELD, around(&line))
                .closes(),
        );
    }
    for byte in b" \t()<>@,;\\\"/[]?={}".iter().copied().chain([0x80, 0xa0, 0xff]) {
        let line = [b"X", &[byte][..], b"Y: a"].concat();
        let shown = char::from(byte);
        cases.push(
            broken(format!("an answer's name with {shown:?}"), FIELD, around(&line)).closes(),
        );
    }
    for line in [
        " X: folded",
        "\tX: folded",
        "X: a\r\n folded",
        "X: a\r\n\tfolded",
        "X:\r\n folded",
        "nonsense",
        "X : a",
        "X\t: a",
        ": a",
        ":",
        " ",
        "X: a\n b",
        "Content-Length : 5",
        "Transfer-Encoding : chunked",
        "Set-Cookie : a=b",
        "HTTP/1.1 200 OK",
    ] {
        cases.push(
            broken(format!("an answer's line {line:?}"), "5, 5.1, 5.2", around(line.as_bytes()))
                .closes(),
        );
    }
    for line in ["X: a\r\r", "X: a\rY: b", "\rX: a", "X\r: a"] {
        cases.push(
            broken(format!("an answer's line {line:?}"), "2.2", around(line.as_bytes())).closes(),
        );
    }
    for (name, line) in [
        ("Location", "http://a/\x01"),
        ("Set-Cookie", "a=\x0b"),
        ("Content-Type", "text/html\x08"),
        ("Location", "/a\0b"),
        ("X-Accel-Redirect", "/a\x01"),
        ("ETag", "\"\x7f\""),
    ] {
        let line = format!("{name}: {line}");
        cases.push(broken(format!("{line:?}"), FIELD, around(line.as_bytes())).closes());
    }
    for size in [70_000, 300_000] {
        let line = format!("X: {}", "y".repeat(size));
        cases.push(
            broken(format!("a field of {size} bytes"), "5.4", around(line.as_bytes())).closes(),
        );
    }
    let many = "X: y\r\n".repeat(20_000);
    cases
        .push(broken("twenty thousand fields", "5.4", around(many.trim_end().as_bytes())).closes());
    cases.extend([
        kept("an answer's value above ASCII", FIELD, around(b"X: \xe9\xff"), "200 ok"),
        kept("an answer's value of nothing", FIELD, around(b"X:"), "200 ok"),
        kept("an answer's value with a tab", FIELD, around(b"X: a\tb"), "200 ok"),
        kept("an answer's name of signs", FIELD, around(b"X!#$%&'*+-.^_`|~: a"), "200 ok"),
    ]);
    cases
}

fn interim() -> Vec<Answer> {
    let ok = after("HTTP/1.1 200 OK");
    let mut cases = Vec::new();
    for line in ["100 Continue", "102 Processing", "103 Early Hints", "199 Odd"] {
        cases.push(kept(
            format!("an interim {line}"),
            INTERIM,
            format!("HTTP/1.1 {line}\r\n\r\n{ok}"),
            "200 ok",
        ));
    }
    let many = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n".repeat(100);
    cases.push(kept("a hundred interim answers", INTERIM, format!("{many}{ok}"), "200 ok"));
    cases.push(
        broken("an interim answer and no other", INTERIM, "HTTP/1.1 100 Continue\r\n\r\n").closes(),
    );
    cases.push(
        broken(
            "an interim answer and half another",
            INTERIM,
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 2",
        )
        .closes(),
    );
    cases.push(
        broken("an interim answer and none", INTERIM, "HTTP/1.1 100 Continue\r\n\r\nhello\r\n\r\n")
            .closes(),
    );
    cases.push(
        broken(
            "an interim answer with a body",
            INTERIM,
            format!("HTTP/1.1 103 x\r\nContent-Length: 2\r\n\r\nok{ok}"),
        )
        .closes(),
    );
    cases.push(
        broken("a bad interim answer", INTERIM, format!("HTTP/1.1 103 x\r\nX: \x01\r\n\r\n{ok}"))
            .closes(),
    );
    cases.push(broken("101 that nobody asked for", "9110 15.2.2", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nhello"));
    cases.push(broken(
        "101 without its fields",
        "9110 15.2.2",
        "HTTP/1.1 101 Switching Protocols\r\n\r\n",
    ));
    cases.push(broken(
        "101 with a length",
        "9110 15.2.2",
        "HTTP/1.1 101 x\r\nContent-Length: 2\r\n\r\nok",
    ));
    cases
}
