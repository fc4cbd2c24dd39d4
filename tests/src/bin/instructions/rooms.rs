//! Functions of the pure rooms: choosing a peer, reading a target, finding the server and the
//! location, writing a field's value.

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use proxy::balance::{Method, PeerSettings, Policy, Tried, Upstream, Zone};
use proxy::route::{
    Location, Locations, Map, MapSettings, Names, Pattern, ServerName, Servers, Template, Values,
    Variable, uri,
};
use tests::place::Place;
use tests::process::run;

use crate::callgrind::{Problem, command, counted};

/// Calls in the shorter of the two runs.
const CALLS: u32 = 2000;
/// How long a run under callgrind may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// Every function, in the order of the figures.
pub(crate) const NAMES: [&str; 9] = [
    "pick, least_conn of 4",
    "pick, least_conn of 64",
    "pick, round robin of 4",
    "pick, consistent hash of 4",
    "target, plain",
    "target, with dots and escapes",
    "server of a hundred",
    "location of fifty",
    "field by a template and a map",
];

/// Instructions of one call.
pub(crate) fn count(own: &Path, name: &str) -> Result<u64, Problem> {
    let once = run_counted(own, name, CALLS)?;
    let twice = run_counted(own, name, 2 * CALLS)?;
    Ok(twice.saturating_sub(once) / u64::from(CALLS))
}

fn run_counted(own: &Path, name: &str, calls: u32) -> Result<u64, Problem> {
    let place = Place::new();
    let out = place.join("callgrind.out");
    let mut counting = command(own, &out);
    counting.args(["call", name, &calls.to_string()]);
    let (_, _, said) = run("valgrind", counting, PATIENCE);
    counted(&out, &said)
}

/// Calls one of them so many times.
pub(crate) fn call(name: &str, count: u32) -> Result<(), Problem> {
    match name {
        "pick, least_conn of 4" => pick(Method::LeastConn, 4, count),
        "pick, least_conn of 64" => pick(Method::LeastConn, 64, count),
        "pick, round robin of 4" => pick(Method::RoundRobin, 4, count),
        "pick, consistent hash of 4" => pick(Method::ConsistentHash, 4, count),
        "target, plain" => target(b"/chat/room/1?token=abcdef", count),
        "target, with dots and escapes" => target(b"/a/../b//c%20d?x", count),
        "server of a hundred" => server(count),
        "location of fifty" => location(count),
        "field by a template and a map" => field(count),
        _ => return Err(Problem::NoFunction(name.to_owned())),
    }
    Ok(())
}

fn pick(method: Method, peers: usize, count: u32) {
    let server = |peer: usize| format!("unix:run/worker-{peer}.sock").into();
    let peers =
        (0..peers).map(|peer| PeerSettings { server: server(peer), ..PeerSettings::new(peer) });
    let upstream = Upstream::new(&Zone::new(), "counted", Policy { method }, peers.collect());
    let now = Instant::now();
    for _ in 0..count {
        let mut tried = Tried::keyed(b"a key".to_vec());
        drop(black_box(upstream.pick(black_box(&mut tried), now)));
    }
}

fn target(target: &[u8], count: u32) {
    for _ in 0..count {
        let _read = black_box(uri::parse(black_box(target)));
    }
}

fn server(count: u32) {
    let mut servers = Servers::new(0);
    for server in 1..100 {
        servers.add(ServerName::Exact(format!("host{server}.example.com")), server);
    }
    for _ in 0..count {
        let _found = black_box(servers.choose(black_box(b"host50.example.com")).is_ok());
    }
}

fn location(count: u32) {
    let prefix = |text: String| Location {
        pattern: Pattern::Prefix(text),
        value: (),
        auto_redirect: false,
        nested: Locations::default(),
    };
    let all = (0..50).map(|number| prefix(format!("/part{number}/")));
    let locations = Locations::new(all.chain([prefix("/".into())]).collect()).unwrap_or_default();
    for _ in 0..count {
        let _found = black_box(locations.find(black_box(b"/part33/room/7")).is_ok());
    }
}

/// A request in which every variable is worth the same.
struct Request;

impl Values for Request {
    fn write(&self, _: &Variable, out: &mut Vec<u8>) -> bool {
        out.extend_from_slice(b"websocket");
        true
    }
}

fn field(count: u32) {
    let settings = MapSettings {
        source: "$http_upgrade",
        default: "upgrade",
        hostnames: false,
        volatile: false,
        entries: &[("", "close")],
    };
    let template = Template::compile("$scheme://$host$request_uri", &Names::new());
    let map = Map::compile(&settings, &mut Names::new());
    let (Ok(template), Ok(map)) = (template, map) else { return };
    let mut out = Vec::new();
    for _ in 0..count {
        out.clear();
        template.render(black_box(&Request), &mut out);
        black_box(map.write(black_box(&Request), &mut out));
        black_box(&mut out);
    }
}
