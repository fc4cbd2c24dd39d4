//! What a worker makes of a client's frames, good and bad, is the same through the proxy as straight to
//! it: the families of cases are those of the Autobahn test suite.
#![allow(clippy::unwrap_used, reason = "helpers of tests are test code too")]

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::net::UnixStream;

use tests::front::Front;
use tests::guide::{Guide, Setup, Worker};
use tests::process::PATIENCE;

const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;
const LAST: u8 = 0x80;

/// A client's frame: its first byte, and what it carries.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match payload.len() {
        short @ ..126 => frame.push(0x80 | u8::try_from(short).unwrap()),
        long if u16::try_from(long).is_ok() => {
            frame.push(0x80 | 126);
            frame.extend(u16::try_from(long).unwrap().to_be_bytes());
        }
        long => {
            frame.push(0x80 | 127);
            frame.extend(u64::try_from(long).unwrap().to_be_bytes());
        }
    }
    frame.extend(KEY);
    frame.extend(payload.iter().zip(KEY.iter().cycle()).map(|(byte, key)| byte ^ key));
    frame
}

fn close(code: u16, reason: &[u8]) -> Vec<u8> {
    frame(LAST | CLOSE, &[&code.to_be_bytes(), reason].concat())
}

/// What one client sends; a Close of 1000 follows.
struct Case {
    name: String,
    /// In pieces that are sent one by one.
    pieces: Vec<Vec<u8>>,
}

fn case(name: impl Into<String>, frames: &[Vec<u8>]) -> Case {
    Case { name: name.into(), pieces: vec![frames.concat()] }
}

/// The same in pieces of so many bytes.
fn chopped(name: impl Into<String>, frames: &[Vec<u8>], length: usize) -> Case {
    let pieces = frames.concat().chunks(length).map(<[u8]>::to_vec).collect();
    Case { name: name.into(), pieces }
}

fn cases() -> Vec<Case> {
    let mut cases = sizes();
    cases.extend(controls());
    cases.extend(fragments());
    cases.extend(texts());
    cases.extend(closes());
    cases
}

fn sizes() -> Vec<Case> {
    let mut cases = Vec::new();
    for length in [0, 1, 125, 126, 127, 128, 1000, 65_535, 65_536, 200_000] {
        let payload: Vec<u8> = (b'a'..=b'z').cycle().take(length).collect();
        for opcode in [TEXT, BINARY] {
            let whole = [frame(LAST | opcode, &payload)];
            cases.push(case(format!("a message of {length} bytes, {opcode}"), &whole));
            let piece = (length / 7).clamp(1, 997);
            cases.push(chopped(format!("{length} bytes in pieces of {piece}"), &whole, piece));
        }
    }
    for rsv in 1..8 {
        cases.push(case(format!("reserved bits {rsv}"), &[frame(LAST | rsv << 4 | TEXT, b"x")]));
    }
    for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
        let after = frame(LAST | TEXT, b"after");
        cases.push(case(format!("opcode {opcode}"), &[frame(LAST | opcode, b"x"), after]));
    }
    cases.push(case("no mask", &[b"\x81\x02hi".to_vec()]));
    cases.push(case("a length of 2^63", &[[&[0x82, 0xff], &[0xff; 8][..], &KEY].concat()]));
    cases.push(case(
        "a length that could be shorter",
        &[[&[0x82, 0xfe, 0, 1], &KEY[..], b"x"].concat()],
    ));
    cases
}

fn controls() -> Vec<Case> {
    let text = || frame(LAST | TEXT, b"text");
    let mut cases = Vec::new();
    for length in [0, 1, 125, 126, 1000] {
        let payload = vec![b'p'; length];
        let ping = frame(LAST | PING, &payload);
        cases.push(case(format!("a ping of {length} bytes"), &[ping.clone(), text()]));
        cases.push(chopped(format!("the same byte by byte, {length}"), &[ping, text()], 1));
        cases.push(case(
            format!("a pong of {length} bytes"),
            &[frame(LAST | PONG, &payload), text()],
        ));
    }
    cases.push(case("binary in a ping", &[frame(LAST | PING, b"\0\xff\xfe\xfd\xfc\xfb\0\xff")]));
    let ten: Vec<_> = (0..10).map(|n| frame(LAST | PING, &[n])).collect();
    cases.push(case("ten pings", &ten));
    cases.push(chopped("ten pings byte by byte", &ten, 1));
    cases.push(case("a ping in two frames", &[frame(PING, b"a"), frame(LAST, b"b")]));
    cases.push(case("a pong in two frames", &[frame(PONG, b"a"), frame(LAST, b"b")]));
    cases
}

fn fragments() -> Vec<Case> {
    let (first, middle, last) = (frame(TEXT, b"first"), frame(0, b"middle"), frame(LAST, b"last"));
    let ping = frame(LAST | PING, b"ping");
    let text = frame(LAST | TEXT, b"text");
    let each = [first.clone(), middle.clone(), last.clone()];
    vec![
        case("two fragments", &[first.clone(), last.clone()]),
        case("three fragments", &each),
        chopped("three fragments byte by byte", &each, 1),
        case("a ping between fragments", &[first.clone(), ping.clone(), last.clone()]),
        case(
            "pings between all fragments",
            &[ping.clone(), first.clone(), ping.clone(), middle.clone(), ping, last.clone()],
        ),
        case("empty fragments", &[frame(TEXT, b""), frame(0, b""), frame(LAST, b"")]),
        case("an empty last fragment", &[first.clone(), frame(LAST, b"")]),
        case("binary fragments", &[frame(BINARY, b"\0\x01"), frame(LAST, b"\xff")]),
        case("a continuation of nothing", &[last.clone(), text.clone()]),
        case("a continuation of nothing that goes on", &[middle.clone(), text.clone()]),
        case("a continuation of what has ended", &[text.clone(), last.clone(), text.clone()]),
        case("a text within a text", &[first.clone(), text.clone(), last.clone()]),
        case("a binary within a text", &[first.clone(), frame(LAST | BINARY, b"x"), last]),
        case("a Close within a message", &[first, close(1000, b""), middle]),
        case(
            "a hundred fragments",
            &(0..100)
                .map(|n| {
                    frame(
                        match n {
                            0 => TEXT,
                            99 => LAST,
                            _ => 0,
                        },
                        b"piece",
                    )
                })
                .collect::<Vec<_>>(),
        ),
    ]
}

fn texts() -> Vec<Case> {
    let texts: [&[u8]; 14] = [
        "κόσμε".as_bytes(),
        "\u{fffd}\u{10ffff}".as_bytes(),
        b"\0",
        b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited",
        b"\xf4\x90\x80\x80",
        b"\x80",
        b"\xc0\xaf",
        b"\xe0\x80\xaf",
        b"\xf8\x88\x80\x80\x80",
        b"\xfe",
        b"\xed\xa0\x80",
        b"\xed\xaf\xbf\xed\xbf\xbf",
        b"ok\xff",
        b"\xce",
    ];
    let mut cases = Vec::new();
    for text in texts {
        let shown = text.escape_ascii();
        cases.push(case(format!("the text {shown}"), &[frame(LAST | TEXT, text)]));
        let single: Vec<_> = text
            .iter()
            .enumerate()
            .map(|(at, byte)| {
                let first = if at == 0 { TEXT } else { 0 };
                let last = if at + 1 == text.len() { LAST } else { 0 };
                frame(first | last, &[*byte])
            })
            .collect();
        cases.push(case(format!("in fragments of a byte, {shown}"), &single));
        cases.push(case(format!("binary {shown}"), &[frame(LAST | BINARY, text)]));
    }
    cases
}

fn closes() -> Vec<Case> {
    let mut cases = Vec::new();
    let codes = [
        0, 999, 1000, 1001, 1002, 1003, 1004, 1005, 1006, 1007, 1008, 1009, 1010, 1011, 1012, 1013,
        1014, 1015, 1016, 1100, 2000, 2999, 3000, 3999, 4000, 4999, 5000, 65_535,
    ];
    for code in codes {
        cases.push(case(format!("a Close of {code}"), &[close(code, b"")]));
    }
    let text = frame(LAST | TEXT, b"text");
    cases.extend([
        case("a Close without a code", &[frame(LAST | CLOSE, b"")]),
        case("a Close of one byte", &[frame(LAST | CLOSE, b"x")]),
        case("a Close with a reason", &[close(1000, b"reason")]),
        case("a Close with a long reason", &[close(1000, &[b'r'; 123])]),
        case("a Close with a reason that is too long", &[close(1000, &[b'r'; 124])]),
        case("a Close with a reason that is no text", &[close(1000, b"\xce\xba\xff")]),
        case("a Close in two frames", &[frame(CLOSE, &[3, 232]), frame(LAST, b"x")]),
        case("two Closes", &[close(1000, b""), close(1001, b"")]),
        case("a message behind a Close", &[text.clone(), close(1000, b""), text.clone()]),
        case("a ping behind a Close", &[close(1000, b""), frame(LAST | PING, b"x")]),
        chopped("a Close byte by byte", &[text, close(4000, b"reason")], 1),
    ]);
    cases
}

const ASK: &str = "GET / HTTP/1.1\r\nHost: here\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                   Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// What the worker sends behind its handshake, to the end of the connection.
fn verdict(mut stream: impl Read + Write, case: &Case) -> Vec<u8> {
    stream.write_all(ASK.as_bytes()).unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.extend(byte);
    }
    assert!(head.starts_with(b"HTTP/1.1 101 "), "{}", head.escape_ascii());
    let end = close(1000, b"");
    for piece in case.pieces.iter().chain([&end]) {
        // It may have had enough.
        if stream.write_all(piece).is_err() {
            break;
        }
    }
    let mut verdict = Vec::new();
    // A reset behind the last frame is an end, too.
    let _ = stream.read_to_end(&mut verdict);
    verdict
}

/// One worker alone, so that nothing depends on whose turn it is.
fn straight(guide: &Guide, case: &Case) -> Vec<u8> {
    let stream = UnixStream::connect(guide.socket(0)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    verdict(stream, case)
}

fn through(guide: &Guide, case: &Case) -> Vec<u8> {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, guide.port())).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_nodelay(true).unwrap();
    verdict(stream, case)
}

/// Python's library drops echoes behind which a Close has come already, or not, as it happens: its
/// verdicts are not the same twice.
#[test]
fn a_worker_judges_alike_through_the_proxy_and_straight() {
    let guide = Setup::new(Front::Proxy, Worker::Echo).start();
    let cases = cases();
    let mut wrong = Vec::new();
    for case in &cases {
        let (here, there) = (straight(&guide, case), through(&guide, case));
        if here != there {
            let [here, there] = [here, there].map(|bytes| bytes.escape_ascii().to_string());
            wrong.push(format!("{}: {there:.200} is not {here:.200}", case.name));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    println!("{} cases", cases.len());
}
