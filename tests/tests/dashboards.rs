//! What watches the proxy: deploy's alerts and dashboard ask for metrics that there are.
#![allow(clippy::unwrap_used, reason = "helpers of tests are test code too")]

use std::collections::BTreeSet;
use std::fs::read_to_string;

use tests::front::Front;
use tests::guide::{Setup, Worker};
use tests::place::repository;

/// The names of all samples.
fn metrics() -> BTreeSet<String> {
    let location = "location = /metrics { status prometheus; }";
    let guide = Setup::new(Front::Proxy, Worker::Echo).location(location).start();
    // Whatever counts from the first tunnel on has been counted.
    drop(guide.hold(1));
    guide.wait_for_connections([0; 4]);
    let text = guide.get("/metrics", "*/*");
    let samples = text.lines().filter(|line| line.starts_with("proxy_"));
    samples.map(|line| line.split(['{', ' ']).next().unwrap().to_owned()).collect()
}

/// The names of metrics in a text.
fn named(text: &str) -> BTreeSet<String> {
    let is_word = |byte: char| byte.is_ascii_alphanumeric() || byte == '_';
    let words = text.split(|byte| !is_word(byte));
    words.filter(|word| word.starts_with("proxy_")).map(str::to_owned).collect()
}

#[test]
fn alerts_and_the_dashboard_ask_for_metrics_that_there_are() {
    let metrics = metrics();
    for (file, at_least) in [("alerts.yml", 9), ("grafana.json", 20)] {
        let text = read_to_string(repository().join("deploy").join(file)).unwrap();
        let named = named(&text);
        assert!(named.len() >= at_least, "{file}: {named:?}");
        let unknown: Vec<_> = named.difference(&metrics).collect();
        assert_eq!(unknown, [""; 0], "{file}");
    }
}

#[test]
fn the_dashboard_is_one() {
    let text = read_to_string(repository().join("deploy/grafana.json")).unwrap();
    let dashboard: serde_json::Value = serde_json::from_str(&text).unwrap();
    let panels = dashboard.get("panels").and_then(|panels| panels.as_array()).unwrap();
    let with_query = panels.iter().filter(|panel| panel.get("targets").is_some());
    assert!(with_query.count() > 15);
    // Panels lie beside and below each other on 24 columns, and no two have a number.
    let of = |panel: &serde_json::Value, name: &str| {
        panel.get("gridPos").and_then(|place| place.get(name)?.as_u64()).unwrap()
    };
    assert!(panels.iter().all(|panel| of(panel, "x") + of(panel, "w") <= 24));
    let numbers: BTreeSet<_> =
        panels.iter().map(|panel| panel.get("id").unwrap().as_u64()).collect();
    assert_eq!(numbers.len(), panels.len());
}
