//! The clients of one thread, and how many it may have: at the limit nobody is accepted, and
//! whoever waits gets the place of a connection that is kept alive without being used.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Waker;
use std::time::{Duration, Instant};

use tokio::task::yield_now;
use tokio::time::{sleep, timeout};

use crate::http::Client;
use crate::net::{Bound, Stream};
use crate::observe::{ErrorLog, Level};

/// How long a thread without room leaves a new connection to the others.
const MOMENT: Duration = Duration::from_millis(2);

/// How often a thread without room looks whether it has some.
const REST: Duration = Duration::from_millis(50);

/// A shortage is over when nobody has had to wait for this long.
const CALM: Duration = Duration::from_secs(1);

/// How many connections one thread may have open, to clients and to servers together.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    /// nginx: `worker_connections`.
    pub(crate) connections: Option<usize>,
    /// One thread's share of the descriptors that the process may have.
    pub(crate) descriptors: usize,
    /// The last shortage in any thread.
    pub(crate) shortage: Arc<Shortage>,
}

/// When the process was last short of connections.
#[derive(Debug, Default)]
pub(crate) struct Shortage(Mutex<Option<Instant>>);

impl Shortage {
    /// Whether it begins now, rather than goes on.
    fn begins(&self, now: Instant) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = last.replace(now);
        before.is_none_or(|before| now.saturating_duration_since(before) > CALM)
    }
}

/// The clients of one thread that are not in a tunnel.
#[derive(Debug, Clone, Default)]
pub(crate) struct Crowd(Rc<RefCell<BTreeMap<u64, Member>>>);

#[derive(Debug)]
struct Member {
    client: Rc<Client>,
    task: Waker,
}

/// A client's place in the crowd.
#[derive(Debug)]
pub(super) struct Place {
    crowd: Crowd,
    id: u64,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.crowd.0.borrow_mut().remove(&self.id);
    }
}

impl Crowd {
    /// A place for a client whose connection this task runs.
    pub(super) fn enter(&self, client: &Rc<Client>, task: Waker) -> Place {
        let id = client.id;
        self.0.borrow_mut().insert(id, Member { client: client.clone(), task });
        Place { crowd: self.clone(), id }
    }

    /// Whether one more would be too many. A client that is not in a tunnel may need a second
    /// descriptor, for a server.
    pub(super) fn is_full(&self, limits: &Limits) -> bool {
        let open = Stream::open_here();
        let may_become = open + self.0.borrow().len();
        limits.connections.is_some_and(|most| open >= most) || may_become + 2 > limits.descriptors
    }

    /// Waits until there is room; makes some when somebody waits for it.
    pub(super) async fn make_room(&self, bound: &Bound, limits: &Limits, log: &ErrorLog) {
        while self.is_full(limits) {
            if waits(bound).await.is_err() {
                // Without a descriptor to look with there is nothing but to look again.
                sleep(REST).await;
            }
            if !self.is_full(limits) {
                return;
            }
            sleep(MOMENT).await;
            if !matches!(timeout(MOMENT, waits(bound)).await, Ok(Ok(()))) {
                continue;
            }
            let given_up = self.give_up_one();
            if limits.shortage.begins(Instant::now()) {
                limits.tell(given_up, log);
            }
            if given_up {
                // The connection closes when its task has its turn.
                yield_now().await;
                yield_now().await;
            }
            if self.is_full(limits) {
                sleep(REST).await;
            }
        }
    }

    /// Lets the connection end that has been idle for the longest. One that has asked nothing yet
    /// is not idle, but about to ask.
    fn give_up_one(&self) -> bool {
        let members = self.0.borrow();
        let idle = members.values().filter(|member| {
            let client = &member.client;
            client.busy.get() == 0 && client.requests.get() > 0 && !client.patience.get().is_zero()
        });
        let Some(member) = idle.min_by_key(|member| member.client.idle_since.get()) else {
            return false;
        };
        member.client.patience.set(Duration::ZERO);
        member.task.wake_by_ref();
        true
    }
}

async fn waits(bound: &Bound) -> io::Result<()> {
    bound.knock()?.heard().await;
    Ok(())
}

impl Limits {
    /// One line for a shortage, in nginx's words where it has some.
    fn tell(&self, given_up: bool, log: &ErrorLog) {
        let (level, then) = match given_up {
            true => (Level::Warn, "reusing connections"),
            false => (Level::Alert, "new ones wait"),
        };
        match self.connections.filter(|most| *most <= Stream::open_here()) {
            Some(most) => {
                log.log(level, format_args!("{most} worker_connections are not enough, {then}"));
            }
            None => {
                let most = self.descriptors;
                let why = "descriptors for connections are not enough";
                log.log(level, format_args!("{most} {why}, {then} (see worker_rlimit_nofile)"));
            }
        }
    }
}
