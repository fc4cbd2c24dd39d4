//! Connections that stand still, for another program image or other threads to go on with.

use std::cell::Cell;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::accept::{Door, Place};
use super::connection::Half;
use super::tunnel;
use crate::balance::Held;
use crate::http::{Client, Testament};
use crate::net::{Addr, Inherited, Stream};
use crate::observe::{Counters, ErrorLog, Level, errno};
use crate::tunnel::Frozen;

/// A connection that stands still.
#[derive(Debug)]
pub(crate) enum Parcel {
    /// A tunnel.
    Tunnel(Box<Carried>),
    /// A client between two requests, or before its first.
    Resting(Resting),
}

/// A tunnel that stands still.
#[derive(Debug)]
pub(crate) struct Carried {
    /// What it is.
    pub(crate) frozen: Frozen,
    /// Whom it is counted for.
    pub(crate) held: Held,
    /// Whether it speaks WebSocket.
    pub(crate) websocket: bool,
    /// The listener that its client came through, as the configuration writes its address.
    pub(crate) listener: Box<str>,
    /// What its end is told with.
    pub(crate) testament: Testament,
}

/// A client that asks nothing right now.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Resting {
    /// Its socket.
    pub(crate) socket: Inherited,
    /// The listener that accepted it, as the configuration writes its address.
    pub(crate) door: Addr,
    id: u64,
    peer: Option<SocketAddr>,
    requests: u64,
    age: Duration,
    idle: Duration,
    patience: Duration,
    /// What has come of its next request.
    #[serde(default)]
    early: Vec<u8>,
}

/// Connections that are to go on here, for each thread its share.
#[derive(Debug)]
pub(crate) struct Parcels {
    shares: Mutex<Vec<Vec<Parcel>>>,
    /// What counts them.
    pub(crate) counters: Arc<Counters>,
    /// Where the ends of tunnels are told that have gone wrong.
    pub(crate) log: ErrorLog,
}

impl Parcels {
    /// Shares them out among so many threads.
    pub(crate) fn new(
        parcels: Vec<Parcel>,
        threads: usize,
        counters: Arc<Counters>,
        log: ErrorLog,
    ) -> Self {
        let mut shares: Vec<Vec<_>> = (0..threads.max(1)).map(|_| Vec::new()).collect();
        for (position, parcel) in parcels.into_iter().enumerate() {
            if let Some(share) = shares.get_mut(position % threads.max(1)) {
                share.push(parcel);
            }
        }
        Self { shares: Mutex::new(shares), counters, log }
    }

    /// The share of the thread of this number, once.
    pub(crate) fn take(&self, number: usize) -> Vec<Parcel> {
        let mut shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        shares.get_mut(number).map(std::mem::take).unwrap_or_default()
    }
}

impl Resting {
    /// Packs a client that rests, with what has come of its next request.
    ///
    /// # Errors
    /// When the process is out of descriptors.
    pub(super) fn pack(stream: &Stream, early: Vec<u8>, client: &Client) -> io::Result<Self> {
        Ok(Self {
            early,
            socket: stream.bequeath()?,
            door: client.door.clone(),
            id: client.id,
            peer: client.peer,
            requests: client.requests.get(),
            age: client.since.elapsed(),
            idle: client.idle_since.get().elapsed(),
            patience: client.patience.get(),
        })
    }

    fn is_behind(&self, door: &Door) -> bool {
        *door.bound.asked() == self.door
    }

    /// Goes on behind this door.
    ///
    /// # Errors
    /// Its socket is none.
    fn unpack(self, door: &Door, place: &Place) -> io::Result<(Half, Rc<Client>)> {
        let stream = Stream::from_inherited(self.socket)?;
        let now = Instant::now();
        let before = |time| now.checked_sub(time).unwrap_or(now);
        let visits = door.listener.of(place.number);
        let client = door.client(self.id, &stream, self.peer, (&place.pool, &visits));
        let client = Client {
            since: before(self.age),
            requests: Cell::new(self.requests),
            idle_since: Cell::new(before(self.idle)),
            patience: Cell::new(self.patience),
            ..client
        };
        Ok(((stream, self.early), Rc::new(client)))
    }
}

/// Goes on with this thread's share.
pub(crate) fn unpack(parcels: &Parcels, doors: &[Door], place: &Place) {
    for parcel in parcels.take(place.number) {
        let gone_on = match parcel {
            Parcel::Tunnel(carried) => {
                tunnel::go_on(*carried, parcels, place).map(|tunnel| place.tasks.spawn(tunnel))
            }
            Parcel::Resting(resting) => match doors.iter().find(|door| resting.is_behind(door)) {
                Some(door) => resting
                    .unpack(door, place)
                    .map(|(half, client)| place.serve(half, client, door)),
                // Nobody listens there any more: a client that rests is closed then.
                None => Ok(()),
            },
        };
        if let Err(error) = gone_on {
            let error = errno(&error);
            parcels.log.log(
                Level::Alert,
                format_args!("a connection was lost in the change of the binary ({error})"),
            );
        }
    }
}
