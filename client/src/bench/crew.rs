//! The threads, and the phases that all of their connections go through together.

use std::cell::RefCell;
use std::ffi::OsString;
use std::io::{self, Write as _};
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use clap::Parser as _;
use rustix::process::{Resource, getrlimit, setrlimit};
use tokio::runtime::{Builder, LocalOptions};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;

use super::options::Options;
use super::pace::pace;
use super::progress::Progress;
use super::report::Report;
use super::tally::{Live, Tally};
use super::target::Target;
use super::work::{self, Context, Phase, Plan};
use crate::handshake::Offer;
use crate::signals::Signals;
use crate::tls::Trust;
use crate::words;

/// Connections that one thread opens at a time: fewer than any server's backlog.
const OPENING: usize = 64;
/// Descriptors beside those of the connections.
const OTHER_FILES: u64 = 64;

/// Does what the command line says. Its first word is what stands behind `bench`.
pub(crate) fn run(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let options =
        Options::parse_from(std::iter::once(OsString::from("client bench")).chain(arguments));
    let outcome = Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| words::os(&error))
        .and_then(|runtime| runtime.block_on(measure(options)));
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(line) => {
            let _closed = writeln!(io::stderr(), "client bench: {line}");
            ExitCode::FAILURE
        }
    }
}

/// Measures and reports: whether all went well.
async fn measure(options: Options) -> Result<bool, String> {
    allow_files(options.connections)?;
    let mut targets = Vec::new();
    for url in &options.urls {
        let offer = Offer { headers: options.header.clone(), ..Offer::default() };
        let trust = Trust { insecure: options.insecure, ca: options.ca.clone() };
        targets
            .push(Target::find(url, offer, &trust).await.map_err(|why| format!("{url}: {why}"))?);
    }
    let mut signals = Signals::take().map_err(|error| words::os(&error))?;
    let plan = Arc::new(Plan { options, targets });
    let mut crew = Crew::start(&plan).map_err(|error| words::os(&error))?;
    let progress = Progress::new(&plan.options);
    let live = crew.live.clone();
    let running = async {
        crew.open().await;
        crew.work(plan.options.duration).await;
    };
    tokio::select! {
        () = running => {}
        () = progress.show(&live) => {}
        _ = signals.next() => {}
    }
    progress.clear();
    let report = Report { options: &plan.options, opened: crew.opened, time: crew.worked() };
    let tally = tokio::select! {
        tally = crew.end() => tally?,
        _ = signals.next() => return Err("left before the connections were closed".to_owned()),
    };
    let text = if plan.options.json { report.json(&tally) } else { report.table(&tally) };
    io::stdout().write_all(text.as_bytes()).map_err(|error| words::os(&error))?;
    Ok(tally.all_failures() == 0)
}

/// Raises the limit of open files as far as it goes.
fn allow_files(connections: u32) -> Result<(), String> {
    let mut limit = getrlimit(Resource::Nofile);
    let needed = u64::from(connections) + OTHER_FILES;
    if let Some(allowed) = limit.maximum.filter(|allowed| *allowed < needed) {
        return Err(format!(
            "{connections} connections need {needed} open files, {allowed} are allowed (ulimit -Hn)"
        ));
    }
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).map_err(|errno| words::os(&errno.into()))
}

/// The threads and what they are told.
struct Crew {
    threads: Vec<JoinHandle<io::Result<Tally>>>,
    phase: watch::Sender<Phase>,
    ready: mpsc::UnboundedReceiver<bool>,
    connections: u32,
    live: Vec<Arc<Live>>,
    begun: Instant,
    /// How long it took until the last connection was open, or was not to be had.
    opened: Duration,
    /// From when to when the connections worked.
    window: Option<(Instant, Instant)>,
}

impl Crew {
    fn start(plan: &Arc<Plan>) -> io::Result<Self> {
        let (phase, told) = watch::channel(Phase::Opening);
        let (tell, ready) = mpsc::unbounded_channel();
        let (mut threads, mut live) = (Vec::new(), Vec::new());
        for number in 0..plan.options.threads() {
            let own = Arc::<Live>::default();
            live.push(Arc::clone(&own));
            let (plan, phase, ready) = (Arc::clone(plan), told.clone(), tell.clone());
            let thread = std::thread::Builder::new().name(format!("bench-{number}"));
            threads.push(thread.spawn(move || {
                let runtime = Builder::new_current_thread()
                    .enable_all()
                    .build_local(LocalOptions::default())?;
                runtime.block_on(Thread { number, plan, live: own, phase, ready }.run())
            })?);
        }
        let (connections, begun) = (plan.options.connections, Instant::now());
        let opened = Duration::ZERO;
        Ok(Self { threads, phase, ready, connections, live, begun, opened, window: None })
    }

    /// Waits until each connection is open or has failed for the first time.
    async fn open(&mut self) {
        let mut any = false;
        for _ in 0..self.connections {
            // Threads that have gone say why at the end.
            let Some(open) = self.ready.recv().await else { break };
            any |= open;
        }
        self.opened = self.begun.elapsed();
        if !any {
            self.phase.send_replace(Phase::Over);
        }
    }

    /// Lets the connections work for so long, unless there are none.
    async fn work(&mut self, time: Duration) {
        if *self.phase.borrow() == Phase::Over {
            return;
        }
        let start = Instant::now();
        self.window = Some((start, start + time));
        self.phase.send_replace(Phase::Working(start + time));
        tokio::time::sleep(time).await;
    }

    /// From when to when, at most until now.
    fn worked(&self) -> Option<(Instant, Instant)> {
        self.window.map(|(start, end)| (start, end.min(Instant::now())))
    }

    /// Ends the work, and says what came of it.
    async fn end(self) -> Result<Tally, String> {
        self.phase.send_replace(Phase::Over);
        let (tell, told) = tokio::sync::oneshot::channel();
        let threads = self.threads;
        // Joining blocks, and signals are still to be heard.
        std::thread::spawn(move || {
            let mut sum = Tally::default();
            let mut outcome = Ok(());
            for thread in threads {
                match thread.join() {
                    Ok(Ok(tally)) => sum.add(&tally),
                    Ok(Err(error)) => outcome = Err(words::os(&error)),
                    Err(_) => outcome = Err("a thread has ended early".to_owned()),
                }
            }
            // Who does not wait any more has said so.
            let _gone = tell.send(outcome.map(|()| sum));
        });
        told.await.unwrap_or_else(|_| Err("a thread has ended early".to_owned()))
    }
}

/// One thread and its share of the connections: every so-manieth of them.
struct Thread {
    number: u32,
    plan: Arc<Plan>,
    live: Arc<Live>,
    phase: watch::Receiver<Phase>,
    ready: mpsc::UnboundedSender<bool>,
}

impl Thread {
    async fn run(self) -> io::Result<Tally> {
        let tally = Rc::<RefCell<Tally>>::default();
        let opening = Rc::new(Semaphore::new(OPENING));
        let mut connections = JoinSet::new();
        let mut turns = Vec::new();
        let share = usize::try_from(self.plan.options.threads()).unwrap_or(1);
        for number in (self.number..self.plan.options.connections).step_by(share) {
            let due = self.plan.options.pace().map(|_| {
                let (turn, due) = mpsc::unbounded_channel();
                turns.push(turn);
                due
            });
            connections.spawn_local(work::run(Context {
                number,
                plan: Arc::clone(&self.plan),
                tally: Rc::clone(&tally),
                live: Arc::clone(&self.live),
                phase: self.phase.clone(),
                due,
                opening: Rc::clone(&opening),
                ready: self.ready.clone(),
            }));
        }
        let over = Phase::over(self.phase.clone());
        let patience = self.plan.options.timeout * 2;
        let all = async { while connections.join_next().await.is_some() {} };
        let clock = async {
            match self.clock(turns).await {
                Ok(()) => std::future::pending().await,
                Err(error) => error,
            }
        };
        // Each operation has its time; who is still there after that is stuck.
        let late = async {
            over.await;
            tokio::time::sleep(patience).await;
        };
        tokio::select! {
            () = all => {}
            () = late => {}
            error = clock => return Err(error),
        }
        Ok(tally.take())
    }

    /// Gives the connections their turns, where there is a rate, until the work is over.
    async fn clock(&self, turns: Vec<mpsc::UnboundedSender<Instant>>) -> io::Result<()> {
        let Some(end) = Phase::begun(self.phase.clone()).await else { return Ok(()) };
        let Some(rate) = self.plan.options.pace() else { return Ok(()) };
        let ours = u32::try_from(turns.len()).unwrap_or(0);
        // Each connection has the same share; the threads' turns lie evenly between each other.
        let all = f64::from(self.plan.options.connections);
        let seconds = all / f64::from(ours) / rate;
        let gap = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
        let offset = f64::from(self.number) / f64::from(self.plan.options.threads());
        let begun = end.checked_sub(self.plan.options.duration).unwrap_or_else(Instant::now);
        let start = begun + gap.min(Duration::from_secs(3600)).mul_f64(offset);
        tokio::select! {
            paced = pace(turns, start, gap, end) => paced,
            () = Phase::over(self.phase.clone()) => Ok(()),
        }
    }
}
