//! Whether anything can be smuggled: what a worker was sent is, for three readers of HTTP, what the proxy's
//! log says was sent.

use std::collections::BTreeMap;
use std::sync::Mutex;

use tests::process::{PATIENCE, try_wait_for};

use crate::grammar::{Chance, connection};
use crate::lane::{Kind, Lane, Lanes};
use crate::readers;
use crate::recorder::{Reply, Then};
use crate::seen;

/// How many connections are made when nobody says, and when somebody wants many.
const USUAL: u64 = 2_000;
const LONG: u64 = 100_000;

/// Of so many, at least so many must come to a request that goes on, and to one that does not: else the
/// grammar is no test.
const SHARE: usize = 5;

/// Methods that all readers know.
const USUAL_METHODS: &[&str] = &["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"];

const HTTP: &str =
    "log_format sent escape=none '$status $upstream_bytes_sent $request_method $request_uri';
client_header_timeout 1s;
client_body_timeout 1s;
keepalive_timeout 1s;
proxy_http_version 1.1;
proxy_set_header Connection \"\";
proxy_set_header Host $host;";

const SERVER: &str = "upstream u{lane} { server {worker} max_fails=0; keepalive 4; }
server { listen {listen}; server_name front.test; access_log {dir}/{lane}.log sent;
    location / { proxy_pass http://u{lane}; }
    location /guide { proxy_pass http://u{lane}; proxy_set_header Host $host;
        proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $http_connection; } }
";

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// What a worker got, connection by connection, and in which lane.
type Got = Vec<(usize, Vec<Vec<u8>>)>;

/// Makes connections of this seed and compares what came of them.
pub(crate) fn compare(kind: Kind, seed: u64, number: u64) {
    let lanes = Lanes::start(kind, HTTP, SERVER);
    let numbers: Vec<u64> = (0..number).collect();
    let sent = Mutex::new(BTreeMap::<usize, Vec<String>>::new());
    let got: Got = lanes.play(&numbers, |lane, number| {
        let raw = connection(&mut Chance::new(seed.wrapping_mul(1_000_003).wrapping_add(*number)));
        let got = visit(lane, &raw, number % 4 == 3);
        let requests = got.iter().flat_map(|bytes| seen::requests(bytes).0);
        let lines = requests.map(|request| {
            let bytes = request.head + request.body.len();
            format!("{bytes} {} {}", request.method, request.target)
        });
        let mut sent = sent.lock().expect("no thread panicked");
        sent.entry(lane.number).or_default().extend(lines);
        (lane.number, got)
    });
    let sent = sent.into_inner().expect("no thread panicked");
    let whole: usize = sent.values().map(Vec::len).sum();
    for (lane, lines) in &sent {
        logged(&lanes, *lane, lines);
    }
    let connections: Vec<Vec<u8>> = got.into_iter().flat_map(|(_, got)| got).collect();
    agree(&connections);
    let tried = usize::try_from(number).expect("a number of tests");
    println!("{kind:?}, seed {seed}: {tried} connections, {whole} requests at the worker");
    assert!(whole > tried / SHARE, "too few requests go on");
}

/// How many connections, and from which seed: `HOSTILE_LONG=1` or a number, `HOSTILE_SEED`.
pub(crate) fn settings() -> (u64, u64) {
    let number = match std::env::var("HOSTILE_LONG").as_deref() {
        Err(_) | Ok("") => USUAL,
        Ok(text) => text.parse().ok().filter(|number| *number > 1).unwrap_or(LONG),
    };
    let seed = std::env::var("HOSTILE_SEED").ok().and_then(|text| text.parse().ok());
    (number, seed.unwrap_or(1))
}

/// Says all of it, in one piece or in many, and gives what the worker got.
fn visit(lane: &Lane, raw: &[u8], pieces: bool) -> Vec<Vec<u8>> {
    let answer = Reply::new(ANSWER, Then::Listen);
    lane.worker.reset(std::iter::repeat_n(answer, 32));
    let said = lane.say(raw, pieces);
    assert!(said.is_some(), "no end of {:?}", String::from_utf8_lossy(raw));
    lane.worker.close();
    lane.worker.visits().into_iter().map(|visit| visit.bytes).collect()
}

/// Compares what a lane's worker got with the lines of its log that say it was asked and has answered.
fn logged(lanes: &Lanes, lane: usize, lines: &[String]) {
    let log = || {
        let text = lanes.read(&format!("{lane}.log"));
        let answered = text.lines().filter_map(|line| line.strip_prefix("200 "));
        answered.map(str::to_owned).collect::<Vec<_>>()
    };
    // A line is written when the client has its answer.
    if try_wait_for(PATIENCE, || (log() == lines).then_some(())).is_some() {
        return;
    }
    let log = log();
    let at = log.iter().zip(lines).position(|(one, other)| one != other);
    let at = at.unwrap_or(log.len().min(lines.len()));
    panic!(
        "lane {lane}: the log has {} requests, the worker {}; the first that differs is number {at}:\n\
         log    {:?}\nworker {:?}",
        log.len(),
        lines.len(),
        log.get(at),
        lines.get(at)
    );
}

/// Whether all readers take the bytes for the same requests, and for good ones.
fn agree(connections: &[Vec<u8>]) {
    let mut wrong = Vec::new();
    let ours: Vec<String> = connections
        .iter()
        .map(|bytes| {
            let (requests, _) = seen::requests(bytes);
            let faults = requests.iter().flat_map(|request| &request.faults);
            wrong.extend(faults.map(|fault| format!("{fault}: {}", show(bytes))));
            let lines = requests.iter().map(|request| {
                format!("{} {} {}", request.method, request.target, request.body.len())
            });
            lines.collect::<Vec<_>>().join(";")
        })
        .collect();
    for (reader, theirs) in readers::read(connections) {
        for ((ours, theirs), bytes) in ours.iter().zip(theirs).zip(connections) {
            if *ours != theirs && !is_strange(ours, &theirs) {
                wrong.push(format!("{reader}: {theirs:?}\n  we: {ours:?}\n  of: {}", show(bytes)));
            }
        }
    }
    let some: Vec<_> = wrong.iter().take(20).cloned().collect();
    assert!(wrong.is_empty(), "{} are taken otherwise:\n{}", wrong.len(), some.join("\n"));
}

/// Whether a reader stops at a method that it does not know, as llhttp does: what it has read before is
/// the same.
fn is_strange(ours: &str, theirs: &str) -> bool {
    let Some((before, why)) = theirs.rsplit_once("! ") else { return false };
    let next = ours.strip_prefix(before).and_then(|next| next.split(' ').next());
    why.starts_with("HPE_INVALID_METHOD") && next.is_some_and(|next| !USUAL_METHODS.contains(&next))
}

fn show(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}
