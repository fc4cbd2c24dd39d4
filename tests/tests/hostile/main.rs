//! Hostile requests and hostile answers: one interpretation of each message, and the same one sent on.
//!
//! Every case is a row: raw bytes, what must come of them, and the section that says so (of RFC 9112,
//! where no other number is there). They go to the proxy, to the proxy without the kernel's ring, and
//! to nginx; a worker behind each keeps what it gets, byte for byte. Where nginx does otherwise, the
//! row says why that is worse, and a table is printed.
//! `HOSTILE_ONLY=word` plays the cases with that word in their name.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::too_many_lines,
    reason = "test code throughout: a panic is its verdict, and a list of cases is as long as it is"
)]

mod case;
mod chunks;
mod fields;
mod hosts;
mod lane;
mod lengths;
mod lines;
mod recorder;
mod report;
mod seen;
mod upgrades;

use std::time::Instant;

use crate::case::Case;
use crate::lane::{Kind, Lanes};
use crate::report::{Row, judge};

/// What all servers have in common.
const HTTP: &str = "access_log off;
client_header_timeout 2s;
client_body_timeout 2s;
proxy_http_version 1.1;
proxy_set_header Connection \"\";
proxy_set_header Host $host;";

/// The places of each server.
const SERVER: &str = "server_name front.test;
location / { proxy_pass http://{worker}; }
location /http_host { proxy_pass http://{worker}; proxy_set_header Host $http_host;
    proxy_set_header Connection \"\"; }
location /guide { proxy_pass http://{worker}; proxy_set_header Host $host;
    proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $http_connection; }
location /told { proxy_pass http://{worker}; proxy_set_header Host $host;
    proxy_set_header Upgrade h2c; proxy_set_header Connection upgrade; }
location /passes { proxy_pass http://{worker}; proxy_set_header Host $host;
    proxy_set_header Connection \"\"; proxy_set_header X-Mine $http_x_mine; }
location /here { return 204; }";

#[test]
fn hostile_requests_are_refused_or_sent_on_as_they_were_understood() {
    let only = std::env::var("HOSTILE_ONLY").unwrap_or_default();
    let mut cases: Vec<Case> = Vec::new();
    for family in
        [lengths::cases, chunks::cases, lines::cases, fields::cases, hosts::cases, upgrades::cases]
    {
        cases.extend(family());
    }
    cases.retain(|case| case.name.contains(&only));
    let play = |kind| {
        let lanes = Lanes::start(kind, HTTP, SERVER);
        let begun = Instant::now();
        let outcomes = lanes.play(&cases, |lane, case| case.play(lane));
        println!("{kind:?}: {:.1} s", begun.elapsed().as_secs_f32());
        outcomes
    };
    let (nginx, proxy, epoll) = (play(Kind::Nginx), play(Kind::Proxy), play(Kind::Epoll));
    let rows =
        cases.iter().zip(nginx).zip(proxy).zip(epoll).map(|(((case, nginx), proxy), epoll)| Row {
            name: &case.name,
            rfc: case.rfc,
            must: case.must().to_string(),
            nginx: nginx.to_string(),
            proxy: proxy.to_string(),
            epoll: epoll.to_string(),
            why: case.why,
        });
    judge("hostile requests", &rows.collect::<Vec<_>>());
}
