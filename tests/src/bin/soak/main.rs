//! `soak`: the real `proxy` in front of four real workers, with clients that check every byte, while
//! one fault after another befalls all of them.
//!
//! What goes on is drawn from a seed, and so can be asked for again. `tests/soak` builds what is
//! needed and runs this; it ends by itself, with 1 when a promise was broken.
//!
//! The way through it: [`options`] -> [`run`]: a [`stage`] (the proxy, and the workers of a
//! [`fleet`]), clients ([`tunnel`], [`request`]) that tell a [`ledger`], and [`faults`] in a row; when
//! all rests, [`rest`] compares what the proxy says with what is seen from [`outside`].
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "this crate is test code throughout: a panic with a clear message is its verdict"
)]

mod dice;
mod faults;
mod fleet;
mod frame;
mod head;
mod ledger;
mod options;
mod outside;
mod report;
mod request;
mod rest;
mod run;
mod stage;
mod tunnel;

use std::process::ExitCode;

use clap::Parser as _;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::LocalSet;

/// 0 when every promise was kept. A signal drops the work where it stands, and with it every guard:
/// the processes end and the directory goes.
fn main() -> ExitCode {
    let options = options::Options::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let work = LocalSet::new();
    work.block_on(&runtime, async {
        let mut interrupt = signal(SignalKind::interrupt()).unwrap();
        let mut terminate = signal(SignalKind::terminate()).unwrap();
        tokio::select! {
            kept = run::run(&options) => if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE },
            _ = interrupt.recv() => ExitCode::from(130),
            _ = terminate.recv() => ExitCode::from(143),
        }
    })
}
