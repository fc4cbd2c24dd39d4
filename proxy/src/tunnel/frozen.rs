//! A tunnel that stands still, written down: another program image goes on with it.

use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::direction::{Direction, End};
use super::frames::Tracker;
use super::guard::{Bounds, Guard};
use super::outcome::Side;
use super::pings::FrozenAsked;
use super::reins::Reins;
use super::relay::{Limits, Millis, Relay};
use crate::net::{Inherited, Stream};

/// All that a tunnel is, but for whom it is counted for. Bytes that wait are not written with it:
/// there may be many of them ([`Frozen::bytes`]).
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Frozen {
    client: Inherited,
    server: Inherited,
    up: Way,
    down: Way,
    asked_client: Option<FrozenAsked>,
    asked_server: Option<FrozenAsked>,
    guard: Option<FrozenGuard>,
    closer: Option<Side>,
    first_end: Option<Side>,
    limits: Limits,
    /// For how long nothing has moved.
    idle: Millis,
    /// For how long it has been there, in milliseconds.
    #[serde(default)]
    age: u64,
}

/// One direction.
#[derive(Debug, Serialize, Deserialize)]
struct Way {
    /// What was read, and not written yet.
    #[serde(skip)]
    held: Vec<u8>,
    /// How much that is.
    waiting: usize,
    moved: u64,
    end: End,
    frames: Tracker,
}

/// Who looks after the bounds.
#[derive(Debug, Serialize, Deserialize)]
struct FrozenGuard {
    bounds: Bounds,
    allowance: u64,
    left: Option<Duration>,
}

impl FrozenGuard {
    fn thaw(self) -> Box<Guard> {
        let mut guard = Guard::new(Bounds { lifetime: self.left, ..self.bounds });
        guard.allowance = self.allowance;
        guard
    }
}

impl Frozen {
    /// The descriptors that it needs.
    pub(crate) fn sockets(&self) -> [&Inherited; 2] {
        [&self.client, &self.server]
    }

    /// What waits for the server, and for the client.
    pub(crate) fn bytes(&self) -> [&[u8]; 2] {
        [&self.up.held, &self.down.held]
    }

    /// Gives it back what waited; `next` gives that many bytes.
    ///
    /// # Errors
    /// What `next` said.
    pub(crate) fn fill(
        &mut self,
        mut next: impl FnMut(usize) -> io::Result<Vec<u8>>,
    ) -> io::Result<()> {
        for way in [&mut self.up, &mut self.down] {
            way.held = next(way.waiting)?;
        }
        Ok(())
    }

    /// The tunnel, for the calling thread to run.
    ///
    /// # Errors
    /// A socket is none, or the process is out of descriptors.
    pub(crate) fn thaw(self, reins: Rc<Reins>) -> io::Result<Relay> {
        let now = Instant::now();
        reins.note(now.checked_sub(self.idle.into()).unwrap_or(now));
        reins.begin(now.checked_sub(Duration::from_millis(self.age)).unwrap_or(now));
        let asked = |frozen: Option<FrozenAsked>| {
            frozen.zip(self.limits.pings).map(|(frozen, pings)| frozen.thaw(pings))
        };
        let relay = Relay {
            client: Stream::from_inherited(self.client)?,
            server: Stream::from_inherited(self.server)?,
            up: self.up.thaw(),
            down: self.down.thaw(),
            asked_client: asked(self.asked_client),
            asked_server: asked(self.asked_server),
            guard: self.guard.map(FrozenGuard::thaw),
            closer: self.closer,
            first_end: self.first_end,
            limits: self.limits,
            reins,
        };
        relay.tell();
        Ok(relay)
    }
}

impl Way {
    fn thaw(self) -> Direction {
        let mut direction = Direction::new(Vec::new(), self.frames);
        direction.hold(&self.held);
        (direction.moved, direction.end) = (self.moved, self.end);
        direction
    }
}

impl Relay {
    /// Writes it down as it is between two turns. It moves nothing any more then.
    ///
    /// # Errors
    /// The process is out of descriptors, or what is in a pipe cannot be had; it may go on then.
    pub(crate) fn freeze(&mut self) -> io::Result<Frozen> {
        let now = Instant::now();
        let (idle, age) = (self.reins.idles(now), self.reins.age(now));
        let (client, server) = (self.client.bequeath()?, self.server.bequeath()?);
        // What was taken from the system and not looked at waits with the rest.
        self.up.hold_unread(&self.client.stop()?);
        self.down.hold_unread(&self.server.stop()?);
        Ok(Frozen {
            client,
            server,
            up: self.up.freeze()?,
            down: self.down.freeze()?,
            asked_client: self.asked_client.take().map(|asked| asked.freeze()),
            asked_server: self.asked_server.take().map(|asked| asked.freeze()),
            guard: self.guard.take().map(|guard| FrozenGuard {
                bounds: guard.bounds,
                allowance: guard.allowance,
                left: guard.left(),
            }),
            closer: self.closer,
            first_end: self.first_end,
            limits: self.limits,
            idle: idle.into(),
            age: u64::try_from(age.as_millis()).unwrap_or(u64::MAX),
        })
    }
}

impl Direction {
    fn hold_unread(&mut self, bytes: &[u8]) {
        self.frames.see(bytes);
        self.hold(bytes);
    }

    fn freeze(&mut self) -> io::Result<Way> {
        // What is in a pipe has come behind what is held.
        let mut held = self.held.take().map_or_else(Vec::new, |held| held.into_rest());
        if let Some(mut pipe) = self.pipe.take() {
            pipe.read_to_end(&mut held)?;
            pipe.give_back();
        }
        let (waiting, moved, end) = (held.len(), self.moved, self.end);
        Ok(Way { held, waiting, moved, end, frames: self.frames.clone() })
    }
}
