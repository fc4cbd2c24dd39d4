//! `client bench`: what it counts, against servers that echo well, badly, or not at all.

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::Value;
use tokio_tungstenite::tungstenite::Message;

use crate::support::run::run;
use crate::support::server::{self, Peer};

/// The figures of a run with these arguments, and its exit status.
fn bench(arguments: &[&str]) -> (Value, i32) {
    let all = [&["bench", "--json", "--quiet", "--duration", "0.3"], arguments].concat();
    let outcome = run(&all, "");
    assert_eq!(outcome.err, "", "{outcome:?}");
    (serde_json::from_str(&outcome.out).unwrap(), outcome.status)
}

fn count(figures: &Value, name: &str) -> u64 {
    figures[name].as_u64().unwrap_or_else(|| panic!("{name}: {figures}"))
}

#[test]
fn echoes_are_counted_and_timed() {
    let server = server::tcp(server::echo);
    let sizes = "0..200:5,1k..70k:1,300k:0.1";
    let (figures, status) = bench(&[&server.url, "-c", "7", "-t", "2", "--size", sizes]);
    assert_eq!(status, 0, "{figures}");
    assert!(count(&figures, "operations") >= 7, "{figures}");
    assert_eq!(count(&figures["latency"], "count"), count(&figures, "operations"));
    assert_eq!(count(&figures["opening"], "count"), 7);
    assert_eq!(figures["failures"], serde_json::json!({}));
    assert!(figures["latency"]["p99"].as_f64() >= figures["latency"]["p50"].as_f64());
}

#[test]
fn a_server_that_stalls_makes_all_slow_that_was_due_meanwhile() {
    // One message in ten takes a tenth of a second. Counted from when they were due, most are slow;
    // counted from when they were sent, most are fast.
    let server = server::tcp(async |mut peer: Peer| {
        let mut number = 0;
        while let Some(Ok(message)) = peer.socket.next().await {
            number += 1;
            if number % 10 == 0 {
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
            if message.is_binary() && peer.socket.send(message).await.is_err() {
                return;
            }
        }
    });
    let (figures, status) = bench(&[&server.url, "-c", "1", "--rate", "500"]);
    assert_eq!(status, 0, "{figures}");
    let median = |name: &str| figures[name]["p50"].as_f64().unwrap();
    assert!(median("latency") > 2.0 * median("service"), "{figures}");
    // What was due is counted, whether it was done or not: 500 a second for 0.3 s.
    assert_eq!(count(&figures, "operations") + count(&figures, "not_done"), 150, "{figures}");
}

#[test]
fn a_wrong_echo_is_an_error_and_the_exit_status_says_so() {
    let server = server::tcp(async |mut peer: Peer| {
        while let Some(Ok(message)) = peer.socket.next().await {
            let mut bytes = message.into_data().to_vec();
            bytes.reverse();
            if peer.socket.send(Message::binary(bytes)).await.is_err() {
                return;
            }
        }
    });
    let (figures, status) = bench(&[&server.url, "-c", "2"]);
    assert_eq!((status, count(&figures, "operations")), (1, 0), "{figures}");
    assert!(count(&figures["failures"], "the echo differs from its message") >= 2);
}

#[test]
fn handshakes_idle_connections_and_those_that_come_and_go() {
    let server = server::tcp(server::echo);
    let (figures, status) = bench(&[&server.url, "-m", "handshake", "-c", "4"]);
    assert_eq!(status, 0, "{figures}");
    assert!(count(&figures, "operations") >= 4, "{figures}");

    let (figures, status) = bench(&[&server.url, "-m", "idle", "-c", "50", "--ramp", "0.1"]);
    assert_eq!((status, count(&figures["opening"], "count")), (0, 50), "{figures}");

    let (figures, status) = bench(&[&server.url, "-m", "churn", "-c", "10", "--rate", "100"]);
    assert_eq!(status, 0, "{figures}");
    let came = count(&figures, "operations");
    assert!(came > 0 && count(&figures["opening"], "count") == 10 + came, "{figures}");
}

#[test]
fn connections_are_spread_over_all_urls() {
    let place = tempfile::tempdir().unwrap();
    let (one, other) = (server::tcp(server::echo), place.path().join("x.sock"));
    let other = server::unix(&other, server::echo);
    let (figures, status) = bench(&[&one.url, &other.url, "-c", "4"]);
    assert_eq!((status, count(&figures["opening"], "count")), (0, 4), "{figures}");
    let gone = format!("ws://{}/", server::refusing());
    let (figures, status) = bench(&[&one.url, &gone, "-c", "4", "--rate", "40"]);
    assert_eq!((status, count(&figures["opening"], "count")), (1, 2), "{figures}");
    let refused = count(&figures["failures"], "cannot connect: Connection refused");
    assert!(refused >= 2 && count(&figures, "operations") > 0, "{figures}");
}

#[test]
fn a_plain_get_must_be_answered_well() {
    let url = server::canned("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n");
    let (figures, status) = bench(&[&url.replace("ws:", "http:"), "-m", "http", "-c", "1"]);
    assert_eq!((status, count(&figures, "operations")), (1, 0), "{figures}");
    assert_eq!(count(&figures["failures"], "refused: HTTP 503"), 1, "{figures}");
}

#[test]
fn a_person_gets_a_table_and_is_told_how_it_goes() {
    let server = server::tcp(server::echo);
    let outcome = run(&["bench", &server.url, "-c", "3", "-d", "1.2"], "");
    assert_eq!(outcome.status, 0, "{outcome:?}");
    assert!(outcome.err.contains("/s  3 open  0 failed"), "{outcome:?}");
    for part in ["echo of 32 B, 3 connection(s) to ws://", "p99.9", "latency", "errors        none"]
    {
        assert!(outcome.out.contains(part), "{part}: {outcome:?}");
    }
    let nobody = format!("ws://{}/", server::refusing());
    let outcome = run(&["bench", "-q", &nobody, "-c", "3", "-d", "1"], "");
    assert_eq!(outcome.status, 1);
    let refused = "errors                3  cannot connect: Connection refused\n";
    assert!(outcome.out.ends_with(refused), "{outcome:?}");
}
