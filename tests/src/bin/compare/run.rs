//! A whole comparison: the workers, then row by row and round by round, then the report.

use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use rustix::process::{Resource, getrlimit, setrlimit};
use tests::place::Place;
use tests::process::Running;
use tokio::net::UnixStream;

use crate::measure::Bench;
use crate::options::Options;
use crate::peer::{Peer, SOCKETS};
use crate::problem::Problem;
use crate::procfs::Machine;
use crate::report::{Measured, Report};
use crate::rows::{self, Row};

/// How long a worker may take to listen.
const PATIENCE: Duration = Duration::from_secs(15);
/// Files that a front has open beside its connections, with room to spare.
const OTHER_FILES: u64 = 200;

/// Measures what `options` ask for and reports it on stdout.
pub(crate) async fn run(options: &Options) -> Result<(), Problem> {
    let rows = rows::select(&options.rows, options.connections)?;
    let peers = Peer::chosen(options)?;
    allow_files(&rows)?;
    let mut report = Report::new(options, &peers);
    // A file that cannot be written is better known before than after.
    write_json(&report, options)?;
    say(&report.head())?;

    let bench = Bench { place: Place::new(), threads: options.threads, window: options.window() };
    let _workers = start_workers(bench.place.path()).await?;
    let begun = Machine::now(std::process::id())?;
    let outcome = measure_rows(&bench, &rows, &peers, options.rounds(), &mut report).await;
    report.others = Machine::now(std::process::id())?.others_since(&begun);
    // Rows that were complete before a failure are not lost.
    say(&report.table())?;
    write_json(&report, options)?;
    outcome
}

fn write_json(report: &Report, options: &Options) -> Result<(), Problem> {
    options.json.as_deref().map_or(Ok(()), |file| report.write_json(file))
}

async fn measure_rows(
    bench: &Bench,
    rows: &[Row],
    peers: &[Peer],
    rounds: u32,
    report: &mut Report,
) -> Result<(), Problem> {
    for row in rows {
        report.rows.push(measure_row(bench, row, peers, rounds).await?);
    }
    Ok(())
}

async fn measure_row(
    bench: &Bench,
    row: &Row,
    peers: &[Peer],
    rounds: u32,
) -> Result<Measured, Problem> {
    let mut measured = Measured { row: *row, readings: vec![Vec::new(); peers.len()] };
    for round in 1..=rounds {
        let readings = bench.round(row, peers, round).await?;
        let figures: Vec<_> = peers
            .iter()
            .zip(&readings)
            .map(|(peer, reading)| {
                format!("{} {:.2} {}", peer.label, reading.cost, row.gauge.unit())
            })
            .collect();
        progress(&format!("{}, round {round} of {rounds}: {}", row.name, figures.join(", ")));
        for (all, reading) in measured.readings.iter_mut().zip(readings) {
            all.push(reading);
        }
    }
    Ok(measured)
}

/// Raises the limit of open files to what is allowed; children inherit it.
fn allow_files(rows: &[Row]) -> Result<(), Problem> {
    let mut limit = getrlimit(Resource::Nofile);
    let most = rows.iter().map(|row| u64::from(row.connections)).max().unwrap_or(0);
    // Two per tunnel: one to the client, one to the worker.
    let needed = 2 * most + OTHER_FILES;
    match limit.maximum {
        Some(allowed) if allowed < needed => return Err(Problem::Files { needed, allowed }),
        _ => limit.current = limit.maximum,
    }
    setrlimit(Resource::Nofile, limit)
        .map_err(|errno| Problem::io("cannot raise the limit of open files")(errno.into()))
}

async fn start_workers(directory: &Path) -> Result<Vec<Running>, Problem> {
    let own = std::env::current_exe().map_err(Problem::io("cannot find this program"))?;
    let mut workers = Vec::new();
    for socket in SOCKETS {
        let path = directory.join(socket);
        let mut command = Command::new(&own);
        command.arg("worker").arg(&path);
        let worker = Running::start(socket, command);
        let connects = async {
            while UnixStream::connect(&path).await.is_err() {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        if tokio::time::timeout(PATIENCE, connects).await.is_err() {
            let (name, what) = (format!("worker {socket}"), "does not listen in time");
            return Err(Problem::Process { name, what, said: worker.stderr() });
        }
        workers.push(worker);
    }
    Ok(workers)
}

fn say(text: &str) -> Result<(), Problem> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(Problem::io("cannot write to stdout"))
}

fn progress(line: &str) {
    // Nobody has to watch.
    let _closed = writeln!(std::io::stderr(), "{line}");
}
