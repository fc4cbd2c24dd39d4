//! Hostile requests and hostile answers: one interpretation of each message, and the same one sent on.
//!
//! Every case is a row: raw bytes, what must come of them, and the section that says so (of RFC 9112,
//! where no other number is there). They go to the proxy, to the proxy without the kernel's ring, and
//! to nginx, and to the proxy once more in pieces; a worker behind each keeps what it gets, byte for byte. Where nginx does otherwise, the
//! row says why that is worse, and a table is printed.
//! `HOSTILE_ONLY=word` plays the cases with that word in their name.
//!
//! Then requests by chance, 2,000 connections of them (`HOSTILE_LONG=1`: 100,000, or as many as it says;
//! `HOSTILE_SEED` for other ones): three readers must take what the worker got for what the log says.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::too_many_lines,
    reason = "test code throughout: a panic is its verdict, and a list of cases is as long as it is"
)]

mod answer;
mod case;
mod chunks;
mod fields;
mod framings;
mod grammar;
mod hosts;
mod lane;
mod lengths;
mod lines;
mod readers;
mod recorder;
mod report;
mod seen;
mod smuggling;
mod statuses;
mod texts;
mod upgrades;

use std::time::Instant;

use crate::answer::Answer;
use crate::case::Case;
use crate::lane::{Kind, Lane, Lanes};
use crate::report::{Row, judge};

/// Who plays, the reference first.
const WAYS: [Kind; 3] = [Kind::Nginx, Kind::Proxy, Kind::Epoll];

/// What all servers have in common.
const HTTP: &str = "access_log off;
client_header_timeout 2s;
client_body_timeout 2s;
proxy_read_timeout 4s;
proxy_http_version 1.1;
proxy_set_header Connection \"\";
proxy_set_header Host $host;";

/// The places of each server.
const SERVER: &str = "upstream v{lane} { server {worker} max_fails=0; }
server { listen {listen}; server_name front.test;
location / { proxy_pass http://{worker}; }
location /http_host { proxy_pass http://{worker}; proxy_set_header Host $http_host;
    proxy_set_header Connection \"\"; }
location /guide { proxy_pass http://{worker}; proxy_set_header Host $host;
    proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $http_connection; }
location /told { proxy_pass http://{worker}; proxy_set_header Host $host;
    proxy_set_header Upgrade h2c; proxy_set_header Connection upgrade; }
location /passes { proxy_pass http://{worker}; proxy_set_header Host $host;
    proxy_set_header Connection \"\"; proxy_set_header X-Mine $http_x_mine; }
location /here { return 204; }
location /return/ { return 302 http://good$uri; }
location /add/ { add_header X-Path $uri always; return 204; }
location /sub/ { proxy_pass http://{worker}:/new/; proxy_set_header Host $host;
    proxy_set_header Connection \"\"; }
location /set/ { proxy_pass http://{worker}; proxy_set_header Host $host;
    proxy_set_header Connection \"\"; proxy_set_header X-Path $uri; }
location /var/ { proxy_pass http://v{lane}$uri; proxy_set_header Host $host;
    proxy_set_header Connection \"\"; }
}
";

/// A server that keeps its connections to the worker.
const KEEPING: &str = "upstream u{lane} { server {worker} max_fails=0; keepalive 4; }
server { listen {listen}; location / { proxy_pass http://u{lane}; } }
";

#[test]
fn hostile_requests_are_refused_or_sent_on_as_they_were_understood() {
    let only = std::env::var("HOSTILE_ONLY").unwrap_or_default();
    let mut cases: Vec<Case> = Vec::new();
    for family in [
        lengths::cases,
        chunks::cases,
        lines::cases,
        fields::cases,
        hosts::cases,
        upgrades::cases,
        texts::cases,
    ] {
        cases.extend(family());
    }
    cases.retain(|case| case.name.contains(&only));
    let [nginx, ours @ ..] = &WAYS;
    let nginx = played(nginx, &cases, SERVER, |lane, case| case.play(lane, false).to_string());
    let mut rows: Vec<Row> = cases.iter().zip(nginx).map(|(case, nginx)| case.row(nginx)).collect();
    for (way, pieces) in ours.iter().flat_map(|way| [(way, false), (way, true)]) {
        let play = |lane: &Lane, case: &Case| case.play(lane, pieces).to_string();
        let who = if pieces { format!("{way:?} in pieces") } else { format!("{way:?}") };
        for (row, did) in rows.iter_mut().zip(played(way, &cases, SERVER, play)) {
            row.ours.push((who.clone(), did));
        }
    }
    judge("hostile requests", &rows);
}

#[test]
fn hostile_answers_are_a_502_or_cut_and_never_another_requests() {
    let only = std::env::var("HOSTILE_ONLY").unwrap_or_default();
    let mut cases = statuses::cases();
    cases.extend(framings::cases());
    cases.retain(|case| case.name.contains(&only));
    let [nginx, ours @ ..] = &WAYS;
    let nginx = played(nginx, &cases, KEEPING, |lane, case| case.play(lane, false));
    let mut rows: Vec<Row> = cases.iter().zip(nginx).map(|(case, nginx)| case.row(nginx)).collect();
    for (way, pieces) in ours.iter().flat_map(|way| [(way, false), (way, true)]) {
        let play = |lane: &Lane, case: &Answer| case.play(lane, pieces && case.splits);
        let who = if pieces { format!("{way:?} in pieces") } else { format!("{way:?}") };
        for (row, did) in rows.iter_mut().zip(played(way, &cases, KEEPING, play)) {
            row.ours.push((who.clone(), did));
        }
    }
    judge("hostile answers", &rows);
}

#[test]
fn what_a_worker_gets_is_what_the_log_says_for_every_reader() {
    let (number, seed) = smuggling::settings();
    for kind in [Kind::Proxy, Kind::Epoll] {
        smuggling::compare(kind, seed, number);
    }
}

/// Plays the cases with one of them, and gives what came of each.
fn played<C: Sync>(
    kind: &Kind,
    cases: &[C],
    server: &str,
    play: impl Fn(&Lane, &C) -> String + Sync,
) -> Vec<String> {
    let lanes = Lanes::start(*kind, HTTP, server);
    let begun = Instant::now();
    let outcomes = lanes.play(cases, play);
    println!("{kind:?}: {:.1} s", begun.elapsed().as_secs_f32());
    outcomes
}
