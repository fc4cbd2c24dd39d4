//! Requests that are almost right: a grammar of them, and mutations. The same seed gives the same ones.

/// Stands behind each, often enough that nothing before it can wait for more: whoever takes bytes for a
/// body, a chunk or a head that are none finds a part of this.
const TAIL: &str = "GET /last HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
const TAILS: usize = 8;

/// No length that is announced is more than the tail has.
const LENGTHS: &[&str] = &[
    "0",
    "1",
    "2",
    "3",
    "5",
    "10",
    "38",
    "100",
    "03",
    "+3",
    "-3",
    "3,3",
    "0x3",
    "",
    " 3",
    "3 ",
    "3\t",
    "3;",
    "18446744073709551619",
    "9223372036854775808",
    "\u{b3}",
];
const METHODS: &[&str] =
    &["GET", "POST", "PUT", "HEAD", "OPTIONS", "DELETE", "PATCH", "get", "G_T", "TRACE", "P	OST"];
const TARGETS: &[&str] = &[
    "/",
    "/a",
    "/guide",
    "/http_host",
    "/a?b=c",
    "/a%20b",
    "/a//b",
    "/a/../b",
    "http://good/a",
    "http://good",
    "http://good?q",
    "http://u@good/",
    "*",
    "/a b",
    "/%zz",
    "/caf\u{e9}",
    "/a<b>",
    "/a#b",
    "//evil/a",
    "/\\a",
    "h:80",
];
const VERSIONS: &[&str] =
    &["HTTP/1.1", "HTTP/1.0", "HTTP/1.2", "HTTP/1.10", "HTTP/2.0", "http/1.1", "HTTP/1.1 ", ""];
const CODINGS: &[&str] = &[
    "chunked",
    "Chunked",
    " chunked ",
    "chunked, chunked",
    "identity",
    "gzip, chunked",
    "chunked;q=1",
    "\tchunked",
    "xchunked",
    "",
];
const NAMES: &[&str] = &["", " ", "\t", "_", "(", "\u{e9}", "\0", "\r"];
const ENDS: &[&str] = &["\r\n", "\n", "\r\r\n", "\r", "\r\n ", "\n\r\n"];
const FIELDS: &[&str] = &[
    "X: y",
    "X: \u{e9}",
    "X:",
    "X:y",
    "X",
    "Connection: close",
    "Connection: keep-alive",
    "Connection: X",
    "Connection: Content-Length",
    "Connection: Transfer-Encoding, Host",
    "Upgrade: websocket",
    "Upgrade: h2c",
    "Expect: 100-continue",
    "Expect: x",
    "TE: trailers",
    "Trailer: X",
    "Cookie: a=b",
    "Host: evil",
    "X: a\x01b",
    "X: a\rb",
    "X-Y: GET / HTTP/1.1",
    " folded",
    "Range: bytes=0-1",
    "Content_Length: 3",
    "Transfer_Encoding: chunked",
];
const HOSTS: &[&str] = &["h", "a,b", "", "h:80", "h:x", "[::1]", "H.", "a b", "u@h"];
const SIZES: &[&str] = &[
    "3",
    "03",
    "3;a=b",
    "3 ;a",
    "3;\0",
    "0x3",
    "+3",
    "3\r",
    "g",
    "",
    "fffffffffffffffff",
    "4",
    "2",
    "3 ",
];
const BITS: &[&[u8]] = &[
    b"\r",
    b"\n",
    b"\r\n",
    b"\0",
    b" ",
    b"\t",
    b":",
    b",",
    b";",
    b"\x0b",
    b"\x7f",
    b"\xff",
    b"\r\n\r\n",
    b"\n\n",
    b"0\r\n\r\n",
    b"Content-Length: 3\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"GET /in HTTP/1.1\r\nHost: h\r\n\r\n",
    b"3\r\nabc\r\n",
];

/// Chance, the same for the same seed (xorshift).
#[derive(Debug)]
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, most: usize) -> usize {
        let most = u64::try_from(most).expect("a small number").max(1);
        usize::try_from((self.next() >> 11) % most).expect("a small number")
    }

    fn one_in(&mut self, chances: usize) -> bool {
        self.below(chances) == 0
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
}

/// What a client sends on one connection.
pub(crate) fn connection(chance: &mut Chance) -> Vec<u8> {
    let mut bytes = Vec::new();
    for _ in 0..=chance.below(3) {
        bytes.extend(request(chance));
    }
    let mutations = [0, 0, 0, 1, 1, 2, 3];
    for _ in 0..chance.of(&mutations) {
        mutate(chance, &mut bytes);
    }
    bytes.extend(TAIL.repeat(TAILS).as_bytes());
    bytes
}

fn request(chance: &mut Chance) -> Vec<u8> {
    // Most of it is right, so that something is wrong in one place only.
    let mut usual = |all: &[&'static str]| if chance.one_in(8) { chance.of(all) } else { all[0] };
    let (target, version, host) = (usual(TARGETS), usual(VERSIONS), usual(HOSTS));
    let method = if chance.one_in(12) { chance.of(METHODS) } else { chance.of(&METHODS[..3]) };
    let mut lines = vec![format!("{method} {target} {version}")];
    if !chance.one_in(30) {
        lines.push(format!("Host: {host}"));
    }
    let mut body = String::new();
    match chance.below(8) {
        0..3 => {
            lines.push(length(chance));
            body.push_str("abc");
        }
        3..6 => {
            lines.push(coding(chance));
            body = chunks(chance);
        }
        6 if chance.one_in(2) => {
            lines.extend([length(chance), coding(chance)]);
            body = chunks(chance);
        }
        _ => {}
    }
    for _ in 0..chance.below(3) {
        let at = 1 + chance.below(lines.len());
        lines.insert(at, chance.of(FIELDS).to_owned());
    }
    let mut text = String::new();
    for line in lines {
        text += &line;
        text += if chance.one_in(30) { chance.of(ENDS) } else { "\r\n" };
    }
    text += if chance.one_in(40) { chance.of(ENDS) } else { "\r\n" };
    text += &body;
    latin(&text)
}

fn length(chance: &mut Chance) -> String {
    let value = if chance.one_in(6) { chance.of(LENGTHS) } else { "3" };
    field(chance, "Content-Length", value)
}

fn coding(chance: &mut Chance) -> String {
    let value = if chance.one_in(6) { chance.of(CODINGS) } else { "chunked" };
    field(chance, "Transfer-Encoding", value)
}

fn field(chance: &mut Chance, name: &str, value: &str) -> String {
    let name = if chance.one_in(6) { name.to_lowercase() } else { name.to_owned() };
    let behind = if chance.one_in(15) { chance.of(NAMES) } else { "" };
    format!("{name}{behind}: {value}")
}

fn chunks(chance: &mut Chance) -> String {
    let mut text = String::new();
    for _ in 0..chance.below(3) {
        text += if chance.one_in(10) { chance.of(SIZES) } else { "3" };
        text += if chance.one_in(25) { chance.of(ENDS) } else { "\r\n" };
        text += "abc";
        text += if chance.one_in(25) { chance.of(ENDS) } else { "\r\n" };
    }
    text += if chance.one_in(8) { chance.of(&["00", "0;a", "0 ", "-0", "0x0"]) } else { "0" };
    text += if chance.one_in(25) { chance.of(ENDS) } else { "\r\n" };
    if chance.one_in(6) {
        text += chance.of(FIELDS);
        text += if chance.one_in(4) { chance.of(ENDS) } else { "\r\n" };
    }
    text + if chance.one_in(25) { chance.of(ENDS) } else { "\r\n" }
}

/// Puts something in, takes something out, or writes something twice.
fn mutate(chance: &mut Chance, bytes: &mut Vec<u8>) {
    let at = chance.below(bytes.len());
    let end = (at + 1 + chance.below(8)).min(bytes.len());
    match chance.below(6) {
        0 | 1 => drop(bytes.splice(at..at, chance.of(BITS).iter().copied())),
        2 => drop(bytes.splice(at..end, chance.of(BITS).iter().copied())),
        3 => drop(bytes.drain(at..end)),
        4 => {
            let twice = bytes[at..end].to_vec();
            drop(bytes.splice(at..at, twice));
        }
        _ => bytes[at] ^= 1 << chance.below(8),
    }
}

/// The bytes of these characters' numbers.
fn latin(text: &str) -> Vec<u8> {
    text.chars().map(|char| u8::try_from(char).unwrap_or(b'?')).collect()
}
