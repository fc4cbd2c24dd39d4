//! Room that all connections of a thread read into.

use std::cell::RefCell;

/// Bytes read at once. Large enough that a message of some kilobytes is one read and one write.
const SIZE: usize = 64 * 1024;

thread_local! {
    static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; SIZE].into_boxed_slice());
}

/// Lends the thread's room for one read and for what is done with it at once: who keeps nothing
/// owns no buffer while it waits. It is not lent twice at a time.
pub(crate) fn scratch<T>(work: impl FnOnce(&mut [u8]) -> T) -> T {
    SCRATCH.with_borrow_mut(|room| work(room))
}
