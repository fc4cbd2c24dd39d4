//! A proxy that is about to run: built and bound, while the process may still become another.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;

use tokio::sync::{mpsc, watch};

use super::budget::Budget;
use super::current::Current;
use super::handover::Handover;
use super::listeners;
use super::proxy::{Error, Proxy};
use super::survey::Survey;
use super::worker;
use crate::balance::Zone;
use crate::config::Config;
use crate::config::model::{EventMethod, LogTarget};
use crate::generation::{self, Generation, LogFiles};
use crate::limit::Zones;
use crate::listen::Parcels;
use crate::net::{Addr, Bound};
use crate::observe::{Counters, ErrorLog, Level, LogFile, errno};

/// A proxy whose listeners are bound and whose logs are open, but which accepts nothing yet.
#[derive(Debug)]
pub struct Prepared {
    zone: Zone<Addr>,
    limits: Zones,
    files: LogFiles,
    generation: Generation,
    bound: Vec<Arc<Bound>>,
}

impl Prepared {
    /// Builds, and binds what is not bound yet.
    pub(super) fn new(config: &Config, known: Vec<Arc<Bound>>) -> Result<Self, Error> {
        let (zone, limits, files) = (Zone::new(), Zones::new(), LogFiles::default());
        let generation = generation::build(config, &zone, &limits, &files)?;
        let bound = listeners::bind(&generation, &known).inspect_err(|error| {
            // Whoever starts it is told anyway; who reads the log afterwards would not know.
            if !(config.error_log.is_empty() || files.uses_stderr()) {
                generation.error_log.log(Level::Emerg, format_args!("{error}"));
            }
        })?;
        listeners::change(&generation, &bound);
        listeners::tell_lent(&known, &bound, &generation.error_log);
        Ok(Self { zone, limits, files, generation, bound })
    }

    /// Whether an error log is standard error.
    pub(super) fn logs_to_stderr(&self) -> bool {
        self.files.uses_stderr()
    }

    /// Gives the log files to a user, who may then open them anew.
    pub(super) fn give_logs_to(&self, uid: u32) {
        self.files.give_to(uid);
    }

    /// Starts the worker threads.
    ///
    /// # Errors
    /// When a thread cannot be started.
    pub fn run(self, config: &Config) -> Result<Proxy, Error> {
        self.run_as(config, false, None)
    }

    /// Starts the worker threads, which keep no capability if they are to be powerless.
    pub(super) fn run_as(
        self,
        config: &Config,
        powerless: bool,
        handover: Option<Handover>,
    ) -> Result<Proxy, Error> {
        let Self { zone, limits: zones, files, generation, bound } = self;
        let threads = threads(config);
        let inherited = handover.as_ref().map_or(0, Handover::descriptors);
        let budget = Budget::new(threads, inherited);
        let limits = budget.limits(config, bound.len());
        let counters = Arc::new(Counters::new(threads));
        let (askers, asked): (Vec<_>, Vec<_>) =
            (0..threads).map(|_| mpsc::unbounded_channel()).unzip();
        let survey = Arc::new(Survey::new(counters.clone(), zone.clone(), askers));
        let current = Current::new(config, generation, bound, &survey, &limits);
        let log = &current.error_log;
        let stood = handover.as_ref().map(|left| (left.connections(), left.pause()));
        let parcels = handover.map_or_else(Vec::new, |mut handover| {
            counters.go_on(handover.counted);
            let past = std::mem::take(&mut handover.past);
            let parcels = handover.unpack(&zone, &zones, &|path| open(&files, path, log));
            survey.go_on(past);
            parcels
        });
        let parcels = Parcels::new(parcels, threads, counters.clone(), current.error_log.clone());
        let (plan, orders) = watch::channel(current.plan(parcels));
        let (alive, all_ended) = mpsc::channel(1);
        let setup = worker::Setup {
            powerless,
            transparent: config.transparent,
            method: config.event_method,
        };
        for (number, asks) in asked.into_iter().enumerate() {
            let orders = (orders.clone(), asks);
            let method =
                worker::start(number, orders, alive.clone(), setup).map_err(Error::Thread)?;
            if number == 0 {
                tell_method(&current.error_log, config.event_method, &method);
            }
        }
        current.announce();
        if let Some(((tunnels, clients), pause)) = stood {
            let pause = pause.as_millis();
            current.error_log.log(
                Level::Notice,
                format_args!(
                    "binary changed: {tunnels} tunnels and {clients} resting clients go on, \
                     after {pause} ms"
                ),
            );
        }
        let alive = Mutex::new(Some(all_ended));
        let current = Mutex::new(current);
        Ok(Proxy { plan, zone, limits: zones, survey, files, threads, budget, current, alive })
    }
}

/// Says how threads learn of bytes; they are all alike.
fn tell_method(log: &ErrorLog, asked: Option<EventMethod>, (method, refused): &worker::Method) {
    if let (Some(EventMethod::IoUring), Some(error)) = (asked, refused) {
        let error = errno(error);
        log.log(Level::Warn, format_args!("io_uring_setup() failed ({error}), using epoll"));
    }
    log.log(Level::Notice, format_args!("using the \"{method}\" event method"));
}

/// The log file that a tunnel's request wanted a line in.
fn open(files: &LogFiles, path: Option<&Path>, log: &ErrorLog) -> Option<Arc<LogFile>> {
    let target = path.map_or(LogTarget::Stderr, |path| LogTarget::File(path.to_owned()));
    let file = files.get(&target);
    file.inspect_err(|problem| log.log(Level::Alert, format_args!("{problem}"))).ok()
}

/// `worker_processes`, or one for each core. Without `master_process` nginx has one process.
fn threads(config: &Config) -> usize {
    let cores = || thread::available_parallelism().map_or(1, std::num::NonZero::get);
    match config.master_process {
        true => config.worker_processes.unwrap_or_else(cores).max(1),
        false => 1,
    }
}
