//! What a ring knows of one of its sockets.

use std::io;
use std::task::{Context, Poll, Waker};

use io_uring::cqueue::{self, buffer_select};
use rustix::io::Errno;
use tokio::io::ReadBuf;

use super::room::{PIECE, Piece, Room};

/// Why the kernel receives no more, where the socket is none the worse for it.
const STOPPED: i32 = Errno::CANCELED.raw_os_error();
const NO_ROOM: i32 = Errno::NOBUFS.raw_os_error();

/// After so many smaller messages a socket is received from again.
const SMALL: u8 = 32;

/// A socket: what was asked of the kernel, what it has brought, and who waits for it.
#[derive(Debug, Default)]
pub(super) struct Slot {
    /// Who waits, for bytes or for room to write: whoever has the socket does both.
    pub(super) waiter: Option<Waker>,
    /// What has come in this turn.
    lent: Option<Piece>,
    /// What came before and was not read.
    kept: Option<Box<Kept>>,
    /// Why nothing more comes.
    end: Option<End>,
    /// Whether the kernel receives, and whether it was told to stop.
    pub(super) receives: bool,
    pub(super) stops: bool,
    /// Whether the kernel tells when there are bytes, and when there is room to write.
    pub(super) listens: bool,
    pub(super) watches: bool,
    /// Whether it is read directly, for messages larger than the room for one; how many smaller ones
    /// have come since the last, and whether there may be bytes.
    pub(super) direct: bool,
    smaller: u8,
    pub(super) ready: bool,
    /// Whether the other side has said that it sends no more, behind bytes that were not read.
    pub(super) hung_up: bool,
    /// Whether the socket is gone, and only the kernel's last word is waited for.
    pub(super) gone: bool,
    /// With which submission the kernel learns what it was asked last.
    pub(super) asked: u32,
}

/// Bytes that were copied, and how many of them were read.
#[derive(Debug, Default)]
struct Kept {
    bytes: Vec<u8>,
    taken: usize,
}

impl Kept {
    fn rest(&self) -> &[u8] {
        self.bytes.get(self.taken..).unwrap_or_default()
    }
}

/// Why nothing more comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The other side has said so.
    Closed,
    /// An error of this number; the end comes behind it.
    Failed(i32),
}

impl Slot {
    /// Whether the kernel may still say something about it.
    pub(super) fn is_pending(&self) -> bool {
        self.receives || self.listens || self.watches
    }

    /// Whether something has come that was not read.
    pub(super) fn has_bytes(&self) -> bool {
        self.lent.is_some() || self.kept.is_some()
    }

    /// Whether the end has come, or the socket has failed.
    pub(super) fn is_ended(&self) -> bool {
        self.end.is_some()
    }

    /// Whether nothing has come, the kernel will say when something does, and whoever asks is woken then.
    pub(super) fn is_awaited(&self, cx: &Context<'_>) -> bool {
        self.is_dry() && self.waiter.as_ref().is_some_and(|waiter| waiter.will_wake(cx.waker()))
    }

    /// Whether all that has come was read, and the kernel will say when more does.
    pub(super) fn is_dry(&self) -> bool {
        self.receives && !self.direct && !self.has_bytes() && !self.is_ended()
    }

    /// Notes why nothing more comes.
    fn end(&mut self, end: End) {
        self.end.get_or_insert(end);
    }

    /// Takes what the kernel has received. Whether that was something.
    pub(super) fn receive(&mut self, answer: &cqueue::Entry, room: &mut Room) -> bool {
        let result = answer.result();
        let length = usize::try_from(result).unwrap_or_default();
        let piece = buffer_select(answer.flags()).and_then(|number| Piece::new(number, length));
        match result.saturating_neg() {
            ..0 => {}
            0 => self.end(End::Closed),
            // Who waits asks again.
            STOPPED | NO_ROOM => {}
            error => self.end(End::Failed(error)),
        }
        let Some(piece) = piece else { return false };
        if piece.is_full() && !self.direct {
            (self.direct, self.ready, self.smaller) = (true, true, 0);
        }
        if self.gone || length == 0 {
            room.give_back(piece);
            return false;
        }
        if self.has_bytes() {
            self.keep(room);
            self.kept.get_or_insert_default().bytes.extend_from_slice(room.bytes(&piece));
            room.give_back(piece);
        } else {
            self.lent = Some(piece);
        }
        true
    }

    /// Copies what was not read in its turn: others need the room. Whether anything was not read.
    pub(super) fn keep(&mut self, room: &mut Room) -> bool {
        if let Some(piece) = self.lent.take() {
            self.kept.get_or_insert_default().bytes.extend_from_slice(room.bytes(&piece));
            room.give_back(piece);
        }
        self.kept.is_some()
    }

    /// All that has come and was not read.
    pub(super) fn take_bytes(&mut self, room: &mut Room) -> Vec<u8> {
        self.keep(room);
        self.kept.take().map_or_else(Vec::new, |kept| kept.rest().to_vec())
    }

    /// Gives what has come; nothing when there is nothing, the end as no bytes.
    pub(super) fn give(&mut self, buf: &mut ReadBuf<'_>, room: &mut Room) -> Poll<io::Result<()>> {
        if let Some(piece) = &mut self.lent {
            let bytes = room.bytes(piece);
            let most = bytes.len().min(buf.remaining());
            buf.put_slice(bytes.get(..most).unwrap_or_default());
            piece.take(most);
            if piece.is_empty() {
                self.lent.take().into_iter().for_each(|piece| room.give_back(piece));
            }
            return Poll::Ready(Ok(()));
        }
        if let Some(kept) = &mut self.kept {
            let rest = kept.rest();
            let most = rest.len().min(buf.remaining());
            buf.put_slice(rest.get(..most).unwrap_or_default());
            kept.taken += most;
            self.kept.take_if(|kept| kept.rest().is_empty());
            return Poll::Ready(Ok(()));
        }
        match self.end {
            None => Poll::Pending,
            Some(End::Closed) => Poll::Ready(Ok(())),
            Some(End::Failed(errno)) => {
                self.end = Some(End::Closed);
                Poll::Ready(Err(io::Error::from_raw_os_error(errno)))
            }
        }
    }

    /// Notes that so many bytes were read directly where there was room for `most`. Who sends
    /// nothing but small messages for a while is received from again.
    pub(super) fn note_read(&mut self, bytes: usize, most: usize) {
        if bytes == 0 && most > 0 {
            return self.end(End::Closed);
        }
        // Fewer than could be had: there is no more, and the kernel tells of the next. Of the end
        // it may have told already.
        self.ready = bytes == most || self.hung_up;
        self.smaller = if bytes < PIECE { self.smaller + 1 } else { 0 };
        self.direct = self.smaller < SMALL;
    }

    /// Notes who is to be woken.
    pub(super) fn wait(&mut self, cx: &Context<'_>) {
        if !self.waiter.as_ref().is_some_and(|waiter| waiter.will_wake(cx.waker())) {
            self.waiter = Some(cx.waker().clone());
        }
    }
}
