//! `status` in the guide: what clients did with real workers is what the proxy says, in JSON and in
//! metrics, which Prometheus' own parsers read.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests are test code too"
)]

use std::io::Write;
use std::net::TcpStream;
use std::process::{Command, Stdio};

use serde_json::Value;
use tests::front::Front;
use tests::guide::{Guide, Setup, Worker};
use tests::place::{self, Place};
use tests::process::{PATIENCE, run, wait_for};
use tungstenite::protocol::CloseFrame;
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::stream::MaybeTlsStream;
use tungstenite::{Message, WebSocket};

const LOCATIONS: &str = "location = /status { status json; } \
                         location = /metrics { status prometheus; } \
                         location = /page { status page; }";

/// What each client says.
const LENGTHS: [usize; 5] = [0, 1, 125, 126, 70_000];

fn guide() -> Guide {
    Setup::new(Front::Proxy, Worker::Echo).threads(2).location(LOCATIONS).start()
}

fn status(guide: &Guide) -> Value {
    serde_json::from_str(&guide.get("/status", "*/*")).unwrap()
}

type Client = WebSocket<MaybeTlsStream<TcpStream>>;

/// A client that has said everything and heard it back.
fn client(guide: &Guide) -> Client {
    let (mut client, _) = tungstenite::connect(guide.uri()).unwrap();
    for length in LENGTHS {
        let message = Message::binary(vec![7; length]);
        client.send(message.clone()).unwrap();
        assert_eq!(client.read().unwrap(), message);
    }
    client
}

fn close(mut client: Client, code: u16) {
    let frame = CloseFrame { code: CloseCode::from(code), reason: "".into() };
    client.close(Some(frame)).unwrap();
    while client.read().is_ok() {}
}

/// The samples of this name whose labels have these values, added up.
fn sum(samples: &[Value], name: &str, labels: &[(&str, &str)]) -> f64 {
    let all = samples.iter().filter(|sample| {
        sample[0] == name && labels.iter().all(|(label, value)| sample[1][label] == **value)
    });
    all.map(|sample| sample[2].as_f64().unwrap()).sum()
}

fn samples(guide: &Guide, dialect: &str, accept: &str) -> Vec<Value> {
    let text = guide.get("/metrics", accept);
    let mut command = Command::new(place::python());
    command.arg(place::repository().join("tests/tests/status.py")).arg(dialect);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut parser = command.spawn().unwrap();
    parser.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let read = parser.wait_with_output().unwrap();
    assert!(read.status.success(), "{text}");
    serde_json::from_slice(&read.stdout).unwrap()
}

#[test]
fn what_clients_did_is_what_is_said() {
    let guide = guide();
    let mut clients: Vec<_> = (0..12).map(|_| client(&guide)).collect();
    for code in [1000, 1000, 3999] {
        close(clients.pop().unwrap(), code);
    }
    let seen = wait_for("the end of three", PATIENCE, || {
        Some(status(&guide)).filter(|seen| seen["tunnels"]["closed"] == 3)
    });
    let tunnels = &seen["tunnels"];
    assert_eq!((&tunnels["tunnels"], &tunnels["opened"]), (&9.into(), &12.into()));
    let said: usize = LENGTHS.iter().sum();
    // Headers of 2 bytes, of 4 and of 10, and the key of each; then the Close of 2.
    let (headers, close) = (3 * 2 + 4 + 10, 2 + 2);
    assert_eq!(tunnels["messages_received"], 12 * LENGTHS.len());
    assert_eq!(tunnels["messages_sent"], 12 * LENGTHS.len());
    assert_eq!(tunnels["bytes_received"], 12 * (said + headers + 4 * 5) + 3 * (close + 4));
    assert_eq!(tunnels["bytes_sent"], 12 * (said + headers) + 3 * close);
    let ends = serde_json::json!([
        { "code": 1000, "by": "client", "count": 2 },
        { "code": 3999, "by": "client", "count": 1 },
    ]);
    assert_eq!(tunnels["ends"], ends);
    let servers = seen["upstreams"][0]["servers"].as_array().unwrap();
    assert_eq!(servers.len(), 4);
    for name in ["opened", "closed", "messages_sent", "bytes_received", "bytes_sent"] {
        let all: u64 = servers.iter().map(|server| server[name].as_u64().unwrap()).sum();
        assert_eq!(tunnels[name], all, "{name}");
    }

    let openmetrics = "application/openmetrics-text;version=1.0.0;q=0.8,text/plain;q=0.5";
    for (dialect, accept) in [("plain", "text/plain"), ("openmetrics", openmetrics)] {
        let samples = samples(&guide, dialect, accept);
        let is = |name: &str, labels: &[(&str, &str)], value: &Value| {
            assert_eq!(Some(sum(&samples, name, labels)), value.as_f64(), "{dialect}: {name}");
        };
        is("proxy_tunnels", &[], &tunnels["tunnels"]);
        is("proxy_tunnels_opened_total", &[], &tunnels["opened"]);
        is("proxy_upstream_server_tunnels", &[("upstream", "websocket")], &tunnels["tunnels"]);
        let ended = &[("code", "3999"), ("by", "client")];
        is("proxy_upstream_server_tunnel_closes_total", ended, &1.into());
        let sent = &[("direction", "sent")];
        is("proxy_upstream_server_tunnel_bytes_total", sent, &tunnels["bytes_sent"]);
        is("proxy_tunnel_bytes_total", sent, &tunnels["bytes_sent"]);
        let count = "proxy_upstream_server_handshake_duration_seconds_count";
        is(count, &[], &12.into());
        let endless = &[("le", "+Inf")];
        is("proxy_tunnel_message_size_bytes_bucket", endless, &(24 * LENGTHS.len()).into());
        is("proxy_upstream_server_state", &[("state", "up")], &4.into());
    }
}

#[test]
fn another_binary_goes_on_counting() {
    let guide = guide();
    let mut clients: Vec<_> = (0..8).map(|_| client(&guide)).collect();
    [1000, 3001].into_iter().for_each(|code| close(clients.pop().unwrap(), code));
    let sums = |seen: &Value| {
        let sums = |all: &Value| {
            let mut all = all.clone();
            let all = all.as_object_mut().unwrap();
            // What the image has counted, rather than the process, and what time changes.
            for name in ["oldest", "busiest", "selected", "requests", "handshake_time"] {
                all.remove(name);
            }
            serde_json::to_string(all).unwrap()
        };
        let servers = seen["upstreams"][0]["servers"].as_array().unwrap();
        servers.iter().chain([&seen["tunnels"]]).map(sums).collect::<Vec<_>>()
    };
    let before = wait_for("the end of two", PATIENCE, || {
        Some(status(&guide)).filter(|seen| seen["tunnels"]["closed"] == 2)
    });
    guide.supervisorctl(&["signal", "USR2", "proxy"]);
    let changed = || guide.front_log().contains("binary changed: 6 tunnels").then_some(());
    wait_for("the binary is changed", PATIENCE, changed);
    let after = status(&guide);
    assert_eq!(sums(&after), sums(&before));
    let requests = |seen: &Value| seen["connections"]["requests"].as_u64().unwrap();
    assert_eq!(requests(&after), requests(&before) + 1);
    let ages = |seen: &Value| seen["tunnels"]["oldest"][0]["age"].as_f64().unwrap();
    assert!(ages(&after) > ages(&before));
    clients.into_iter().for_each(|client| close(client, 1000));
    wait_for("the end of all", PATIENCE, || {
        Some(status(&guide)).filter(|seen| seen["tunnels"]["closed"] == 8)
    });
}

#[test]
fn a_browser_shows_every_server_and_tunnel() {
    let guide = guide();
    let _clients: Vec<_> = (0..4).map(|_| client(&guide)).collect();
    let place = Place::new();
    let mut command = Command::new(place::on_path("chromium"));
    command.args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"]);
    command.args(["--no-first-run", "--disable-background-networking"]);
    command.arg(format!("--user-data-dir={}", place.path().display()));
    // Time enough, in the page's own time, for a few looks.
    command.args(["--virtual-time-budget=5000", "--dump-dom"]);
    command.arg(format!("http://localhost:{}/page", guide.port()));
    let (status, page, said) = run("chromium", command, 3 * PATIENCE);
    assert!(status.success(), "{said}");
    let count = |text: &str| page.matches(text).count();
    assert_eq!(count("class=\"state up\""), 4, "{page}");
    for number in 0..4 {
        assert!(page.contains(&format!("unix:websockets-test_0{number}.sock")), "{page}");
    }
    // The servers' own rows, and a row of each tunnel among the oldest and among the busiest.
    assert_eq!(count(".sock 0\">"), 4 + 2 * 4, "{page}");
    assert!(page.contains(">live</span>"), "{page}");
}
