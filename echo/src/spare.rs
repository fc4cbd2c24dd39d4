//! Large buffers that this thread has no use for right now.
//!
//! A fresh megabyte costs more in page faults than its bytes cost to echo; so a few buffers are
//! kept, for whichever connection gathers or sends a large message next.

use std::cell::RefCell;

/// Smaller ones are left to the allocator, which keeps them itself. Above what a read's answers need,
/// so that only gathered messages bring their buffers here.
pub(crate) const SMALLEST: usize = 256 * 1024;

/// What a thread keeps at most, in bytes.
const BUDGET: usize = 4 * 1024 * 1024;

thread_local! {
    static SPARE: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// An empty buffer, with room or without.
pub(crate) fn take() -> Vec<u8> {
    SPARE.with_borrow_mut(Vec::pop).unwrap_or_default()
}

/// Keeps the buffer's memory, or frees it if it is small or enough is kept.
pub(crate) fn give(mut buffer: Vec<u8>) {
    if buffer.capacity() < SMALLEST {
        return;
    }
    SPARE.with_borrow_mut(|spare| {
        let kept: usize = spare.iter().map(Vec::capacity).sum();
        if kept.saturating_add(buffer.capacity()) <= BUDGET {
            buffer.clear();
            spare.push(buffer);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_given_is_taken_again_empty_and_with_its_room() {
        let mut buffer = vec![7; SMALLEST];
        let room = buffer.as_mut_ptr();
        give(buffer);
        let again = take();
        assert!(again.is_empty());
        assert_eq!(again.as_ptr(), room.cast_const());
        assert_eq!(take().capacity(), 0);
    }

    #[test]
    fn small_buffers_and_those_beyond_the_budget_are_freed() {
        give(vec![0; 100]);
        assert_eq!(take().capacity(), 0);
        for _ in 0..10 {
            give(Vec::with_capacity(BUDGET / 4));
        }
        let kept = std::iter::from_fn(|| Some(take()).filter(|buffer| buffer.capacity() > 0));
        assert_eq!(kept.count(), 4);
    }
}
