//! How a tunnel that runs is reached from outside of its task.

use std::cell::Cell;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::LazyLock;
use std::task::Waker;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::ending::{Ending, Order};
use super::relay::Millis;

/// What the rest of its thread holds of a tunnel: 112 bytes, for an idle tunnel has one, too.
#[derive(Default)]
pub(crate) struct Reins {
    order: Cell<Option<Order>>,
    task: Cell<Option<Waker>>,
    /// When it began and when something moved last, in microseconds since [`START`].
    began: Cell<u64>,
    moved: Cell<u64>,
    /// What it has carried from the client and to it, and how long the last answer to a ping took.
    bytes: [Cell<u64>; 2],
    messages: [Cell<u32>; 2],
    ping: Cell<Millis>,
    /// Who the client is: a `SocketAddr` without what an address with a scope needs.
    client: Option<(IpAddr, u16)>,
    /// Whether its client comes back when it ends.
    moves: bool,
}

/// What has gone one way so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Passed {
    /// Messages that have come whole.
    pub(crate) messages: u64,
    /// Bytes that were taken.
    pub(crate) bytes: u64,
}

impl Passed {
    /// So much more.
    pub(crate) fn add(&mut self, more: Self) {
        self.messages += more.messages;
        self.bytes += more.bytes;
    }
}

/// The beginning of time, as half of an `Instant` is enough to count from: before this process, for
/// a tunnel may have begun in another program image.
static START: LazyLock<Instant> = LazyLock::new(|| {
    let now = Instant::now();
    now.checked_sub(AGE).unwrap_or(now)
});

/// The longest life that is known when a tunnel goes on in another image.
const AGE: Duration = Duration::from_secs(366 * 24 * 3600);

impl Reins {
    /// Those of a tunnel of this client, which is told to move if it would come back.
    pub(crate) fn new(client: Option<SocketAddr>, moves: bool) -> Self {
        let client = client.map(|client| (client.ip(), client.port()));
        Self { client, moves, ..Self::default() }
    }

    /// Who the client is; nothing over a Unix socket.
    pub(crate) fn client(&self) -> Option<SocketAddr> {
        self.client.map(SocketAddr::from)
    }

    /// Whether its client comes back when it ends.
    pub(crate) fn moves(&self) -> bool {
        self.moves
    }

    /// What has gone from the client, and to it.
    pub(crate) fn passed(&self) -> [Passed; 2] {
        let [up, down] = &self.bytes;
        let [said, heard] = &self.messages;
        let passed = |messages: &Cell<u32>, bytes: &Cell<u64>| Passed {
            messages: messages.get().into(),
            bytes: bytes.get(),
        };
        [passed(said, up), passed(heard, down)]
    }

    /// How long the last answer to a ping took.
    pub(crate) fn ping(&self) -> Option<Duration> {
        Some(self.ping.get().into()).filter(|ping| !Duration::is_zero(ping))
    }

    /// For how long it has been there by now.
    pub(crate) fn age(&self, now: Instant) -> Duration {
        match self.began.get() {
            0 => Duration::ZERO,
            began => now.saturating_duration_since(*START + Duration::from_micros(began)),
        }
    }

    /// So much has gone one way by now: from the client, or to it.
    pub(super) fn pass(&self, [up, down]: [(u32, u64); 2]) {
        let [said, heard] = &self.messages;
        let [sent, received] = &self.bytes;
        said.set(up.0);
        sent.set(up.1);
        heard.set(down.0);
        received.set(down.1);
    }

    /// An answer to a ping took so long.
    pub(super) fn hear(&self, ping: Option<Duration>) {
        // Nothing is said of what took no time.
        let at_least = |ping: Duration| ping.max(Duration::from_millis(1));
        self.ping.set(ping.map_or(Duration::ZERO, at_least).into());
    }

    /// It began then.
    pub(super) fn begin(&self, began: Instant) {
        self.began.set(since_start(began));
    }

    /// Tells the tunnel to end. Of two orders the earlier holds.
    pub(crate) fn end(&self, order: Order) {
        if self.order.get().is_none_or(|earlier| order.due < earlier.due) {
            self.order.set(Some(order));
        }
        if let Some(task) = self.task.take() {
            task.wake_by_ref();
            self.task.set(Some(task));
        }
    }

    /// Takes an order back that was given for this reason, unless it is being carried out.
    pub(crate) fn keep(&self, ending: Ending) {
        if self.order.get().is_some_and(|order| order.ending == ending) {
            self.order.set(None);
        }
    }

    /// Whom to wake when there is an order: the tunnel's task, at its first turn.
    pub(super) fn hold(&self, task: &Waker) {
        self.task.set(Some(task.clone()));
    }

    /// When something moved last, its beginning included.
    pub(crate) fn moved(&self) -> Instant {
        *START + Duration::from_micros(self.moved.get())
    }

    /// For how long nothing has moved by now; one that has not begun is about to.
    pub(crate) fn idles(&self, now: Instant) -> Duration {
        match self.moved.get() {
            0 => Duration::ZERO,
            _ => now.saturating_duration_since(self.moved()),
        }
    }

    /// Whether nothing has been noted yet.
    pub(super) fn is_new(&self) -> bool {
        self.moved.get() == 0
    }

    /// Something has moved.
    pub(super) fn note(&self, moved: Instant) {
        self.moved.set(since_start(moved));
    }

    /// The order that has been given.
    pub(crate) fn order(&self) -> Option<Order> {
        self.order.get()
    }
}

/// So many microseconds after the beginning of time, and never before the moment.
fn since_start(moment: Instant) -> u64 {
    let since = moment.saturating_duration_since(*START).as_micros();
    u64::try_from(since).unwrap_or(u64::MAX).saturating_add(1)
}

impl fmt::Debug for Reins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reins").field("order", &self.order).finish_non_exhaustive()
    }
}
