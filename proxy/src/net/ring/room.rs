//! The room that the kernel receives into: pieces that it takes in their order, and is given back.

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::io;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU16, Ordering};

use io_uring::Submitter;
use io_uring::types::BufRingEntry;

/// The size of a piece: a message of usual size, or a head. Sockets of larger ones are read directly.
pub(super) const PIECE: usize = 2 * 1024;
const SIZE: u32 = 2 * 1024;

/// How many pieces there are, a power of two: more than one call of the kernel's usually fills.
pub(super) const PIECES: u16 = 256;

/// By which number the kernel knows them.
pub(super) const GROUP: u16 = 0;

const PAGE: usize = 4096;

/// All of a thread's pieces, those that the kernel has and those that are lent to a socket. It is
/// dropped after its ring.
#[derive(Debug)]
pub(super) struct Room {
    pieces: Memory,
    /// The kernel's list of those that it has; its first entry hides where it ends.
    list: Memory,
    /// Where the list ends.
    tail: u16,
}

/// A piece with something in it. It goes back by [`Room::give_back`].
#[derive(Debug)]
pub(super) struct Piece {
    number: u16,
    /// Where what was not taken yet begins, and where it ends.
    from: u32,
    to: u32,
}

impl Piece {
    /// The piece of this number, of which the kernel has filled so many bytes.
    pub(super) fn new(number: u16, length: usize) -> Option<Self> {
        let to = u32::try_from(length).map_or(SIZE, |length| length.min(SIZE));
        (number < PIECES).then_some(Self { number, from: 0, to })
    }

    /// Whether the kernel had no room for more.
    pub(super) fn is_full(&self) -> bool {
        self.to == SIZE
    }

    /// Whether all of it was taken.
    pub(super) fn is_empty(&self) -> bool {
        self.from >= self.to
    }

    /// So many more bytes were taken.
    pub(super) fn take(&mut self, bytes: usize) {
        self.from = u32::try_from(bytes).map_or(self.to, |bytes| self.from.saturating_add(bytes));
    }
}

impl Room {
    /// Room that the kernel of this ring receives into.
    ///
    /// # Errors
    /// The kernel has no such thing, or no memory for it.
    #[expect(unsafe_code, reason = "memory is shared with the kernel")]
    pub(super) fn register(ring: &Submitter<'_>) -> io::Result<Self> {
        let pieces = Memory::new(usize::from(PIECES) * PIECE)?;
        let list = Memory::new(usize::from(PIECES) * size_of::<BufRingEntry>())?;
        // SAFETY: the list has as many entries as are said, begins at a page, and is there for as
        // long as the ring: whoever drops the room has ended the ring before.
        unsafe { ring.register_buf_ring_with_flags(list.address(0), PIECES, GROUP, 0) }?;
        let mut room = Self { pieces, list, tail: 0 };
        (0..PIECES).for_each(|number| room.put(number));
        Ok(room)
    }

    /// What is in a piece and was not taken yet.
    #[expect(unsafe_code, reason = "memory is shared with the kernel")]
    pub(super) fn bytes(&self, piece: &Piece) -> &[u8] {
        let offset = |at| usize::try_from(at).unwrap_or_default();
        let start = usize::from(piece.number) * PIECE + offset(piece.from);
        let length = offset(piece.to.saturating_sub(piece.from));
        // SAFETY: the number is that of a piece, and neither end is outside of it. The kernel does
        // not write to a piece that it has filled before it is given back, which takes the `Piece`.
        unsafe { std::slice::from_raw_parts(self.pieces.at(start), length) }
    }

    /// Gives a piece back to the kernel.
    pub(super) fn give_back(&mut self, piece: Piece) {
        self.put(piece.number);
    }

    #[expect(unsafe_code, reason = "memory is shared with the kernel")]
    fn put(&mut self, number: u16) {
        let first: *mut BufRingEntry = self.list.at(0).cast();
        // SAFETY: the entry is one of the list's, behind its end: the kernel looks at it when the
        // end has moved.
        let entry = unsafe { &mut *first.add(usize::from(self.tail % PIECES)) };
        entry.set_addr(self.pieces.address(usize::from(number) * PIECE));
        entry.set_len(SIZE);
        entry.set_bid(number);
        self.tail = self.tail.wrapping_add(1);
        // SAFETY: the end lies in the list's first entry, where setting the entry leaves it alone,
        // and only this thread writes it.
        let end = unsafe { AtomicU16::from_ptr(BufRingEntry::tail(first).cast_mut()) };
        end.store(self.tail, Ordering::Release);
    }
}

/// Memory that begins at a page and is zero at first, given back at the end.
#[derive(Debug)]
struct Memory(NonNull<u8>, Layout);

impl Memory {
    #[expect(unsafe_code, reason = "memory is shared with the kernel")]
    fn new(size: usize) -> io::Result<Self> {
        let layout = Layout::from_size_align(size, PAGE).map_err(io::Error::other)?;
        // SAFETY: the size is not zero.
        let start = NonNull::new(unsafe { alloc_zeroed(layout) });
        Ok(Self(start.ok_or(io::ErrorKind::OutOfMemory)?, layout))
    }

    fn at(&self, position: usize) -> *mut u8 {
        self.0.as_ptr().wrapping_add(position)
    }

    /// A position as the kernel writes it.
    fn address(&self, position: usize) -> u64 {
        u64::try_from(self.at(position).expose_provenance()).unwrap_or_default()
    }
}

impl Drop for Memory {
    #[expect(unsafe_code, reason = "memory is shared with the kernel")]
    fn drop(&mut self) {
        // SAFETY: it was allocated with this layout, and nobody has it any more.
        unsafe { dealloc(self.0.as_ptr(), self.1) };
    }
}
