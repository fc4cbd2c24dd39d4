//! The running proxy, as a program that embeds it sees it.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::budget::Budget;
use super::listeners;
use super::worker::{self, Plan};
use crate::balance::{PeerSnapshot, Zone};
use crate::config::{Config, Problem};
use crate::generation::{self, Chores, Generation, LogFiles};
use crate::limit::Zones;
use crate::listen::{Door, Limits};
use crate::net::{Addr, Bound};
use crate::observe::{Counters, Counts, ErrorLog, Level, errno};
use crate::upstream::Group;

/// Why a proxy did not start, or did not take a new configuration.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The configuration is wrong; the problem says where.
    #[error(transparent)]
    Config(#[from] Problem),
    /// A listening address could not be bound.
    #[error("bind() to {addr} failed ({})", errno(.error))]
    Bind {
        /// The address.
        addr: Addr,
        /// What the system said.
        error: io::Error,
    },
    /// A system call failed.
    #[error("{call} failed ({})", errno(.error))]
    System {
        /// The call, and on what.
        call: String,
        /// What the system said.
        error: io::Error,
    },
    /// It is quitting or has stopped: there is nothing to load a configuration into.
    #[error("the proxy is ending: it takes no new configuration")]
    Ending,
    /// A worker thread could not be started.
    #[error("a worker thread could not be started ({})", errno(.0))]
    Thread(io::Error),
}

impl Error {
    pub(super) fn system(call: &str, error: io::Error) -> Self {
        Self::System { call: call.to_owned(), error }
    }
}

/// The connections of one server of an upstream, as [`Proxy::servers`] reports them.
pub type ServerCounts = PeerSnapshot<Addr>;

/// An upstream and its servers.
#[derive(Debug, Clone)]
pub struct UpstreamCounts {
    /// The upstream's name.
    pub name: String,
    /// Its servers, in the order written.
    pub servers: Vec<ServerCounts>,
}

/// A proxy that runs, on threads of its own.
///
/// Dropping it stops it at once.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use proxy::{Config, Proxy};
///
/// // A whole load balancer, written as nginx.conf is.
/// let config = Config::from_text(
///     "events {}
///      http {
///          upstream workers { least_conn; server unix:a.sock; server unix:b.sock; }
///          server {
///              listen 127.0.0.1:0;
///              location / {
///                  proxy_pass http://workers;
///                  proxy_set_header Connection $http_connection;
///                  proxy_set_header Upgrade $http_upgrade;
///              }
///          }
///      }",
/// )?;
/// let proxy = Proxy::start(&config)?;
/// println!("listening on {}", proxy.listening()[0]);
/// assert_eq!(proxy.counts().connections, 0);
/// assert_eq!(proxy.servers()[0].servers.len(), 2);
///
/// // The same with another server: connections that are open go on.
/// let config = Config::balancer(&["127.0.0.1:0"], &["unix:a.sock", "unix:c.sock"])?;
/// proxy.reload(&config)?;
///
/// // A bad one changes nothing and says where it is bad.
/// let problem = Config::from_text("events {} http { servr {} }").unwrap_err();
/// assert!(problem.to_string().starts_with("unknown directive \"servr\" in "));
///
/// proxy.quit();
/// proxy.stopped().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Proxy {
    plan: watch::Sender<Plan>,
    zone: Zone<Addr>,
    limits: Zones,
    counters: Arc<Counters>,
    files: LogFiles,
    budget: Budget,
    current: Mutex<Current>,
    alive: Mutex<Option<mpsc::Receiver<()>>>,
}

/// What is being served.
#[derive(Debug)]
struct Current {
    bound: Vec<Arc<Bound>>,
    upstreams: Vec<Group>,
    retired: CancellationToken,
    error_log: ErrorLog,
    shutdown_timeout: Option<Duration>,
}

impl Proxy {
    /// Checks a configuration as far as can be without binding anything (nginx: `-t`).
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(config: &Config) -> Result<(), Problem> {
        super::account::account(config)?;
        generation::build(config, &Zone::new(), &Zones::new(), &LogFiles::default()).map(drop)
    }

    /// Binds every listener and starts the worker threads.
    ///
    /// # Errors
    /// The first thing that failed; nothing is left running then.
    pub fn start(config: &Config) -> Result<Self, Error> {
        Self::prepare(config)?.run(config)
    }

    /// Builds and binds, so that a program may drop its privileges before it runs.
    ///
    /// # Errors
    /// The first thing that failed.
    pub fn prepare(config: &Config) -> Result<Prepared, Error> {
        let (zone, limits, files) = (Zone::new(), Zones::new(), LogFiles::default());
        let generation = generation::build(config, &zone, &limits, &files)?;
        let bound = listeners::bind(&generation, &[]).inspect_err(|error| {
            // Whoever starts it is told anyway; who reads the log afterwards would not know.
            if !(config.error_log.is_empty() || files.uses_stderr()) {
                generation.error_log.log(Level::Emerg, format_args!("{error}"));
            }
        })?;
        Ok(Prepared { zone, limits, files, generation, bound })
    }

    /// Takes a new configuration. Listeners that stay keep their queue; requests under way finish
    /// on the old one; tunnels go on.
    ///
    /// # Errors
    /// What is wrong with it; the old one then goes on unchanged.
    pub fn reload(&self, config: &Config) -> Result<(), Error> {
        if !matches!(*self.plan.borrow(), Plan::Serve { .. } | Plan::Pause) {
            return Err(Error::Ending);
        }
        let generation = generation::build(config, &self.zone, &self.limits, &self.files)?;
        let mut current = self.current();
        let bound = listeners::bind(&generation, &current.bound)?;
        listeners::change(&generation, &bound);
        let next = Current::new(config, &generation, bound);
        let limits = self.budget.limits(config, next.bound.len());
        let doors = next.doors(&generation, &self.counters, &limits);
        let old = std::mem::replace(&mut *current, next);
        listeners::leave(old.bound, &current.bound);
        self.plan.send_replace(current.plan(doors, generation.chores));
        old.retired.cancel();
        Ok(())
    }

    /// Where it listens, with the ports that the system chose where the configuration says 0.
    pub fn listening(&self) -> Vec<Addr> {
        self.current().bound.iter().map(|bound| bound.addr().clone()).collect()
    }

    /// The counters at this moment.
    pub fn counts(&self) -> Counts {
        self.counters.read()
    }

    /// The upstreams and what each of their servers has, at this moment.
    pub fn servers(&self) -> Vec<UpstreamCounts> {
        let now = Instant::now();
        let current = self.current();
        let upstreams = current.upstreams.iter().map(Group::shared);
        let counts = upstreams.map(|upstream| UpstreamCounts {
            name: upstream.name.to_string(),
            servers: upstream.balance.snapshot(now),
        });
        counts.collect()
    }

    /// The main error log.
    pub fn error_log(&self) -> ErrorLog {
        self.current().error_log.clone()
    }

    /// Opens every log file anew, after they were renamed (nginx: USR1). One that cannot be opened
    /// is said in the error log, and its old file stays in use.
    pub fn reopen_logs(&self) {
        for (path, error) in self.files.reopen() {
            let (path, error) = (path.display(), errno(&error));
            self.error_log().log(Level::Emerg, format_args!("open() \"{path}\" failed ({error})"));
        }
    }

    /// Accepts nothing more, but keeps its listeners, in whose queues new connections wait for the
    /// next [`Proxy::reload`] (nginx: WINCH).
    pub fn pause(&self) {
        let current = self.current();
        let serves = |plan: &mut Plan| {
            let serves = matches!(plan, Plan::Serve { .. });
            if serves {
                *plan = Plan::Pause;
            }
            serves
        };
        if self.plan.send_if_modified(serves) {
            current.retired.cancel();
        }
    }

    /// Accepts nothing more and ends when the last request and tunnel have, or at
    /// `worker_shutdown_timeout` (nginx: QUIT). [`Proxy::stopped`] tells when.
    pub fn quit(&self) {
        let mut current = self.current();
        listeners::leave(std::mem::take(&mut current.bound), &[]);
        self.plan.send_replace(Plan::Quit(current.shutdown_timeout));
        current.retired.cancel();
    }

    /// Ends at once (nginx: TERM). [`Proxy::stopped`] tells when.
    pub fn stop(&self) {
        let mut current = self.current();
        self.plan.send_replace(Plan::Stop);
        current.retired.cancel();
        current.bound.clear();
    }

    /// Waits until every worker thread has ended.
    pub async fn stopped(&self) {
        // Whoever waits first is told; a second one would wait for nothing.
        let alive = self.alive.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(mut alive) = alive {
            // Nothing is ever sent: this waits for the last sender to go.
            let _ = alive.recv().await;
        }
        self.files.write_all();
    }

    fn current(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.plan.send_replace(Plan::Stop);
    }
}

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
        self.run_as(config, false)
    }

    /// Starts the worker threads, which keep no capability if they are to be powerless.
    pub(super) fn run_as(self, config: &Config, powerless: bool) -> Result<Proxy, Error> {
        let Self { zone, limits: counts, files, generation, bound } = self;
        let counters = Arc::<Counters>::default();
        let current = Current::new(config, &generation, bound);
        let threads = threads(config);
        let budget = Budget::new(threads);
        let limits = budget.limits(config, current.bound.len());
        let doors = current.doors(&generation, &counters, &limits);
        let (plan, orders) = watch::channel(current.plan(doors, generation.chores));
        let (alive, all_ended) = mpsc::channel(1);
        for number in 0..threads {
            worker::start(number, orders.clone(), alive.clone(), powerless)
                .map_err(Error::Thread)?;
        }
        announce(&current);
        let alive = Mutex::new(Some(all_ended));
        let (limits, current) = (counts, Mutex::new(current));
        Ok(Proxy { plan, zone, limits, counters, files, budget, current, alive })
    }
}

impl Current {
    fn new(config: &Config, generation: &Generation, bound: Vec<Arc<Bound>>) -> Self {
        Self {
            bound,
            upstreams: generation.upstreams.clone(),
            retired: CancellationToken::new(),
            error_log: generation.error_log.clone(),
            shutdown_timeout: config.worker_shutdown_timeout,
        }
    }

    /// What the threads are to do.
    fn plan(&self, doors: Vec<Door>, chores: Arc<Chores>) -> Plan {
        let upstreams = self.upstreams.clone();
        let numbers = upstreams.iter().map(|upstream| upstream.current().keepalive.id());
        let first = numbers.min().unwrap_or_default();
        Plan::Serve { doors, upstreams, chores, first }
    }

    /// What the worker threads serve.
    fn doors(
        &self,
        generation: &Generation,
        counters: &Arc<Counters>,
        limits: &Limits,
    ) -> Vec<Door> {
        let doors = generation.doors.iter().zip(&self.bound).map(|(listening, bound)| Door {
            bound: bound.clone(),
            site: listening.site.clone(),
            inside: listening.inside.clone(),
            patience: listening.door.patience,
            nodelay: listening.door.nodelay,
            retired: self.retired.clone(),
            counters: counters.clone(),
            limits: limits.clone(),
        });
        doors.collect()
    }
}

/// `worker_processes`, or one for each core. Without `master_process` nginx has one process.
fn threads(config: &Config) -> usize {
    let cores = || thread::available_parallelism().map_or(1, std::num::NonZero::get);
    match config.master_process {
        true => config.worker_processes.unwrap_or_else(cores).max(1),
        false => 1,
    }
}

/// Says where it listens and to what it balances.
fn announce(current: &Current) {
    let log = &current.error_log;
    for bound in &current.bound {
        log.log(Level::Notice, format_args!("listening on {}", bound.addr()));
    }
    for upstream in current.upstreams.iter().map(Group::shared) {
        let servers = upstream.written.join(", ");
        log.log(Level::Notice, format_args!("balancing \"{}\" over {servers}", upstream.name));
    }
}
