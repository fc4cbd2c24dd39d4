//! Parity: one body of cases, each played with nginx and with the proxy on the same file, and
//! everything that the client and the worker saw compared.
//!
//! A new case is a few lines in the file of its family. `PARITY_ONLY=word` plays the cases with
//! that word in their name and shows what was seen.
//! `PARITY_OURS=nginx` puts nginx on both sides, which tells a difference between the programs
//! from a case that is not the same twice.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::too_many_lines,
    reason = "test code throughout: a panic is its verdict, and a list of cases is as long as it is"
)]

mod answers;
mod balance;
mod bodies;
mod case;
mod check;
mod differences;
mod differences_framing;
mod differences_passing;
mod errors;
mod evened;
mod files;
mod hashing;
mod heads;
mod limits;
mod locations;
mod logs;
mod passing;
mod phases;
mod proxy_pass;
mod report;
mod returns;
mod rewriting;
mod scene;
mod servers;
mod serving;
mod set_header;
mod status;
mod trailers;
mod upgrade;
mod variables;

use std::collections::HashSet;
use std::env;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use tests::front::Front;

use crate::case::Case;
use crate::report::{Outcome, Report};

/// A heading of the summary, and its cases.
type Family = (&'static str, fn() -> Vec<Case>);

/// Every family of cases.
const FAMILIES: &[Family] = &[
    ("request line and heads", heads::cases),
    ("bodies", bodies::cases),
    ("proxy_set_header", set_header::cases),
    ("proxy_pass", proxy_pass::cases),
    ("what goes to servers", passing::cases),
    ("what comes of answers", answers::cases),
    ("trailers", trailers::cases),
    ("variables", variables::cases),
    ("choice of location", locations::cases),
    ("choice of server", servers::cases),
    ("return and map", returns::cases),
    ("set, if and rewrite", rewriting::cases),
    ("phases", phases::cases),
    ("limits", limits::cases),
    ("how clients are served", serving::cases),
    ("files", files::cases),
    ("errors", errors::cases),
    ("stub_status", status::cases),
    ("upgrade", upgrade::cases),
    ("logs", logs::cases),
    ("balancing", balance::cases),
    ("balancing by key", hashing::cases),
    ("-t", check::cases),
];

#[test]
fn nginx_and_the_proxy_are_equal_but_for_the_chosen_differences() {
    let ours = match env::var("PARITY_OURS").as_deref() {
        Ok("nginx") => Front::Nginx,
        _ => Front::Proxy,
    };
    let only = env::var("PARITY_ONLY").unwrap_or_default();
    let mut cases: Vec<(&str, Case)> = Vec::new();
    for (family, list) in FAMILIES {
        cases.extend(list().into_iter().map(|case| (*family, case)));
    }
    let names: HashSet<&str> = cases.iter().map(|(_, case)| case.name.as_str()).collect();
    assert_eq!(names.len(), cases.len(), "two cases have the same name");
    for known in differences::all() {
        assert!(names.contains(known.case), "a difference in no case: {}", known.case);
    }
    cases.retain(|(_, case)| case.name.contains(&only));

    let report = play_all(&cases, ours, !only.is_empty());
    println!("{report}");
    assert!(report.is_good(), "the fronts differ: see above");
}

/// Plays the cases on several threads: most of their time is spent waiting.
fn play_all(cases: &[(&'static str, Case)], ours: Front, show: bool) -> Report {
    let next = AtomicUsize::new(0);
    let report = Mutex::new(Report::default());
    thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                while let Some((family, case)) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let start = Instant::now();
                    let nginx = scene::play(case, Front::Nginx);
                    if show {
                        let time = start.elapsed().as_millis();
                        println!("== {} ({time} ms)\n{}", case.name, nginx.join("\n"));
                    }
                    let known = match ours {
                        Front::Nginx => None,
                        Front::Proxy => differences::of(&case.name),
                    };
                    let outcome = Outcome::new(&nginx, &scene::play(case, ours), known);
                    report.lock().expect("no thread panicked").add(family, &case.name, outcome);
                }
            });
        }
    });
    let mut report = report.into_inner().expect("no thread panicked");
    report.sort(cases.iter().map(|(_, case)| case.name.as_str()));
    report
}
