//! What clients and faults tell: counts, broken promises, and for which times which promise does not
//! hold.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// How many broken promises are kept in words; the others are counted.
const WORDS: usize = 30;

/// Between a fault's end and the last that is seen of it: a client may be told late that its worker
/// has died, and what waited in a queue has still to be answered.
const ECHO: Duration = Duration::from_millis(1500);

/// What is not promised for a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pardon {
    /// Tunnels to this worker may end.
    Worker(usize),
    /// Connections between two requests may be closed.
    Turn,
    /// There is no worker: HTTP may be answered 502. Handshakes are held.
    Away,
    /// There are no descriptors: whoever comes may get an error, or wait.
    Scarce,
}

#[derive(Debug)]
struct Window {
    pardon: Pardon,
    until: Option<Instant>,
}

/// All that is counted.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    /// Echoes that were right.
    pub(crate) echoes: Cell<u64>,
    /// HTTP answers that were right.
    pub(crate) answers: Cell<u64>,
    /// Errors to HTTP clients and in handshakes at times at which none is promised against.
    pub(crate) pardoned: Cell<u64>,
    /// Requests that were sent again, because the connection was closed between two of them.
    pub(crate) repeated: Cell<u64>,
    /// Tunnels that were opened.
    pub(crate) opened: Cell<u64>,
    /// Those that are open, by worker.
    pub(crate) open: [Cell<u64>; 4],
    /// Tunnels whose client has nothing under way.
    pub(crate) calm: Cell<u64>,
    /// The longest that an echo took, and that an answer took.
    pub(crate) worst_echo: Cell<Duration>,
    pub(crate) worst_answer: Cell<Duration>,
    /// How tunnels ended, and how often.
    pub(crate) ends: RefCell<BTreeMap<String, u64>>,
    /// Faults by name.
    pub(crate) faults: RefCell<BTreeMap<&'static str, u64>>,
    broken: RefCell<Vec<String>>,
    more: Cell<usize>,
    windows: RefCell<Vec<Window>>,
}

impl Ledger {
    /// A promise was broken.
    pub(crate) fn broken(&self, what: impl Into<String>) {
        let mut broken = self.broken.borrow_mut();
        if broken.len() < WORDS {
            broken.push(what.into());
        } else {
            self.more.set(self.more.get() + 1);
        }
    }

    /// The promises that were broken, and how many more there were.
    pub(crate) fn all_broken(&self) -> (Vec<String>, usize) {
        (self.broken.borrow().clone(), self.more.get())
    }

    /// From now on this is not promised, until the value is dropped.
    pub(crate) fn pardon(self: &Rc<Self>, pardon: Pardon) -> Pardoned {
        let mut windows = self.windows.borrow_mut();
        windows.push(Window { pardon, until: None });
        Pardoned { ledger: self.clone(), index: windows.len() - 1 }
    }

    /// Whether this was not promised at some time since then.
    pub(crate) fn is_pardoned(&self, pardon: Pardon, since: Instant) -> bool {
        let reaches = |window: &Window| window.until.is_none_or(|until| until + ECHO >= since);
        let windows = self.windows.borrow();
        windows.iter().any(|window| window.pardon == pardon && reaches(window))
    }

    /// One more of those.
    pub(crate) fn count(counter: &Cell<u64>) {
        counter.set(counter.get() + 1);
    }

    /// This took so long.
    pub(crate) fn took(worst: &Cell<Duration>, since: Instant) {
        worst.set(worst.get().max(since.elapsed()));
    }

    /// A tunnel ended like this.
    pub(crate) fn ended(&self, how: &str) {
        *self.ends.borrow_mut().entry(how.to_owned()).or_default() += 1;
    }

    /// A fault begins.
    pub(crate) fn fault(&self, name: &'static str) {
        *self.faults.borrow_mut().entry(name).or_default() += 1;
    }

    /// The tunnels that clients hold.
    pub(crate) fn held(&self) -> u64 {
        self.open.iter().map(Cell::get).sum()
    }
}

/// A time for which something is not promised; over when this is dropped.
#[derive(Debug)]
pub(crate) struct Pardoned {
    ledger: Rc<Ledger>,
    index: usize,
}

impl Drop for Pardoned {
    fn drop(&mut self) {
        self.ledger.windows.borrow_mut()[self.index].until = Some(Instant::now());
    }
}
