//! The counters of one proxy: for each listener what each thread counts of it.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::count::Count;
use super::histogram::{Distribution, Histogram, Scale};

/// What is counted of clients while running. Each thread counts for itself; who asks adds up.
#[derive(Debug)]
pub struct Counters {
    threads: usize,
    /// The number of the connection that was accepted last.
    last: AtomicU64,
    /// What another program image has counted.
    before: Mutex<(u64, u64)>,
    /// By the address as the configuration writes it. One that nobody listens at any more stays:
    /// what it has counted happened.
    listeners: Mutex<Vec<Arc<Listener>>>,
}

/// The counters at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Client connections accepted since the start.
    pub accepted: u64,
    /// Client connections that are open now, tunnels included.
    pub connections: u64,
    /// Those of them on which the head of a request has begun to come.
    pub reading: u64,
    /// Those of them on which nothing is asked.
    pub waiting: u64,
    /// Requests since the start, from their first byte on.
    pub requests: u64,
    /// Tunnels that are open now.
    pub tunnels: u64,
    /// Directions of WebSocket tunnels that have ended in which something came that is no frame.
    pub malformed: u64,
}

impl Counts {
    /// Connections that are being answered, closed after that, or tunnels.
    pub fn writing(&self) -> u64 {
        self.connections.saturating_sub(self.reading).saturating_sub(self.waiting)
    }

    fn add(&mut self, visits: &Visits) {
        self.accepted += visits.accepted.get();
        self.connections += visits.connections.get();
        self.reading += visits.reading.get();
        self.waiting += visits.waiting.get();
        self.requests += visits.requests.get();
        self.tunnels += visits.tunnels.get();
        self.malformed += visits.malformed.get();
    }
}

/// The classes of status that answers have, from 1xx to 5xx.
const CLASSES: usize = 5;

/// What all threads have counted of one listener.
#[derive(Debug)]
pub(crate) struct Listener {
    addr: Box<str>,
    threads: Box<[Arc<Visits>]>,
}

/// What one thread counts of one listener.
#[derive(Debug)]
pub(crate) struct Visits {
    /// The listener's address as the configuration writes it.
    addr: Box<str>,
    accepted: Count,
    connections: Count,
    reading: Count,
    waiting: Count,
    requests: Count,
    tunnels: Count,
    malformed: Count,
    answers: [Count; CLASSES],
    /// How long requests took that became no tunnel.
    times: Histogram,
}

impl Visits {
    fn new(addr: &str) -> Self {
        Self {
            addr: addr.into(),
            accepted: Count::new(),
            connections: Count::new(),
            reading: Count::new(),
            waiting: Count::new(),
            requests: Count::new(),
            tunnels: Count::new(),
            malformed: Count::new(),
            answers: [const { Count::new() }; CLASSES],
            times: Histogram::new(&Scale::MOMENTS),
        }
    }

    fn stage(&self, stage: Stage) -> Option<&Count> {
        match stage {
            Stage::Waiting => Some(&self.waiting),
            Stage::Reading => Some(&self.reading),
            Stage::Writing => None,
        }
    }
}

impl Counters {
    /// Those of so many threads.
    pub(crate) fn new(threads: usize) -> Self {
        Self {
            threads,
            last: AtomicU64::new(0),
            before: Mutex::default(),
            listeners: Mutex::default(),
        }
    }

    /// Reads them all.
    pub fn read(&self) -> Counts {
        let mut counts = Counts::default();
        for listener in self.listeners().iter() {
            listener.threads.iter().for_each(|visits| counts.add(visits));
        }
        let (accepted, requests) = *self.before.lock().unwrap_or_else(PoisonError::into_inner);
        counts.accepted += accepted;
        counts.requests += requests;
        counts
    }

    /// What is counted since the start, rather than open: connections and requests.
    pub(crate) fn total(&self) -> (u64, u64) {
        let counts = self.read();
        (counts.accepted, counts.requests)
    }

    /// Goes on where another program image has left off.
    pub(crate) fn go_on(&self, (accepted, requests): (u64, u64)) {
        self.last.store(accepted, Relaxed);
        *self.before.lock().unwrap_or_else(PoisonError::into_inner) = (accepted, requests);
    }

    /// What is counted at this address.
    pub(crate) fn listener(&self, addr: &str) -> Arc<Listener> {
        let mut listeners = self.listeners();
        if let Some(known) = listeners.iter().find(|known| *known.addr == *addr) {
            return known.clone();
        }
        let new = Arc::new(Listener::new(addr, self.threads));
        listeners.push(new.clone());
        new
    }

    /// The number that names a new connection in the logs, from 1 (nginx: `$connection`).
    pub(crate) fn number(&self) -> u64 {
        self.last.fetch_add(1, Relaxed) + 1
    }

    fn listeners(&self) -> MutexGuard<'_, Vec<Arc<Listener>>> {
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Listener {
    fn new(addr: &str, threads: usize) -> Self {
        let threads = (0..threads).map(|_| Arc::new(Visits::new(addr))).collect();
        Self { addr: addr.into(), threads }
    }

    /// What the thread of this number counts.
    pub(crate) fn of(&self, thread: usize) -> Arc<Visits> {
        self.threads.get(thread).cloned().unwrap_or_else(|| Arc::new(Visits::new("")))
    }

    /// What all have counted.
    pub(crate) fn read(&self) -> Counts {
        let mut counts = Counts::default();
        self.threads.iter().for_each(|visits| counts.add(visits));
        counts
    }

    /// How many answers there were of each class, and how long requests took.
    pub(crate) fn answers(&self) -> ([u64; CLASSES], Distribution) {
        let (mut answers, times) = ([0; CLASSES], Histogram::new(&Scale::MOMENTS));
        for visits in &self.threads {
            answers.iter_mut().zip(&visits.answers).for_each(|(all, one)| *all += one.get());
            visits.times.pour_into(&times);
        }
        (answers, times.read())
    }
}

impl Visits {
    /// One more connection was accepted.
    pub(crate) fn accept(&self) {
        self.accepted.add(1);
    }

    /// One more request has begun to come.
    pub(crate) fn ask(&self) {
        self.requests.add(1);
    }

    /// A request is answered with this status.
    pub(crate) fn answer(&self, status: u16) {
        let class = usize::from(status / 100).wrapping_sub(1);
        if let Some(answers) = self.answers.get(class) {
            answers.add(1);
        }
    }

    /// A request that has become no tunnel has ended after this time.
    pub(crate) fn end(&self, time: Duration) {
        self.times.add_time(time);
    }

    /// One more open connection, for as long as the guard lives. Nothing is asked on it yet.
    pub(crate) fn connection(self: &Arc<Self>) -> Open {
        self.connections.add(1);
        self.waiting.add(1);
        Open { visits: self.clone(), stage: Cell::new(Stage::Waiting) }
    }

    /// One more open tunnel, for as long as the guard lives.
    pub(crate) fn tunnel(self: &Arc<Self>) -> Tunnelled {
        self.tunnels.add(1);
        Tunnelled(self.clone())
    }
}

/// What a client's connection is about, as nginx's `stub_status` tells them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Nothing is asked on it.
    Waiting,
    /// The head of a request has begun to come.
    Reading,
    /// All the rest: it is answered, closed, or a tunnel.
    Writing,
}

/// Counts one connection that is open, for as long as the guard lives.
#[derive(Debug)]
pub(crate) struct Open {
    visits: Arc<Visits>,
    stage: Cell<Stage>,
}

impl Open {
    /// What it is about from now on.
    pub(crate) fn turn(&self, stage: Stage) {
        let before = self.stage.replace(stage);
        if before != stage {
            self.visits.stage(before).into_iter().for_each(|count| count.sub(1));
            self.visits.stage(stage).into_iter().for_each(|count| count.add(1));
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.turn(Stage::Writing);
        self.visits.connections.sub(1);
    }
}

/// Counts one tunnel that is open, for as long as the guard lives.
#[derive(Debug)]
pub(crate) struct Tunnelled(Arc<Visits>);

impl Tunnelled {
    /// The listener that its client came through, as the configuration writes its address.
    pub(crate) fn listener(&self) -> &str {
        &self.0.addr
    }

    /// In so many directions of it came what is no frame.
    pub(crate) fn count_malformed(&self, directions: u64) {
        self.0.malformed.add(directions);
    }
}

impl Drop for Tunnelled {
    fn drop(&mut self) {
        self.0.tunnels.sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_gets_the_sum_of_all_threads_and_listeners() {
        let counters = Counters::new(2);
        counters.go_on((10, 20));
        let [a, b] = ["a", "b"].map(|addr| counters.listener(addr));
        a.of(0).accept();
        a.of(1).accept();
        b.of(1).accept();
        let open = a.of(0).connection();
        let tunnel = b.of(1).tunnel();
        let counts = counters.read();
        assert_eq!((counts.accepted, counts.requests), (13, 20));
        assert_eq!((counts.connections, counts.waiting, counts.tunnels), (1, 1, 1));
        assert_eq!(counters.listener("a").read().accepted, 2, "one that is known goes on");
        assert_eq!(counters.number(), 11);
        drop((open, tunnel));
        assert_eq!((counters.read().connections, counters.read().tunnels), (0, 0));
    }

    #[test]
    fn a_connection_is_about_one_thing_at_a_time() {
        let visits = Arc::new(Visits::new(""));
        let open = visits.connection();
        let stages = |counts: &Counts| (counts.reading, counts.writing(), counts.waiting);
        let read = || {
            let mut counts = Counts::default();
            counts.add(&visits);
            counts
        };
        assert_eq!(stages(&read()), (0, 0, 1));
        open.turn(Stage::Reading);
        assert_eq!(stages(&read()), (1, 0, 0));
        open.turn(Stage::Writing);
        assert_eq!(stages(&read()), (0, 1, 0));
        drop(open);
        assert_eq!(read(), Counts::default());
    }

    #[test]
    fn answers_are_counted_by_class() {
        let listener = Listener::new("a", 2);
        [101, 200, 204, 404, 599].iter().for_each(|status| listener.of(0).answer(*status));
        [0, 99, 600, 999].iter().for_each(|status| listener.of(1).answer(*status));
        listener.of(1).end(Duration::from_secs(1));
        let (answers, times) = listener.answers();
        assert_eq!(answers, [1, 2, 0, 1, 1]);
        assert_eq!((times.count, times.sum), (1, 1.0));
    }
}
