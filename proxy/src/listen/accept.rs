//! The accept loop of one thread on one listening socket.

use std::cell::{Cell, RefCell};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::yield_now;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::connection::{self, Half};
use super::crowd::{Crowd, Limits};
use super::roster::Roster;
use crate::http::{Client, Endings, Flow, Site};
use crate::net::{self, Bound, Stream};
use crate::observe::{Counters, Level, Listener, Visits, errno};
use crate::status::Source;
use crate::tasks::Tasks;
use crate::upstream::Pool;

/// How long accepting rests when the process is out of descriptors.
const REST: Duration = Duration::from_millis(50);

/// A listening socket and what answers behind it, in one generation.
#[derive(Debug, Clone)]
pub(crate) struct Door {
    /// The socket.
    pub(crate) bound: Arc<Bound>,
    /// What answers.
    pub(crate) site: Arc<Site>,
    /// What answers to those who connect to one of these addresses.
    pub(crate) inside: Arc<[(IpAddr, Arc<Site>)]>,
    /// How long a new connection may stay silent.
    pub(crate) patience: Duration,
    /// Whether small writes go out at once (nginx: `tcp_nodelay`).
    pub(crate) nodelay: bool,
    /// Cancelled when the generation is retired.
    pub(crate) retired: CancellationToken,
    /// What numbers connections.
    pub(crate) counters: Arc<Counters>,
    /// Who knows how the proxy is.
    pub(crate) source: Arc<dyn Source>,
    /// What is counted of those that come in here.
    pub(crate) listener: Arc<Listener>,
    /// How many connections a thread may have.
    pub(crate) limits: Limits,
}

/// Where connections live: what a thread has for all of its own.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// The thread's number.
    pub(crate) number: usize,
    /// Its idle connections to servers.
    pub(crate) pool: Pool,
    /// How many connections it has.
    pub(crate) crowd: Crowd,
    /// Its tunnels.
    pub(crate) roster: Roster,
    /// Its tasks.
    pub(crate) tasks: Tasks,
}

impl Place {
    /// Serves a client that has come through this door.
    pub(super) fn serve(&self, half: Half, client: Rc<Client>, door: &Door) {
        let (crowd, roster, tasks) = (self.crowd.clone(), self.roster.clone(), self.tasks.clone());
        let retired = door.retired.clone();
        self.tasks.spawn(connection::serve(half, client, retired, crowd, roster, tasks));
    }
}

/// Accepts until the door is retired. The socket's queue is the process's: what this loop leaves
/// in it is accepted by the next generation's, or by itself where there is none.
pub(crate) async fn accept(door: Door, place: Place) {
    let log = door.site.error_log.clone();
    let Some(listener) = listen(&door).await else { return };
    let visits = door.listener.of(place.number);
    let serve = |(stream, peer): (Stream, Option<SocketAddr>)| {
        visits.accept();
        let id = door.counters.number();
        let client = door.client(id, &stream, peer, (&place.pool, &visits));
        place.serve((stream, Vec::new()), client.into(), &door);
    };
    let crowd = &place.crowd;
    let next = async || {
        if crowd.is_full(&door.limits) {
            crowd.make_room(&door.bound, &door.limits, &log).await;
        }
        listener.accept().await
    };
    let mut resting = false;
    while let Some(accepted) = door.retired.run_until_cancelled(next()).await {
        match accepted {
            Ok(accepted) => {
                resting = false;
                serve(accepted);
            }
            Err(error) if is_passing(&error) => {}
            Err(error) => {
                // One line for a shortage, however long it lasts.
                if !resting {
                    let error = errno(&error);
                    log.log(Level::Crit, format_args!("accept4() failed ({error})"));
                    resting = true;
                }
                sleep(REST).await;
            }
        }
    }
    // Closing the socket would reset those who are connected already, and may have asked.
    let mut some = door.bound.is_left();
    while some && !crowd.is_full(&door.limits) {
        // The runtime has to look at the socket once more.
        yield_now().await;
        some = false;
        while let Some(accepted) = listener.try_accept() {
            some = true;
            serve(accepted);
        }
    }
}

/// A handle on the socket, for this thread; none when the door is retired before there is one. Who has
/// no descriptor for it waits for one: a thread that gave up would be deaf until the next reload.
async fn listen(door: &Door) -> Option<net::Listener> {
    let mut told = false;
    loop {
        let error = match door.bound.listener() {
            Ok(listener) => return Some(listener),
            Err(error) => error,
        };
        if !told {
            let (addr, error) = (door.bound.addr(), errno(&error));
            let what = format_args!("accepting on {addr} failed ({error})");
            door.site.error_log.log(Level::Alert, what);
            told = true;
        }
        door.retired.run_until_cancelled(sleep(REST)).await?;
    }
}

/// The connection that was to be accepted is gone: nothing is wrong with us.
fn is_passing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::Interrupted)
}

impl Door {
    /// What is known of a connection that comes in.
    pub(super) fn client(
        &self,
        id: u64,
        stream: &Stream,
        peer: Option<SocketAddr>,
        (pool, visits): (&Pool, &Arc<Visits>),
    ) -> Client {
        if !self.nodelay {
            stream.set_delay();
        }
        let now = Instant::now();
        let local = stream.local(self.bound.addr());
        let own = |local: SocketAddr| self.inside.iter().find(|(ip, _)| *ip == local.ip());
        let site = local.and_then(own).map_or(&self.site, |(_, site)| site);
        Client {
            id,
            peer,
            door: self.bound.asked().clone(),
            local,
            site: site.clone(),
            pool: pool.clone(),
            open: RefCell::new(Some(visits.connection())),
            visits: visits.clone(),
            source: self.source.clone(),
            since: now,
            requests: Cell::new(0),
            busy: Cell::new(0),
            idle_since: Cell::new(now),
            patience: Cell::new(self.patience),
            closing: Cell::new(false),
            linger: Cell::new(false),
            endings: Cell::new(Endings::DEFAULT),
            fields: RefCell::default(),
            written: RefCell::default(),
            interim: RefCell::default(),
            trailers: RefCell::default(),
            refused: RefCell::new(None),
            switched: RefCell::new(None),
            flow: Flow::new(self.patience),
        }
    }
}
