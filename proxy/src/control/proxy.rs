//! The running proxy, as a program that embeds it sees it.

use std::io;
use std::os::fd::RawFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};
use tokio::time::{Instant as Moment, timeout_at};

use super::budget::Budget;
use super::current::Current;
use super::handover::Handover;
use super::listeners;
use super::prepared::Prepared;
use super::room::Room;
use super::survey::Survey;
use super::worker::Plan;
use crate::balance::{PeerSnapshot, Zone};
use crate::config::{Config, Problem};
use crate::generation::{self, LogFiles};
use crate::limit::Zones;
use crate::listen::{Parcel, Parcels};
use crate::net::Addr;
use crate::observe::{Counts, ErrorLog, Level, errno};
use crate::status::Snapshot;
use crate::upstream::Group;

/// How long threads may take to pack, once they do not wait for requests any more.
const GRACE: Duration = Duration::from_secs(3);

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
    /// A descriptor that the process was given at its start is no socket to listen at.
    #[error("the inherited socket #{number} cannot be used ({})", errno(.error))]
    Inherited {
        /// Its number.
        number: RawFd,
        /// What is wrong with it.
        error: io::Error,
    },
    /// A variable that is to name such descriptors does not.
    #[error("invalid socket number \"{text}\" in {variable} environment variable")]
    Environment {
        /// Its name.
        variable: &'static str,
        /// What it says.
        text: String,
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
    pub(super) plan: watch::Sender<Plan>,
    pub(super) zone: Zone<Addr>,
    pub(super) limits: Zones,
    pub(super) survey: Arc<Survey>,
    pub(super) files: LogFiles,
    pub(super) threads: usize,
    pub(super) budget: Budget,
    pub(super) current: Mutex<Current>,
    pub(super) alive: Mutex<Option<mpsc::Receiver<()>>>,
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
        Prepared::new(config, Vec::new())
    }

    /// Takes a new configuration. Listeners that stay keep their queue; requests under way finish
    /// on the old one; tunnels go on.
    ///
    /// # Errors
    /// What is wrong with it; the old one then goes on unchanged.
    pub fn reload(&self, config: &Config) -> Result<(), Error> {
        self.load(config).inspect_err(|error| self.note_failure(error))
    }

    /// Remembers why a reload has failed, for who asks.
    pub(super) fn note_failure(&self, error: &Error) {
        self.survey.fail(error.to_string());
    }

    fn load(&self, config: &Config) -> Result<(), Error> {
        if !self.serves() {
            return Err(Error::Ending);
        }
        let generation = generation::build(config, &self.zone, &self.limits, &self.files)?;
        let mut current = self.current();
        let bound = listeners::bind(&generation, &current.bound)?;
        listeners::change(&generation, &bound);
        let limits = self.budget.limits(config, bound.len());
        let next = Current::new(config, generation, bound, &self.survey, &limits);
        let mut old = std::mem::replace(&mut *current, next);
        listeners::leave(old.leave(), &current.bound);
        self.plan.send_replace(current.plan(self.parcels(Vec::new(), &current)));
        old.retired.cancel();
        Ok(())
    }

    /// Where it listens, with the ports that the system chose where the configuration says 0.
    pub fn listening(&self) -> Vec<Addr> {
        self.current().bound.iter().map(|bound| bound.addr().clone()).collect()
    }

    /// The counters at this moment.
    pub fn counts(&self) -> Counts {
        self.survey.counters.read()
    }

    /// All that is known of it at this moment; nothing when one of its threads does not answer.
    pub async fn status(&self) -> Option<Snapshot> {
        self.survey.look().await
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
        listeners::leave(current.leave(), &[]);
        self.plan.send_replace(Plan::Quit(current.shutdown_timeout));
        current.retired.cancel();
    }

    /// Ends at once (nginx: TERM). [`Proxy::stopped`] tells when.
    pub fn stop(&self) {
        let mut current = self.current();
        self.plan.send_replace(Plan::Stop);
        current.retired.cancel();
        current.leave();
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

    /// Accepts nothing more; every connection that rests and every tunnel, once no request is under
    /// way, at the latest at this moment. And since when the first of them stands still.
    ///
    /// # Errors
    /// The process is out of descriptors: nothing has happened then.
    pub(super) async fn pack(&self, by: Moment) -> io::Result<(Moment, Vec<Parcel>)> {
        let room = Arc::new(Room::for_threads(self.threads)?);
        let (to, mut from) = mpsc::channel(self.threads);
        self.plan.send_replace(Plan::HandOver { by, room, to });
        let (mut first, mut all) = (by, Vec::new());
        for _ in 0..self.threads {
            // None but one that died is later.
            if let Ok(Some((since, parcels))) = timeout_at(by + GRACE, from.recv()).await {
                first = first.min(since);
                all.extend(parcels);
            }
        }
        self.files.write_all();
        Ok((first, all))
    }

    /// Serves as before, and goes on with these connections.
    pub(super) fn go_on(&self, parcels: Vec<Parcel>) {
        let current = self.current();
        self.plan.send_replace(current.plan(self.parcels(parcels, &current)));
    }

    /// What another program image needs to go on with, but for the connections.
    pub(super) fn handover(&self) -> io::Result<Handover> {
        Handover::new(&self.current().bound, self.survey.counters.total())
    }

    /// Adds connections to it.
    pub(super) fn leave_to(&self, handover: &mut Handover, parcels: Vec<Parcel>) {
        handover.pack(parcels, &self.zone, &self.limits);
    }

    /// Whether it serves, or will again.
    pub(super) fn serves(&self) -> bool {
        matches!(*self.plan.borrow(), Plan::Serve { .. } | Plan::Pause)
    }

    /// Waits until every thread has answered; gives whether none has ended that should not have.
    pub(super) async fn is_alive(&self) -> bool {
        self.survey.is_answered().await || !self.serves()
    }

    fn parcels(&self, parcels: Vec<Parcel>, current: &Current) -> Parcels {
        let log = current.error_log.clone();
        Parcels::new(parcels, self.threads, self.survey.counters.clone(), log)
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
