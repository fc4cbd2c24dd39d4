//! How long the body of an answer is (RFC 9112, 6 and 7), and what comes behind its end.

use crate::answer::{Answer, broken, dropped, kept};

const LENGTH: &str = "6.3, 9110 8.6";
const CODING: &str = "6.1, 6.3";
const CHUNK: &str = "7.1";
const CUT: &str = "8";
const BEHIND: &str = "6.3, 9.2";

const LENGTHS: &str = "A length that is none, or one of two, says nothing: the answer is broken (6.3). This nginx \
    takes what comes until the end, or the first of the two.";
const CODINGS: &str = "Of a length and a coding one is wrong, and a coding that is not `chunked` is not known here \
    (6.1, 6.3): the answer is broken. This nginx takes one of them.";
const CHUNKS: &str = "What breaks before the client was told anything is a 502; nginx sends the head, and reads lines \
    that end with a lone LF, and anything for an extension or a trailer.";
const CUTS: &str =
    "A body that is cut off before anything of it has come is a 502 or cut, never whole.";
const KEPT: &str = "Bytes behind an answer are nobody's, and their connection carries nothing else (9.2); nginx \
    drops what it has read of them and goes on with it.";

const EARLY: &str = "A body is sent on as it comes, so that a worker may answer amid it: then the rest is nobody's \
    request. nginx collects it before it asks, and this worker waits.";

/// An answer to somebody else, as a worker might smuggle it in.
const POISON: &str = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison";

fn head(lines: &str) -> String {
    format!("HTTP/1.1 200 OK\r\n{lines}\r\n\r\n")
}

fn chunked(body: &str) -> String {
    head("Transfer-Encoding: chunked") + body
}

pub(crate) fn cases() -> Vec<Answer> {
    let families = [
        (in_pieces(lengths()), LENGTHS),
        (in_pieces(codings()), CODINGS),
        (chunks(), CHUNKS),
        (in_pieces(cuts()), CUTS),
        (behind(), KEPT),
    ];
    let families = families
        .into_iter()
        .flat_map(|(cases, why)| cases.into_iter().map(move |case| case.where_nginx_differs(why)));
    families.collect()
}

fn in_pieces(cases: Vec<Answer>) -> Vec<Answer> {
    cases.into_iter().map(Answer::splits).collect()
}

fn lengths() -> Vec<Answer> {
    let mut cases = Vec::new();
    for value in [
        "+2",
        "-2",
        "-0",
        "",
        " ",
        "2 2",
        "2,2",
        "2, 2",
        "2,",
        ",2",
        "2;",
        "2.0",
        "2e0",
        "0x2",
        "2h",
        "two",
        "\"2\"",
        "2\u{a0}",
        "\u{662}",
        "NaN",
        "%32",
        "2=",
        "9223372036854775808",
        "18446744073709551615",
        "18446744073709551616",
        "18446744073709551618",
        "99999999999999999999999999",
    ] {
        let bytes = head(&format!("Content-Length: {value}")) + "ok";
        cases.push(broken(format!("an answer's length {value:?}"), LENGTH, bytes).closes());
    }
    for (one, two) in [
        ("2", "2"),
        ("2", "3"),
        ("3", "2"),
        ("0", "2"),
        ("2", "0"),
        ("2", "02"),
        ("2", ""),
        ("2", "x"),
    ] {
        let bytes = head(&format!("Content-Length: {one}\r\nContent-Length: {two}")) + "ok";
        cases.push(
            broken(format!("an answer's lengths {one:?} and {two:?}"), LENGTH, bytes).closes(),
        );
        let bytes = head(&format!("content-length: {one}\r\nX: y\r\nContent-Length: {two}")) + "ok";
        cases.push(
            broken(format!("an answer's lengths {one:?} and {two:?} apart"), LENGTH, bytes)
                .closes(),
        );
    }
    cases.extend([
        kept("an answer's length", LENGTH, head("Content-Length: 2") + "ok", "200 ok"),
        kept(
            "an answer's length with zeros",
            LENGTH,
            head("Content-Length: 0002") + "ok",
            "200 ok",
        ),
        kept(
            "an answer's length in spaces",
            LENGTH,
            head("Content-Length:   2  ") + "ok",
            "200 ok",
        ),
        kept("an answer's length of nothing", LENGTH, head("Content-Length: 0"), "200"),
    ]);
    cases
}

fn codings() -> Vec<Answer> {
    let mut cases = Vec::new();
    for value in [
        "identity",
        "gzip",
        "deflate",
        "gzip, chunked",
        "chunked, gzip",
        "chunked, identity",
        "chunked, chunked",
        "chunked,chunked",
        "xchunked",
        "chunkedx",
        "chunked;",
        "chunked; q=1",
        "\"chunked\"",
        "",
        ",",
        "cow",
        "chunked,",
        ",chunked",
        "identity, chunked",
        "chunked\u{a0}",
        "x, y, chunked",
        "chun ked",
        "chunked=1",
    ] {
        let bytes = head(&format!("Transfer-Encoding: {value}")) + "2\r\nok\r\n0\r\n\r\n";
        cases.push(broken(format!("an answer's coding {value:?}"), CODING, bytes).closes());
    }
    for lines in [
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\ntransfer-encoding: identity",
        "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding:\r\nTransfer-Encoding: chunked",
    ] {
        let bytes = head(lines) + "2\r\nok\r\n0\r\n\r\n";
        cases.push(broken(format!("an answer's codings {lines:?}"), CODING, bytes).closes());
    }
    for length in ["0", "2", "12", "99", "x"] {
        let (length, coding) = (format!("Content-Length: {length}"), "Transfer-Encoding: chunked");
        for lines in [format!("{length}\r\n{coding}"), format!("{coding}\r\n{length}")] {
            let bytes = head(&lines) + "2\r\nok\r\n0\r\n\r\n";
            cases.push(broken(format!("an answer with {lines:?}"), "6.3, 11.1", bytes).closes());
        }
    }
    cases.push(
        broken(
            "chunks of HTTP/1.0",
            "6.1",
            "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        )
        .closes(),
    );
    for coding in ["chunked", "Chunked", "CHUNKED", "  chunked  "] {
        let bytes = head(&format!("Transfer-Encoding: {coding}")) + "2\r\nok\r\n0\r\n\r\n";
        cases.push(kept(format!("an answer's coding {coding:?}"), CODING, bytes, "200 ok"));
    }
    cases
}

fn chunks() -> Vec<Answer> {
    let mut cases = Vec::new();
    for (name, body) in [
        ("letters", "zz\r\nok\r\n0\r\n\r\n"),
        ("a minus", "-2\r\nok\r\n0\r\n\r\n"),
        ("a plus", "+2\r\nok\r\n0\r\n\r\n"),
        ("0x", "0x2\r\nok\r\n0\r\n\r\n"),
        ("nothing", "\r\nok\r\n0\r\n\r\n"),
        ("a space in front", " 2\r\nok\r\n0\r\n\r\n"),
        ("a NUL", "2\0\r\nok\r\n0\r\n\r\n"),
        ("too many digits", "10000000000000002\r\nok\r\n0\r\n\r\n"),
        ("the sign bit", "8000000000000002\r\nok\r\n0\r\n\r\n"),
        ("all bits", "ffffffffffffffff\r\nok\r\n0\r\n\r\n"),
        ("words behind it", "2 x\r\nok\r\n0\r\n\r\n"),
        ("less than comes", "2\r\nokay\r\n0\r\n\r\n"),
        ("no end of its data", "2\r\nok0\r\n\r\n"),
        ("two returns", "2\r\r\nok\r\n0\r\n\r\n"),
        ("a return alone", "2\rok\r\n0\r\n\r\n"),
        ("a line feed alone", "2\nok\r\n0\r\n\r\n"),
        ("a line feed behind its data", "2\r\nok\n0\r\n\r\n"),
        ("a line feed at the end", "2\r\nok\r\n0\r\n\n"),
        ("a NUL in an extension", "2;\0\r\nok\r\n0\r\n\r\n"),
        ("a return in an extension", "2;a\rb\r\nok\r\n0\r\n\r\n"),
        ("a trailer without a colon", "2\r\nok\r\n0\r\nT\r\n\r\n"),
        ("a folded trailer", "2\r\nok\r\n0\r\n T: 1\r\n\r\n"),
        ("a trailer with a NUL", "2\r\nok\r\n0\r\nT: \0\r\n\r\n"),
        ("a space in a trailer's name", "2\r\nok\r\n0\r\nT : 1\r\n\r\n"),
        ("an answer in place of a chunk", POISON),
    ] {
        cases.push(
            broken(format!("an answer's chunk of {name}, at once"), CHUNK, chunked(body)).closes(),
        );
        let case = dropped(
            format!("an answer's chunk of {name}, behind its head"),
            CHUNK,
            chunked("3\r\nyes\r\n"),
            "200 cut",
        );
        cases.push(case.behind_the_head(body));
    }
    let long = format!("2;{}\r\nok\r\n0\r\n\r\n", "x".repeat(70_000));
    cases.push(
        dropped("an answer's long extension", "7.1.1", chunked("3\r\nyes\r\n"), "200 cut")
            .behind_the_head(long),
    );
    for (name, body) in [
        ("extensions", "2;a=b\r\nok\r\n0;c\r\n\r\n"),
        ("trailers", "2\r\nok\r\n0\r\nT: 1\r\nContent-Length: 9\r\n\r\n"),
        ("zeros", "0002\r\nok\r\n000\r\n\r\n"),
        ("spaces", "2  \r\nok\r\n0 \r\n\r\n"),
    ] {
        cases.push(kept(format!("an answer's chunks with {name}"), "7.1", chunked(body), "200 ok"));
    }
    cases
}

/// Bodies that end before their end.
fn cuts() -> Vec<Answer> {
    let mut cases = Vec::new();
    for (name, bytes) in [
        ("a length", head("Content-Length: 3") + "ok"),
        ("a long length", head("Content-Length: 3000000") + "ok"),
        ("a length and nothing", head("Content-Length: 3")),
        ("a chunk", chunked("3\r\nok")),
        ("chunks without the last", chunked("2\r\nok\r\n")),
        ("chunks amid a size", chunked("2\r\nok\r\n1")),
        ("the last chunk alone", chunked("2\r\nok\r\n0\r\n")),
        ("a trailer", chunked("2\r\nok\r\n0\r\nT: 1\r\n")),
        ("the last line's end", chunked("2\r\nok\r\n0\r\n\r")),
        ("no chunk at all", chunked("")),
        ("the end of a chunk", chunked("2\r\nok\r")),
    ] {
        cases.push(dropped(format!("cut off: {name}"), CUT, bytes, "200 cut").closes());
    }
    cases.push(
        dropped("an end that only closing tells", "6.3", head("X: y") + "ok", "200 ok").closes(),
    );
    cases.push(
        dropped(
            "an end that only closing tells, of HTTP/1.0",
            "6.3",
            "HTTP/1.0 200 OK\r\n\r\nok",
            "200 ok",
        )
        .closes(),
    );
    cases
}

/// What comes behind the end of an answer is nobody's answer.
fn behind() -> Vec<Answer> {
    let mut cases = Vec::new();
    let answers = [
        ("a length", "GET", head("Content-Length: 2") + "ok", "200 ok"),
        ("no length", "GET", head("Content-Length: 0"), "200"),
        ("chunks", "GET", chunked("2\r\nok\r\n0\r\n\r\n"), "200 ok"),
        ("HEAD", "HEAD", head("Content-Length: 2"), "200"),
        ("HEAD with chunks", "HEAD", head("Transfer-Encoding: chunked"), "200"),
        ("204", "GET", "HTTP/1.1 204 No Content\r\n\r\n".to_owned(), "204"),
        ("304", "GET", "HTTP/1.1 304 Not Modified\r\nETag: \"e\"\r\n\r\n".to_owned(), "304"),
        (
            "304 with a length",
            "GET",
            "HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\n".to_owned(),
            "304",
        ),
        (
            "404",
            "GET",
            "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno".to_owned(),
            "404 no",
        ),
    ];
    let extras = [
        ("an answer", POISON),
        ("a byte", "x"),
        ("a line end", "\r\n"),
        ("a body", "ok"),
        ("half an answer", "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n"),
        ("a last chunk", "0\r\n\r\n"),
        ("a NUL", "\0"),
        ("an interim answer", "HTTP/1.1 100 Continue\r\n\r\n"),
    ];
    for (name, end) in [
        ("a request", "GET /in HTTP/1.1\r\nHost: h\r\n\r\n"),
        ("an upgrade", "GET /in HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n\r\n"),
        ("words", "and all the rest of it"),
    ] {
        let bytes = head("Content-Length: 2") + "ok";
        let case = dropped(
            format!("an answer amid a body that ends with {name}"),
            BEHIND,
            bytes,
            "200 ok",
        );
        cases.push(case.amid(["begin", end]).where_nginx_differs(EARLY));
        let bytes = chunked("2\r\nok\r\n0\r\n\r\n");
        let case =
            dropped(format!("chunks amid a body that ends with {name}"), BEHIND, bytes, "200 ok");
        cases.push(case.amid(["begin", end]).where_nginx_differs(EARLY));
        let bytes = "HTTP/1.1 413 Large\r\nContent-Length: 0\r\n\r\n";
        let case = dropped(format!("413 amid a body that ends with {name}"), BEHIND, bytes, "413");
        cases.push(case.amid(["begin", end]).where_nginx_differs(EARLY));
    }
    for (answer, method, bytes, client) in &answers {
        for (extra, more) in extras {
            cases.push(
                dropped(
                    format!("{extra} behind {answer}, at once"),
                    BEHIND,
                    format!("{bytes}{more}"),
                    client,
                )
                .to(method),
            );
            cases.push(
                dropped(format!("{extra} behind {answer}, later"), BEHIND, bytes, client)
                    .to(method)
                    .behind_the_end(more),
            );
        }
        cases.push(kept(format!("nothing behind {answer}"), BEHIND, bytes, client).to(method));
        let closing = bytes.replacen("\r\n", "\r\nConnection: close\r\n", 1);
        cases.push(dropped(format!("{answer} that closes"), "9.3", closing, client).to(method));
    }
    cases
}
