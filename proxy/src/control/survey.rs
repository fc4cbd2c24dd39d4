//! Asking all threads what they have, and putting it together.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::vitals::vitals;
use crate::balance::{Report, ServerId, State, Zone};
use crate::listen::{Ask, Past, Seen, Share, Tally};
use crate::net::Addr;
use crate::observe::{Counters, Counts};
use crate::status::{
    Answers, End, Generation, Listener, Reload, Server, Snapshot, Source, Traffic, Tunnel, Tunnels,
    Upstream,
};
use crate::tunnel::{By, Side};
use crate::upstream::Group;

/// How many tunnels are named in each order.
const NAMED: usize = 10;

/// How long threads may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Who asks the threads of a proxy.
#[derive(Debug)]
pub(super) struct Survey {
    pub(super) counters: Arc<Counters>,
    zone: Zone<Addr>,
    threads: Vec<mpsc::UnboundedSender<Ask>>,
    served: Mutex<Served>,
    /// What another program image has left.
    before: Mutex<Share>,
}

/// What is served, as far as it is to be seen.
#[derive(Debug)]
struct Served {
    generation: Generation,
    /// Each address as the configuration writes it, and as it is.
    listeners: Vec<(Addr, Addr)>,
    upstreams: Vec<Group>,
}

impl Survey {
    /// One that asks these threads.
    pub(super) fn new(
        counters: Arc<Counters>,
        zone: Zone<Addr>,
        threads: Vec<mpsc::UnboundedSender<Ask>>,
    ) -> Self {
        let generation = Generation { number: 0, loaded: 0.0, reload: None };
        let served = Served { generation, listeners: Vec::new(), upstreams: Vec::new() };
        let (served, before) = (Mutex::new(served), Mutex::new(Share::new()));
        Self { counters, zone, threads, served, before }
    }

    /// Goes on where another image has left off.
    pub(super) fn go_on(&self, past: Past) {
        *self.before() = Share::inherit(past, &self.zone);
    }

    /// What another image is to go on with, when no tunnel is open any more.
    pub(super) async fn bequeath(&self) -> Past {
        let share = timeout(PATIENCE, self.ask()).await;
        share.map_or_else(|_| Past::default(), |share| share.bequeath(&self.zone))
    }

    /// Something else is served from now on.
    pub(super) fn serve(&self, listeners: Vec<(Addr, Addr)>, upstreams: Vec<Group>) {
        let mut served = self.served();
        let (number, loaded) = (served.generation.number + 1, seconds_since_1970());
        let reload = (number > 1).then_some(Reload { time: loaded, error: None });
        let generation = Generation { number, loaded, reload };
        *served = Served { generation, listeners, upstreams };
    }

    /// Nothing else is, for this reason.
    pub(super) fn fail(&self, why: String) {
        let reload = Reload { time: seconds_since_1970(), error: Some(why) };
        self.served().generation.reload = Some(reload);
    }

    /// Everything; nothing when a thread does not answer.
    pub(super) async fn look(&self) -> Option<Snapshot> {
        let mut share = timeout(PATIENCE, self.ask()).await.ok()?;
        let process = vitals();
        let now = Instant::now();
        let served = self.served();
        let mut names = HashMap::new();
        let upstreams = served.upstreams.iter().map(|group| {
            let upstream = group.shared();
            let reports = upstream.balance.report(&self.zone, now);
            let servers = reports.into_iter().map(|report| {
                let address = report.settings.address.to_string();
                names.insert(report.server, (upstream.name.to_string(), address.clone()));
                let tally = share.servers.remove(&report.server).unwrap_or_default();
                server(report, address, &tally)
            });
            Upstream { name: upstream.name.to_string(), servers: servers.collect() }
        });
        let upstreams = upstreams.collect();
        let mut name = |server| self.name(server, &mut names);
        let mut named = |all: &[Seen]| all.iter().map(|seen| tunnel(seen, &mut name)).collect();
        Some(Snapshot {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            time: seconds_since_1970(),
            generation: served.generation.clone(),
            process,
            connections: self.counters.read().into(),
            listeners: served.listeners.iter().map(|listener| self.listener(listener)).collect(),
            upstreams,
            tunnels: Tunnels {
                traffic: traffic(&share.whole),
                lifetime: share.lives.read(),
                message_size: share.sizes.read(),
                oldest: named(&share.oldest),
                busiest: named(&share.busiest),
            },
        })
    }

    /// What all threads have. One that has ended has nothing.
    async fn ask(&self) -> Share {
        let known = Arc::new(self.zone.servers());
        let asked = self.threads.iter().filter_map(|thread| {
            let (to, answer) = oneshot::channel();
            thread.send(Ask { known: known.clone(), some: NAMED, to }).ok()?;
            Some(answer)
        });
        let asked: Vec<_> = asked.collect();
        let mut all = Share::new();
        for answer in asked {
            if let Ok(share) = answer.await {
                all.add(&share, NAMED);
            }
        }
        let mut before = self.before();
        before.servers.retain(|server, _| known.contains(server));
        all.add(&before, NAMED);
        all
    }

    /// Waits until every thread has answered; gives whether all are there. One that has ended is
    /// not.
    pub(super) async fn is_answered(&self) -> bool {
        let known = Arc::new(self.zone.servers());
        let asked = self.threads.iter().map(|thread| {
            let (to, answer) = oneshot::channel();
            thread.send(Ask { known: known.clone(), some: 0, to }).ok().map(|()| answer)
        });
        let asked: Vec<_> = asked.collect();
        let mut all = true;
        for answer in asked {
            all &= match answer {
                Some(answer) => answer.await.is_ok(),
                None => false,
            };
        }
        all
    }

    fn listener(&self, (asked, addr): &(Addr, Addr)) -> Listener {
        let listener = self.counters.listener(&asked.to_string());
        let counts = listener.read();
        let ([informational, successful, redirected, refused, failed], request_time) =
            listener.answers();
        Listener {
            address: addr.to_string(),
            connections: counts.into(),
            tunnels: counts.tunnels,
            answers: Answers { informational, successful, redirected, refused, failed },
            request_time,
        }
    }

    /// The upstream and the address of a server that may be none of those that are served.
    fn name(&self, server: ServerId, known: &mut Names) -> (String, String) {
        let name = known.entry(server).or_insert_with(|| match self.zone.listing(server) {
            Some(listing) => (listing.upstream.to_string(), listing.address.to_string()),
            None => Default::default(),
        });
        name.clone()
    }

    fn before(&self) -> MutexGuard<'_, Share> {
        self.before.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn served(&self) -> MutexGuard<'_, Served> {
        self.served.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The upstream and the address of each server.
type Names = HashMap<ServerId, (String, String)>;

impl Source for Survey {
    fn counts(&self) -> Counts {
        self.counters.read()
    }

    fn snapshot(&self) -> Pin<Box<dyn Future<Output = Option<Snapshot>> + '_>> {
        Box::pin(self.look())
    }
}

fn server(report: Report<Addr>, address: String, tally: &Tally) -> Server {
    let (state, reason, benched_for, share) = match report.state {
        State::Up => ("up", None, None, None),
        State::Recovering(parts) => ("recovering", None, None, Some(f64::from(parts) / 1000.0)),
        State::Full => ("full", None, None, None),
        State::Benched(why, left) => {
            ("benched", why.map(String::from), Some(left.as_secs_f64()), None)
        }
        State::Down => ("down", None, None, None),
        State::Draining => ("draining", None, None, None),
    };
    Server {
        address,
        weight: report.settings.weight,
        backup: report.settings.backup,
        state: state.to_owned(),
        reason,
        benched_for,
        share,
        active: report.active.into(),
        selected: report.selected,
        requests: report.answers,
        failures: report.failures,
        handshake_time: report.handshakes,
        traffic: traffic(tally),
    }
}

fn traffic(tally: &Tally) -> Traffic {
    let end = |&(code, by, count): &(u16, Option<By>, u64)| {
        let by = match by {
            Some(By::Side(Side::Client)) => "client",
            Some(By::Side(Side::Server)) => "server",
            Some(By::Proxy) => "proxy",
            None => "nobody",
        };
        End { code, by: by.to_owned(), count }
    };
    let mut ends: Vec<_> = tally.ends.iter().map(end).collect();
    ends.sort_by(|one, other| (one.code, &one.by).cmp(&(other.code, &other.by)));
    Traffic {
        tunnels: tally.open,
        opened: tally.open + tally.ended,
        closed: tally.ended,
        messages_received: tally.up.messages,
        messages_sent: tally.down.messages,
        bytes_received: tally.up.bytes,
        bytes_sent: tally.down.bytes,
        ends,
    }
}

fn tunnel(seen: &Seen, name: &mut impl FnMut(ServerId) -> (String, String)) -> Tunnel {
    let (upstream, server) = name(seen.server);
    let [up, down] = seen.passed;
    Tunnel {
        client: seen.client.map_or_else(|| "unix:".to_owned(), |client| client.to_string()),
        upstream,
        server,
        age: seen.age.as_secs_f64(),
        idle: seen.idle.as_secs_f64(),
        ping: seen.ping.map(|ping| ping.as_secs_f64()),
        messages_received: up.messages,
        messages_sent: down.messages,
        bytes_received: up.bytes,
        bytes_sent: down.bytes,
    }
}

fn seconds_since_1970() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}
