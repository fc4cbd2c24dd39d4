//! What one thread says of its tunnels when it is asked.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use super::roster::{Member, Roster};
use super::tally::Tally;
use crate::balance::{Listing, ServerId, Zone};
use crate::net::Addr;
use crate::observe::{Counted, Histogram, Scale, messages_into};
use crate::tunnel::Passed;

/// What a thread is asked.
#[derive(Debug)]
pub(crate) struct Ask {
    /// The servers that are counted: of others, what they had is forgotten.
    pub(crate) known: Arc<HashSet<ServerId>>,
    /// How many tunnels are to be named.
    pub(crate) some: usize,
    /// Where the answer goes.
    pub(crate) to: oneshot::Sender<Share>,
}

/// A thread's tunnels at one moment.
#[derive(Debug)]
pub(crate) struct Share {
    /// All of them.
    pub(crate) whole: Tally,
    /// Those of each server.
    pub(crate) servers: HashMap<ServerId, Tally>,
    /// How long those lasted that have ended.
    pub(crate) lives: Histogram,
    /// How long messages were.
    pub(crate) sizes: Histogram,
    /// Those that have been there for longest, in that order.
    pub(crate) oldest: Vec<Seen>,
    /// Those that have carried most, in that order.
    pub(crate) busiest: Vec<Seen>,
}

/// The tunnels that have ended, for another program image.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Past {
    whole: Tally,
    servers: Vec<(Listing<Addr>, Tally)>,
    lives: Counted,
    sizes: Counted,
}

/// One tunnel.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    /// Who has opened it; nothing over a Unix socket.
    pub(crate) client: Option<SocketAddr>,
    /// Whom it leads to.
    pub(crate) server: ServerId,
    /// For how long it has been there.
    pub(crate) age: Duration,
    /// For how long nothing has moved.
    pub(crate) idle: Duration,
    /// How long the client's answer to the last ping took.
    pub(crate) ping: Option<Duration>,
    /// What it has carried from the client, and to it.
    pub(crate) passed: [Passed; 2],
}

impl Share {
    /// Nothing.
    pub(crate) fn new() -> Self {
        Self {
            whole: Tally::default(),
            servers: HashMap::new(),
            lives: Histogram::new(&Scale::LIVES),
            sizes: Histogram::new(&Scale::SIZES),
            oldest: Vec::new(),
            busiest: Vec::new(),
        }
    }

    /// What another thread has said; so many tunnels are named.
    pub(crate) fn add(&mut self, other: &Self, some: usize) {
        self.whole.add(&other.whole);
        for (server, tally) in &other.servers {
            self.servers.entry(*server).or_default().add(tally);
        }
        other.lives.pour_into(&self.lives);
        other.sizes.pour_into(&self.sizes);
        other.oldest.iter().for_each(|seen| keep(&mut self.oldest, seen, some, Seen::age));
        other.busiest.iter().for_each(|seen| keep(&mut self.busiest, seen, some, Seen::bytes));
    }

    /// What another image is to go on with: this was said when no tunnel was open any more.
    pub(crate) fn bequeath(self, zone: &Zone<Addr>) -> Past {
        let listed = |(server, tally)| Some((zone.listing(server)?, tally));
        Past {
            whole: self.whole,
            servers: self.servers.into_iter().filter_map(listed).collect(),
            lives: self.lives.bequeath(),
            sizes: self.sizes.bequeath(),
        }
    }

    /// What another image has left. Servers that nobody counts here are left out.
    pub(crate) fn inherit(past: Past, zone: &Zone<Addr>) -> Self {
        let share = Self { whole: past.whole, ..Self::new() };
        share.lives.inherit(&past.lives);
        share.sizes.inherit(&past.sizes);
        let known = |(listing, tally)| Some((zone.find(&listing)?, tally));
        Self { servers: past.servers.into_iter().filter_map(known).collect(), ..share }
    }
}

impl Seen {
    fn new(member: &Member, now: Instant) -> Self {
        let reins = &member.reins;
        Self {
            client: reins.client(),
            server: member.server,
            age: reins.age(now),
            idle: reins.idles(now),
            ping: reins.ping(),
            passed: reins.passed(),
        }
    }

    fn age(&self) -> Duration {
        self.age
    }

    fn bytes(&self) -> u64 {
        self.passed.iter().map(|passed| passed.bytes).sum()
    }
}

impl Roster {
    /// What is to be said now.
    pub(crate) fn share(&self, known: &HashSet<ServerId>, some: usize) -> Share {
        let mut share = Share::new();
        messages_into(&share.sizes);
        self.past(|past| {
            past.servers.retain(|server, _| known.contains(server));
            share.whole = past.whole.clone();
            share.servers = past.servers.clone();
            past.lives.pour_into(&share.lives);
        });
        let now = Instant::now();
        self.each(|member| {
            let seen = Seen::new(member, now);
            share.whole.add_open(seen.passed);
            share.servers.entry(member.server).or_default().add_open(seen.passed);
            keep(&mut share.oldest, &seen, some, Seen::age);
            keep(&mut share.busiest, &seen, some, Seen::bytes);
        });
        share
    }
}

/// Keeps the first `some` by what `by` says, the largest first.
fn keep<K: Ord>(kept: &mut Vec<Seen>, seen: &Seen, some: usize, by: impl Fn(&Seen) -> K) {
    let key = by(seen);
    let place = kept.partition_point(|other| by(other) >= key);
    if place < some {
        kept.insert(place, seen.clone());
        kept.truncate(some);
    }
}
