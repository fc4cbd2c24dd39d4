//! The comparison itself, end to end and as short as it goes: every row is there and every echo
//! was verified (the tool fails otherwise). Nothing is said about speed here.

use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use tests::place::{self, Place};
use tests::process::run;

const ROWS: [&str; 8] =
    ["echo-32", "echo-125", "echo-16k", "echo-1m", "get", "handshake", "memory", "memory-idle"];

#[test]
fn a_short_comparison_has_every_row_of_both_fronts() {
    let place = Place::new();
    let json = place.join("figures.json");
    let mut compare = Command::new(env!("CARGO_BIN_EXE_compare"));
    compare.args(["--rounds", "1", "--seconds", "0.2", "--connections", "40"]);
    compare.arg("--nginx").arg(place::nginx()).arg("--proxy").arg(place::binary("proxy"));
    compare.arg("--json").arg(&json);

    let (status, table, said) = run("compare", compare, Duration::from_secs(120));

    assert!(status.success(), "{status}\n{table}\n{said}");
    let figures: Value = serde_json::from_str(&place.read("figures.json")).unwrap();
    let rows = figures["rows"].as_array().unwrap();
    assert_eq!(rows.iter().map(|row| row["name"].as_str().unwrap()).collect::<Vec<_>>(), ROWS);
    for row in rows {
        assert!(table.contains(row["title"].as_str().unwrap()), "{row}\n{table}");
        let labels: Vec<_> = row["peers"].as_array().unwrap().iter().collect();
        assert_eq!(
            labels.iter().map(|peer| &peer["label"]).collect::<Vec<_>>(),
            ["nginx", "proxy"]
        );
        for peer in labels {
            assert_eq!(peer["readings"].as_array().unwrap().len(), 1, "{peer}");
            assert!(peer["cost"]["median"].is_f64(), "{peer}");
            assert_eq!(peer["rate"].is_null(), row["unit"] == "kB", "{peer}");
        }
    }
}

#[test]
fn a_front_that_does_not_start_is_named_with_what_it_said() {
    // ls takes none of nginx's flags, and says so.
    let mut compare = Command::new(env!("CARGO_BIN_EXE_compare"));
    compare.args(["--rows", "get", "--rounds", "1", "--seconds", "0.1"]);
    compare.arg("--nginx").arg(place::nginx()).args(["--proxy", "/bin/ls"]);

    let (status, _, said) = run("compare", compare, Duration::from_secs(60));

    assert_eq!(status.code(), Some(1), "{said}");
    assert!(said.contains("proxy ended at once") && said.contains("ls: "), "{said}");
}
