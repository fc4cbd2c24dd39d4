//! One thread's ring: what it asks of the kernel, and what the kernel answers.

use std::fmt;
use std::io;
use std::mem::{replace, take};
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{Ordering, fence};
use std::task::{Context, Poll, Waker};

use io_uring::squeue::{Entry, Flags};
use io_uring::types::{CancelBuilder, Fd, Timespec};
use io_uring::{IoUring, cqueue, opcode};
use rustix::event::{EventfdFlags, PollFlags, eventfd};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::room::Room;
use super::slot::Slot;
use crate::net::watch::watch;

/// How much may be asked at once, and how much answered. More of either waits.
const ASKED: u32 = 256;
const ANSWERED: u32 = 1024;

/// After so many calls for its sockets the kernel is asked though the thread has more to do.
const CALLS: u32 = 256;

/// The kernel's answer to being told to stop, when it had stopped: nobody waits for it.
const NOBODY: u64 = u64::MAX;

/// What a socket asks of the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ask {
    /// Bytes, until it is told to stop.
    Receive,
    /// Word of bytes, until it is told to stop.
    Listen,
    /// Word of room to write, once.
    Watch,
}

impl Ask {
    const ALL: [Self; 3] = [Self::Receive, Self::Listen, Self::Watch];

    /// What the kernel says with its answer.
    fn of(self, at: u32) -> u64 {
        let ask = match self {
            Self::Receive => 0,
            Self::Listen => 1,
            Self::Watch => 2,
        };
        u64::from(at) << 2 | ask
    }

    fn from(data: u64) -> Option<(Self, u32)> {
        let ask = Self::ALL.into_iter().find(|ask| ask.of(0) == data & 3)?;
        u32::try_from(data >> 2).ok().map(|at| (ask, at))
    }
}

/// The ring, its sockets and the room that they receive into.
pub(super) struct Ring {
    ring: IoUring,
    /// Wakes the thread out of epoll when there is something to be had, while it is heard.
    #[expect(dead_code, reason = "it is there to be watched")]
    bell: AsyncFd<OwnedFd>,
    pub(super) slots: Vec<Slot>,
    free: Vec<u32>,
    /// For whom something has come in this turn.
    fed: Vec<u32>,
    /// Who is to be woken, once nobody has the ring.
    pub(super) woken: Vec<Waker>,
    /// Where answers are while they are looked at.
    answers: Vec<cqueue::Entry>,
    /// Whether the bell is heard: the thread is about to sleep, or asleep.
    pub(super) hears: bool,
    /// How often something was submitted.
    submission: u32,
    /// Calls since the kernel was asked last.
    calls: u32,
    /// Dropped behind the ring, which receives into it.
    pub(super) room: Room,
}

impl Ring {
    /// A ring for the calling thread, whose runtime is the one that is entered.
    ///
    /// # Errors
    /// The kernel has none, is too old (before 6.1), or was told not to give one.
    pub(super) fn new() -> io::Result<Self> {
        let ring: IoUring = IoUring::builder()
            .setup_cqsize(ANSWERED)
            .setup_clamp()
            .setup_submit_all()
            .setup_single_issuer()
            .setup_defer_taskrun()
            .setup_taskrun_flag()
            .build(ASKED)?;
        let bell = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        ring.submitter().register_eventfd(bell.as_raw_fd())?;
        let room = Room::register(&ring.submitter())?;
        let mut ring = Self {
            ring,
            bell: watch(bell, Interest::READABLE)?,
            slots: Vec::new(),
            free: Vec::new(),
            fed: Vec::new(),
            woken: Vec::new(),
            answers: Vec::new(),
            hears: true,
            submission: 0,
            calls: 0,
            room,
        };
        ring.hear(false);
        Ok(ring)
    }

    /// A place for a socket.
    pub(super) fn open(&mut self) -> u32 {
        if let Some(at) = self.free.pop() {
            return at;
        }
        self.slots.push(Slot::default());
        u32::try_from(self.slots.len() - 1).unwrap_or(u32::MAX)
    }

    /// Forgets a socket, whose descriptor is about to be closed. What was asked for it is stopped,
    /// and the kernel keeps the socket until then.
    pub(super) fn close(&mut self, at: u32) {
        let Some(slot) = self.slots.get(index(at)) else { return };
        if slot.is_pending() && slot.asked == self.submission {
            // The kernel has not looked at the descriptor yet: it may be another socket's soon.
            self.submit();
        }
        Ask::ALL.into_iter().for_each(|ask| self.tell_to_stop(at, ask));
        let Some(slot) = self.slots.get_mut(index(at)) else { return };
        slot.keep(&mut self.room);
        slot.gone = true;
        slot.waiter = None;
        self.settle(at);
    }

    /// Has whoever asks be woken once there is room to write; ready when there is already.
    pub(super) fn poll_room(
        &mut self,
        at: u32,
        fd: BorrowedFd<'_>,
        is_full: bool,
        cx: &Context<'_>,
    ) -> Poll<()> {
        let Some(slot) = self.slots.get_mut(index(at)) else { return Poll::Ready(()) };
        if !is_full && !slot.watches {
            return Poll::Ready(());
        }
        slot.wait(cx);
        if !slot.watches {
            slot.watches = true;
            self.ask(at, Ask::Watch, poll(fd, PollFlags::OUT).build());
        }
        Poll::Pending
    }

    /// Asks the kernel for what it has, and tells it what is wanted, if there is either.
    pub(super) fn turn(&mut self) {
        self.calls = 0;
        for at in take(&mut self.fed) {
            // Whoever it is for does not want it now: the next may wait in the kernel.
            if self.slots.get_mut(index(at)).is_some_and(|slot| slot.keep(&mut self.room)) {
                self.tell_to_stop(at, Ask::Receive);
            }
        }
        while self.woken.is_empty() && self.has_work() {
            if self.enter(0).is_err() {
                return;
            }
            self.answer();
        }
    }

    /// Whether the thread is woken when there is something to be had: it must be when it sleeps.
    pub(super) fn hear(&mut self, hears: bool) {
        self.hears = hears;
        let answers = self.ring.completion();
        if hears {
            answers.enable_eventfd();
            // Whoever looks now whether there is something sees it, or hears of it.
            fence(Ordering::SeqCst);
        } else {
            answers.disable_eventfd();
        }
    }

    /// Whether anything is to be told to the kernel, or to be had from it.
    pub(super) fn has_work(&mut self) -> bool {
        let asked = self.ring.submission();
        let has_asked = !asked.is_empty() || asked.taskrun() || asked.cq_overflow();
        drop(asked);
        has_asked || !self.ring.completion().is_empty()
    }

    /// A thread that always has something to do would never sleep, and never turn.
    pub(super) fn count_call(&mut self) {
        self.calls += 1;
        if self.calls > CALLS {
            self.turn();
        }
    }

    pub(super) fn tell_to_stop(&mut self, at: u32, ask: Ask) {
        let Some(slot) = self.slots.get_mut(index(at)) else { return };
        let is_under_way = match ask {
            Ask::Receive => slot.receives && !replace(&mut slot.stops, true),
            Ask::Listen => slot.listens,
            Ask::Watch => slot.watches,
        };
        if is_under_way {
            let cancel = opcode::AsyncCancel::new(ask.of(at)).build();
            self.push(&cancel.flags(Flags::SKIP_SUCCESS).user_data(NOBODY));
        }
    }

    pub(super) fn ask(&mut self, at: u32, ask: Ask, entry: Entry) {
        self.push(&entry.user_data(ask.of(at)));
        if let Some(slot) = self.slots.get_mut(index(at)) {
            slot.asked = self.submission;
        }
    }

    /// Puts something behind what the kernel gets next.
    #[expect(unsafe_code, reason = "the kernel acts on what stands in the ring")]
    fn push(&mut self, entry: &Entry) {
        // SAFETY: nothing that is asked points to memory but that of the room, which the kernel
        // has by itself; a descriptor is open until the kernel has looked at it, as `close` sees to.
        while unsafe { self.ring.submission().push(entry) }.is_err() {
            self.submit();
        }
    }

    fn submit(&mut self) {
        // The kernel takes everything, unless it is out of memory or of room for answers: then it is
        // asked again.
        let _ = self.enter(0);
        self.answer();
    }

    pub(super) fn enter(&mut self, want: usize) -> io::Result<()> {
        match self.ring.submit_and_wait(want) {
            Ok(_) => self.submission = self.submission.wrapping_add(1),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Sees what the kernel has answered.
    pub(super) fn answer(&mut self) {
        let mut answers = take(&mut self.answers);
        answers.extend(self.ring.completion());
        for answer in answers.drain(..) {
            if let Some((ask, at)) = Ask::from(answer.user_data()) {
                self.answered(at, ask, &answer);
            }
        }
        self.answers = answers;
    }

    fn answered(&mut self, at: u32, ask: Ask, answer: &cqueue::Entry) {
        let Some(slot) = self.slots.get_mut(index(at)) else { return };
        let goes_on = cqueue::more(answer.flags());
        match ask {
            Ask::Receive => {
                slot.receives &= goes_on;
                if slot.receive(answer, &mut self.room) {
                    self.fed.push(at);
                }
            }
            Ask::Listen => {
                slot.listens &= goes_on;
                slot.ready = true;
                let said = u16::try_from(answer.result()).unwrap_or_default();
                let said = PollFlags::from_bits_truncate(said);
                slot.hung_up |= said.intersects(PollFlags::RDHUP | PollFlags::HUP);
            }
            Ask::Watch => slot.watches = false,
        }
        self.woken.extend(slot.waiter.take());
        self.settle(at);
    }

    /// Gives the place of a socket that is gone to the next, when the kernel knows it no more.
    fn settle(&mut self, at: u32) {
        if let Some(slot) = self.slots.get_mut(index(at))
            && slot.gone
            && !slot.is_pending()
        {
            *slot = Slot::default();
            self.free.push(at);
        }
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        // The kernel must not receive into room that is gone. It has a moment: it is never needed.
        let _ = self
            .ring
            .submitter()
            .register_sync_cancel(Some(Timespec::new().sec(1)), CancelBuilder::any());
    }
}

impl fmt::Debug for Ring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ring").field("slots", &self.slots).finish_non_exhaustive()
    }
}

pub(super) fn index(at: u32) -> usize {
    usize::try_from(at).unwrap_or(usize::MAX)
}

pub(super) fn poll(fd: BorrowedFd<'_>, what: PollFlags) -> opcode::PollAdd {
    opcode::PollAdd::new(Fd(fd.as_raw_fd()), what.bits().into())
}

pub(super) fn lost<T>() -> Poll<io::Result<T>> {
    Poll::Ready(Err(io::ErrorKind::NotConnected.into()))
}
