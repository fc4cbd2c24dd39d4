//! Both directions of a tunnel, and the times that bound it.

use std::future::{Future, poll_fn};
use std::mem::take;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::{Instant, Sleep, sleep_until};

use super::direction::{Direction, End, Failure};
use super::ending::Ending;
use super::frames::Tracker;
use super::guard::{Bounds, Guard};
use super::outcome::{Outcome, Side};
use super::pings::{Asked, Asking, Next, Pings};
use super::reins::Reins;
use crate::net::Stream;

/// What bounds a tunnel.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Limits {
    /// How long nothing may move in either direction.
    pub(crate) idle: Millis,
    /// How long the client may refuse to take bytes that wait for it.
    pub(crate) to_client: Millis,
    /// How long the server may.
    pub(crate) to_server: Millis,
    /// How long the other direction may go on after one has ended.
    pub(crate) half_closed: Millis,
    /// How long a client is held whose server has gone away without a Close.
    pub(crate) orphaned: Millis,
    /// Whether what moves is WebSocket's frames, and the peers are told with one why a tunnel ends.
    pub(crate) websocket: bool,
    /// Who is asked whether it is there; such a one may be silent for as long as it answers.
    pub(crate) pings: Option<Pings>,
}

/// A time in a quarter of the room of a `Duration`: 49 days at most.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Millis(u32);

impl From<Duration> for Millis {
    fn from(time: Duration) -> Self {
        Self(u32::try_from(time.as_millis()).unwrap_or(u32::MAX))
    }
}

impl From<Millis> for Duration {
    fn from(Millis(time): Millis) -> Self {
        Self::from_millis(time.into())
    }
}

/// A tunnel: two sockets and what moves between them.
#[derive(Debug)]
pub(crate) struct Relay {
    pub(super) client: Stream,
    pub(super) server: Stream,
    pub(super) up: Direction,
    pub(super) down: Direction,
    /// The sides that are asked whether they are there.
    pub(super) asked_client: Option<Box<Asked>>,
    pub(super) asked_server: Option<Box<Asked>>,
    /// Who looks after what the client may do, where that has bounds.
    pub(super) guard: Option<Box<Guard>>,
    /// Who has sent the first Close, and whose direction has ended first.
    pub(super) closer: Option<Side>,
    pub(super) first_end: Option<Side>,
    pub(super) limits: Limits,
    pub(super) reins: Rc<Reins>,
}

impl Relay {
    /// A tunnel between two sockets, with the bytes that were read from each before it began.
    pub(crate) fn new(
        (client, from_client): (Stream, Vec<u8>),
        (server, from_server): (Stream, Vec<u8>),
        limits: Limits,
        bounds: Option<&Bounds>,
        reins: Rc<Reins>,
    ) -> Self {
        let (of_client, of_server) = match limits.websocket {
            true => (Tracker::of_client(), Tracker::of_server()),
            false => (Tracker::lost(), Tracker::lost()),
        };
        let up = Direction::new(from_client, of_client);
        let down = Direction::new(from_server, of_server);
        let pings = limits.pings.filter(|_| limits.websocket);
        let asked_client = pings.map(Asked::new);
        let asked_server = pings.filter(|pings| pings.both).map(Asked::new);
        let guard = bounds.filter(|_| limits.websocket).map(|bounds| Guard::new(*bounds));
        let (closer, first_end) = (None, None);
        Self {
            client,
            server,
            up,
            down,
            asked_client,
            asked_server,
            guard,
            closer,
            first_end,
            limits,
            reins,
        }
    }

    /// Runs until both directions have ended or a limit is reached.
    pub(crate) async fn run(&mut self) -> Outcome {
        let mut watch = Watch::default();
        let start = Instant::now();
        if self.reins.is_new() {
            self.reins.begin(start.into_std());
            self.reins.note(start.into_std());
        }
        let mut timer = pin!(sleep_until(start + Duration::from(self.limits.idle)));
        poll_fn(|cx| {
            self.reins.hold(cx.waker());
            Poll::Ready(())
        })
        .await;
        if self.guard.as_ref().is_some_and(|guard| guard.forbids(&self.up.frames)) {
            // It came with the handshake, and the server has nothing of it.
            (self.up.held, self.up.is_cut) = (None, true);
            return Outcome::Ended(Ending::TooLong);
        }
        poll_fn(|cx| {
            loop {
                if let Poll::Ready(outcome) = self.poll_move(cx) {
                    self.tell();
                    return Poll::Ready(outcome);
                }
                if let Some(outcome) = ready!(self.poll_limits(&mut watch, timer.as_mut(), cx)) {
                    return Poll::Ready(outcome);
                }
            }
        })
        .await
    }

    /// Says what has gone both ways, for who asks from outside.
    pub(super) fn tell(&self) {
        let passed = |way: &Direction| (way.frames.messages(), way.moved);
        self.reins.pass([passed(&self.up), passed(&self.down)]);
    }

    fn poll_move(&mut self, cx: &mut Context<'_>) -> Poll<Outcome> {
        let Self { client, server, up, down, asked_client, asked_server, guard, .. } = self;
        let asking = Asking {
            hears: asked_client.as_deref_mut(),
            asks: asked_server.as_deref_mut(),
            guard: guard.as_deref_mut(),
        };
        let upward = up.poll(client, server, down.is_over(), false, asking, cx);
        if matches!(upward, Poll::Ready(Err(Failure::Write(_)))) {
            // What it said before it left may be there, but not have been asked for.
            server.fetch();
        }
        let asking = Asking {
            hears: asked_server.as_deref_mut(),
            asks: asked_client.as_deref_mut(),
            guard: None,
        };
        let downward = down.poll(server, client, up.is_over(), true, asking, cx);
        // Of two at once the client's was read first.
        if self.closer.is_none() {
            let sides =
                [(up.frames.is_closed(), Side::Client), (down.frames.is_closed(), Side::Server)];
            self.closer = sides.into_iter().find_map(|(closed, side)| closed.then_some(side));
        }
        if self.first_end.is_none() {
            let sides =
                [(up.end != End::Open, Side::Client), (down.end != End::Open, Side::Server)];
            self.first_end = sides.into_iter().find_map(|(ended, side)| ended.then_some(side));
        }
        if up.frames.is_closed() && down.frames.is_closed() {
            // All has been said (RFC 6455, 7.1.1), and nothing waits to be taken.
            if !up.is_blocked() && !down.is_blocked() {
                return Poll::Ready(Outcome::Finished);
            }
        }
        let is_gone = match (&upward, &downward) {
            (_, Poll::Ready(Err(Failure::Read(_)))) => true,
            // It may have said farewell before it was told more.
            (Poll::Ready(Err(Failure::Write(_))), Poll::Pending) => true,
            _ => down.end == End::Read,
        };
        if is_gone && down.frames.lacks_close() && !down.is_blocked() && !up.is_over() {
            return Poll::Ready(Outcome::Orphaned);
        }
        match (upward, downward) {
            (Poll::Ready(Err(failure)), _) => Poll::Ready(failed(failure, Side::Client)),
            (_, Poll::Ready(Err(failure))) => Poll::Ready(failed(failure, Side::Server)),
            (Poll::Ready(Ok(())), Poll::Ready(Ok(()))) => Poll::Ready(Outcome::Finished),
            _ => Poll::Pending,
        }
    }

    /// Notes what moved and looks at the clock. The timer is not set anew for each message: it
    /// rings, sees that something moved since, and goes back to sleep for the rest. Ready without an
    /// outcome when somebody is to be asked.
    fn poll_limits(
        &mut self,
        watch: &mut Watch,
        mut timer: Pin<&mut Sleep>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Outcome>> {
        let (moved, half_closed) = (self.up.moved + self.down.moved, self.is_half_closed());
        if moved != watch.moved || half_closed != watch.half_closed {
            (watch.moved, watch.half_closed) = (moved, half_closed);
            self.reins.note(Instant::now().into_std());
            self.tell();
        }
        let is_plain = self.is_plain();
        if is_plain && watch.rests && !timer.is_elapsed() {
            return Poll::Pending;
        }
        watch.rests = is_plain;
        if self.asked_client.is_some() {
            let heard = [take(&mut self.up.heard), take(&mut self.down.heard)];
            for (asked, _) in self.asked().into_iter().zip(heard).filter(|(_, heard)| *heard) {
                asked.into_iter().for_each(Asked::hear);
            }
            self.reins.hear(self.asked_client.as_ref().and_then(|asked| asked.round_trip()));
        }
        let (limit, mut outcome) = self.limit();
        let mut deadline = Instant::from_std(self.reins.moved() + limit);
        if let Some(expires) = self.guard.as_ref().and_then(|guard| guard.expires)
            && Instant::from_std(expires) < deadline
        {
            (deadline, outcome) = (expires.into(), Outcome::Ended(Ending::Expired));
        }
        if let Some(order) = self.reins.order()
            && Instant::from_std(order.due) < deadline
        {
            (deadline, outcome) = (order.due.into(), Outcome::Ended(order.ending));
        }
        let mut outcome = Some(outcome);
        if let Some((due, then)) = self.next_ping().filter(|(due, _)| *due < deadline) {
            (deadline, outcome) = (due, then);
        }
        if deadline < timer.deadline() {
            timer.as_mut().reset(deadline);
        }
        while timer.as_mut().poll(cx).is_ready() {
            if Instant::now() >= deadline {
                if outcome.is_none() {
                    self.ask(deadline);
                }
                return Poll::Ready(outcome);
            }
            timer.as_mut().reset(deadline);
        }
        Poll::Pending
    }

    /// Whether nothing ends it but that nothing moves: what moves only puts that off.
    fn is_plain(&self) -> bool {
        !(self.up.is_blocked()
            || self.down.is_blocked()
            || self.is_half_closed()
            || self.asked_client.is_some()
            || self.guard.is_some()
            || self.reins.order().is_some())
    }

    /// The client and the server, where they are asked.
    fn asked(&mut self) -> [Option<&mut Asked>; 2] {
        [self.asked_client.as_deref_mut(), self.asked_server.as_deref_mut()]
    }

    /// When a ping has to go out, or must have been answered, and what it means if not.
    fn next_ping(&self) -> Option<(Instant, Option<Outcome>)> {
        // Who is not read from cannot answer, and half a tunnel has other limits.
        if self.is_half_closed() {
            return None;
        }
        let client = self.asked_client.as_deref().filter(|_| !self.up.is_blocked());
        let server = self.asked_server.as_deref().filter(|_| !self.down.is_blocked());
        let next = |asked: Option<&Asked>, side| match asked?.next() {
            Next::Ask(due) => Some((due, None)),
            Next::Wait(due) => Some((due, Some(Outcome::Silent(side)))),
            Next::Nothing => None,
        };
        let both = [next(client, Side::Client), next(server, Side::Server)];
        both.into_iter().flatten().min_by_key(|(due, _)| *due)
    }

    /// Has whoever is due by now be asked.
    fn ask(&mut self, now: Instant) {
        for asked in self.asked().into_iter().flatten() {
            if matches!(asked.next(), Next::Ask(due) if due <= now) {
                asked.ask();
            }
        }
    }

    fn is_half_closed(&self) -> bool {
        self.up.end == End::Done || self.down.end == End::Done
    }

    /// The limit that counts in the present state, and what it means when it is reached.
    fn limit(&self) -> (Duration, Outcome) {
        let (limit, outcome) = if self.down.is_blocked() {
            (self.limits.to_client, Outcome::Blocked(Side::Client))
        } else if self.up.is_blocked() {
            (self.limits.to_server, Outcome::Blocked(Side::Server))
        } else if self.is_half_closed() {
            (Millis(self.limits.half_closed.0.min(self.limits.idle.0)), Outcome::Idle)
        } else if self.asked_client.is_some() {
            return (NEVER, Outcome::Idle);
        } else {
            (self.limits.idle, Outcome::Idle)
        };
        (limit.into(), outcome)
    }
}

/// No limit: longer than any process runs.
const NEVER: Duration = Duration::from_secs(30 * 365 * 24 * 3600);

/// What moved so far; the reins know when.
#[derive(Debug, Default)]
struct Watch {
    moved: u64,
    half_closed: bool,
    /// Whether the timer was set, and asked, when the tunnel was [plain](Relay::is_plain).
    rests: bool,
}

fn failed(failure: Failure, source: Side) -> Outcome {
    let other = match source {
        Side::Client => Side::Server,
        Side::Server => Side::Client,
    };
    match failure {
        Failure::Read(error) => Outcome::Failed(source, error),
        Failure::Write(error) => Outcome::Failed(other, error),
        Failure::Forbidden(ending) => Outcome::Ended(ending),
    }
}
