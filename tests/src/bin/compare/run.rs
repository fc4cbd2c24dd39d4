//! A whole comparison: the workers, then round by round all scenes, then the report.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::{Resource, getrlimit, setrlimit};
use tests::place::{Place, free_port};
use tests::process::Running;
use tokio::net::UnixStream;

use crate::measure::Bench;
use crate::options::Options;
use crate::peers::{Peer, Peers, SOCKETS};
use crate::problem::Problem;
use crate::procfs::Machine;
use crate::report;
use crate::results::Results;
use crate::rows::{self, Row, Scene};

/// How long a worker may take to listen.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long what was begun may go on when the time is over.
const GRACE: Duration = Duration::from_secs(60);
/// Files that a front has open beside its connections, with room to spare.
const OTHER_FILES: u64 = 400;
/// What a short run measures with more than one number of threads.
const SHORT: [&str; 3] = ["echo-32", "handshake", "get"];

/// Measures what `options` ask for and reports it.
pub(crate) async fn run(options: &Options) -> Result<(), Problem> {
    let rows = rows::select(&options.rows)?;
    let peers = Peers::chosen(options)?;
    let files = allow_files(&rows, options.connections)?;
    let client = client(options)?;
    let mut results = Results::new(options, &peers.found, &rows);
    results.remarks = peers.missing;
    // What cannot be written is better known before than after.
    write(&results, options)?;
    say(&report::head(&results))?;

    let place = Place::new();
    let ports = SOCKETS.map(|_| free_port());
    let _workers = start_workers(place.path(), ports).await?;
    let (window, connections) = (options.window(), options.connections);
    let rates = Vec::new();
    let mut bench = Bench { place, ports, window, connections, files, client, rates };
    let begun = Machine::now(std::process::id())?;
    let measuring = measure(&mut bench, options, &rows, &peers.found, &mut results);
    let limit = options.budget() + GRACE;
    let outcome = tokio::time::timeout(limit, measuring).await.unwrap_or(Err(Problem::Endless));
    results.rates = bench.rates;
    results.others = Machine::now(std::process::id())?.others_since(&begun);
    // What was complete before a failure is not lost.
    say(&report::table(&results))?;
    write(&results, options)?;
    if let Some(directory) = &options.out {
        say(&format!("{}\n", directory.join("report.html").display()))?;
    }
    outcome
}

/// The load generator: the one beside this program, unless the command line has another.
fn client(options: &Options) -> Result<PathBuf, Problem> {
    let beside = || std::env::current_exe().ok()?.parent().map(|dir| dir.join("client"));
    let path = options.client.clone().or_else(beside).unwrap_or_else(|| PathBuf::from("client"));
    if path.is_file() {
        return Ok(path);
    }
    let hint = "build it (cargo build --release -p client) or give --client PATH";
    Err(Problem::NoProgram { path, hint })
}

fn write(results: &Results, options: &Options) -> Result<(), Problem> {
    let Some(directory) = &options.out else { return Ok(()) };
    let cannot = || format!("cannot write into {}", directory.display());
    let put = |name: &str, text: String| fs::write(directory.join(name), text);
    fs::create_dir_all(directory)
        .and_then(|()| put("report.json", format!("{:#}\n", report::json(results))))
        .and_then(|()| put("report.html", report::page(results)))
        .map_err(Problem::io(cannot()))
}

/// All scenes once, then again: when the time is up, each row has as many rounds as there was
/// time for.
async fn measure(
    bench: &mut Bench,
    options: &Options,
    rows: &[&'static Row],
    peers: &[Peer],
    results: &mut Results,
) -> Result<(), Problem> {
    let begun = Instant::now();
    let scenes = rows::scenes(rows);
    for round in 1..=options.rounds() {
        for threads in &options.threads {
            for row in &scenes {
                if !is_wanted(row, round, *threads, options) {
                    continue;
                }
                if begun.elapsed() >= options.budget() {
                    results.remark(format!(
                        "The time was up in round {round} of {}: give it more with --minutes.",
                        options.rounds()
                    ));
                    return Ok(());
                }
                let outcome = bench.round(row, *threads, peers, round).await?;
                let failed = outcome.failed.len();
                for (number, problem) in outcome.failed {
                    let label = peers.get(number).map_or("", |peer| peer.label);
                    results.remark(format!("{label} has no figure for {}: {problem}", row.name));
                }
                results.add(*threads, round, outcome.found);
                progress(&format!(
                    "{:4} s  round {round} of {}, {threads} thread(s): {}{}",
                    begun.elapsed().as_secs(),
                    options.rounds(),
                    row.long_title(options.connections),
                    if failed > 0 { ", not all of them" } else { "" },
                ));
            }
        }
    }
    Ok(())
}

/// Long scenes have fewer rounds, and a short run leaves out what it can spare.
fn is_wanted(row: &Row, round: u32, threads: u32, options: &Options) -> bool {
    let is_first = options.threads.first() == Some(&threads);
    let (rounds, always) = match row.scene {
        Scene::Work(..) => (u32::MAX, !options.quick || SHORT.contains(&row.name)),
        Scene::Latency(_) => (if options.quick { 1 } else { 4 }, !options.quick),
        Scene::Tunnels(_) | Scene::Reload(_) => (if options.quick { 1 } else { 2 }, !options.quick),
        Scene::Start => (u32::MAX, false),
    };
    round <= rounds && (is_first || always)
}

/// Raises the limit of open files to what is allowed; children inherit it. Says what that is.
fn allow_files(rows: &[&Row], most: Option<u32>) -> Result<u64, Problem> {
    let mut limit = getrlimit(Resource::Nofile);
    let held = |row: &&Row| match row.scene {
        Scene::Work(_, connections) | Scene::Latency(connections) | Scene::Reload(connections) => {
            connections.min(most.unwrap_or(u32::MAX))
        }
        Scene::Tunnels(tunnels) => 2 * tunnels.min(most.unwrap_or(u32::MAX)),
        Scene::Start => 1,
    };
    let held = rows.iter().map(held).max().map_or(0, u64::from);
    // Two per tunnel: one to the client, one to the worker.
    let needed = 2 * held + OTHER_FILES;
    match limit.maximum {
        Some(allowed) if allowed < needed => return Err(Problem::Files { needed, allowed }),
        _ => limit.current = limit.maximum,
    }
    let allowed = limit.maximum.unwrap_or(1 << 20);
    setrlimit(Resource::Nofile, limit)
        .map(|()| allowed)
        .map_err(|errno| Problem::io("cannot raise the limit of open files")(errno.into()))
}

async fn start_workers(
    directory: &Path,
    ports: [u16; SOCKETS.len()],
) -> Result<Vec<Running>, Problem> {
    let own = std::env::current_exe().map_err(Problem::io("cannot find this program"))?;
    let mut workers = Vec::new();
    for (socket, port) in SOCKETS.into_iter().zip(ports) {
        let path = directory.join(socket);
        let mut command = Command::new(&own);
        command.arg("worker").arg(&path).arg(format!("127.0.0.1:{port}"));
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
