//! `compare`: what `proxy` costs beside nginx and others, measured side by side in one run.
//!
//! Four lean workers of its own stand behind the fronts, so that the figures are the fronts' alone.
//! Each round starts the fronts afresh, puts the scene's load on them, verifies every byte that comes
//! back, and reads CPU time and memory from `/proc`, or times from `client bench`. `tests/compare`
//! builds and installs what is needed and runs this.
//!
//! The way through it: [`options`] -> [`run`] over the table in [`rows`] -> [`measure`] (a front
//! from [`peers`], a [`load`], figures from [`procfs`]) -> [`results`] -> [`report`].

mod frame;
mod load;
mod measure;
mod options;
mod peers;
mod problem;
mod procfs;
mod report;
mod results;
mod rows;
mod run;
mod stats;
mod worker;

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;
use tokio::signal::unix::{SignalKind, signal};

use crate::options::{Invocation, Mode};
use crate::problem::Problem;

fn main() -> ExitCode {
    let invocation = Invocation::parse();
    let outcome = runtime().and_then(|runtime| runtime.block_on(until_signalled(invocation)));
    match outcome {
        Ok(code) => code,
        Err(problem) => {
            // Nothing is left to do when stderr is gone as well.
            let _ = writeln!(std::io::stderr(), "compare: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn runtime() -> Result<tokio::runtime::Runtime, Problem> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Problem::io("cannot start a runtime"))
}

/// Does what was asked for. A signal drops the work where it stands, and with it every guard:
/// the processes end and the directory goes.
async fn until_signalled(invocation: Invocation) -> Result<ExitCode, Problem> {
    let mut interrupt = listen_for(SignalKind::interrupt())?;
    let mut terminate = listen_for(SignalKind::terminate())?;
    let work = async {
        match invocation.mode {
            Some(Mode::Worker { socket, tcp }) => worker::serve(&socket, tcp).await,
            None => run::run(&invocation.options).await,
        }
    };
    tokio::select! {
        done = work => done.map(|()| ExitCode::SUCCESS),
        _ = interrupt.recv() => Ok(ExitCode::from(130)),
        _ = terminate.recv() => Ok(ExitCode::from(143)),
    }
}

fn listen_for(kind: SignalKind) -> Result<tokio::signal::unix::Signal, Problem> {
    signal(kind).map_err(Problem::io("cannot listen for signals"))
}
