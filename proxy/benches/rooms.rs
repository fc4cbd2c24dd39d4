//! What one request costs in the pure rooms: choosing a peer, reading the target, finding the server
//! and the location, rendering a template. `cargo bench -p proxy --bench rooms`

use std::time::Instant;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use proxy::balance::{Method, PeerSettings, Policy, Tried, Upstream, Zone};
use proxy::route::{
    Location, Locations, Map, MapSettings, Names, Pattern, ServerName, Servers, Template, Values,
    Variable, uri,
};

fn main() {
    divan::main();
}

fn upstream(peers: usize, method: Method) -> Upstream<usize> {
    let peers = (0..peers).map(PeerSettings::new).collect();
    Upstream::new(&Zone::new(), "bench", Policy { method }, peers)
}

#[divan::bench(args = [4, 16, 64], threads = [1, 2])]
fn least_conn_pick_and_drop(bencher: Bencher<'_, '_>, peers: usize) {
    let upstream = upstream(peers, Method::LeastConn);
    let now = Instant::now();
    bencher
        .counter(ItemsCount::new(1usize))
        .bench(|| drop(black_box(upstream.pick(&mut Tried::default(), now))));
}

#[divan::bench(args = [4, 16, 64])]
fn round_robin_pick_and_drop(bencher: Bencher<'_, '_>, peers: usize) {
    let upstream = upstream(peers, Method::RoundRobin);
    let now = Instant::now();
    bencher.bench(|| drop(black_box(upstream.pick(&mut Tried::default(), now))));
}

#[divan::bench(args = [4, 16, 64])]
fn consistent_hash_pick_and_drop(bencher: Bencher<'_, '_>, peers: usize) {
    let server = |peer: usize| format!("unix:run/worker-{peer}.sock").into();
    let peers =
        (0..peers).map(|peer| PeerSettings { server: server(peer), ..PeerSettings::new(peer) });
    let policy = Policy { method: Method::ConsistentHash };
    let upstream = Upstream::new(&Zone::new(), "bench", policy, peers.collect());
    let now = Instant::now();
    let mut key = 0u64;
    bencher.bench_local(|| {
        key += 1;
        let mut tried = Tried::keyed(key.to_le_bytes().to_vec());
        drop(black_box(upstream.pick(&mut tried, now)));
    });
}

#[divan::bench(args = ["/", "/chat/room/1?token=abcdef", "/a/../b//c%20d?x"])]
fn parse_target(target: &str) -> bool {
    black_box(uri::parse(black_box(target.as_bytes()))).is_ok()
}

#[divan::bench]
fn choose_server_of_a_hundred(bencher: Bencher<'_, '_>) {
    let mut servers = Servers::new(0);
    for server in 1..100 {
        servers.add(ServerName::Exact(format!("host{server}.example.com")), server);
    }
    servers.add(ServerName::Leading("example.com".into()), 100);
    bencher.bench(|| {
        let exact = servers.choose(black_box(b"host50.example.com")).map(|found| *found.0);
        let wildcard = servers.choose(black_box(b"a.b.example.com")).map(|found| *found.0);
        (exact, wildcard)
    });
}

#[divan::bench]
fn find_location_of_fifty(bencher: Bencher<'_, '_>) {
    let prefix = |text: String| Location {
        pattern: Pattern::Prefix(text),
        value: (),
        auto_redirect: false,
        nested: Locations::default(),
    };
    let all = (0..50).map(|number| prefix(format!("/part{number}/")));
    let locations = Locations::new(all.chain([prefix("/".into())]).collect()).unwrap_or_default();
    bencher.bench(|| locations.find(black_box(b"/part33/room/7")).is_ok());
}

struct Request;

impl Values for Request {
    fn write(&self, _: &Variable, out: &mut Vec<u8>) -> bool {
        out.extend_from_slice(b"websocket");
        true
    }
}

#[divan::bench]
fn render_a_template(bencher: Bencher<'_, '_>) {
    let template = Template::compile("$scheme://$host$request_uri", &Names::new());
    let mut out = Vec::new();
    bencher.bench_local(|| {
        out.clear();
        if let Ok(template) = &template {
            template.render(&Request, &mut out);
        }
        out.len()
    });
}

#[divan::bench]
fn evaluate_a_map(bencher: Bencher<'_, '_>) {
    let settings = MapSettings {
        source: "$http_upgrade",
        default: "upgrade",
        hostnames: false,
        volatile: false,
        entries: &[("", "close")],
    };
    let map = Map::compile(&settings, &mut Names::new());
    let mut out = Vec::new();
    bencher.bench_local(|| {
        out.clear();
        map.as_ref().is_ok_and(|map| map.write(&Request, &mut out))
    });
}
