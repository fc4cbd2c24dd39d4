//! The ring of the calling thread.

use std::cell::RefCell;
use std::io;
use std::mem::take;
use std::task::Waker;

use super::driver::Ring;

thread_local! {
    static RING: RefCell<Option<Ring>> = const { RefCell::new(None) };
}

/// Makes a ring for the calling thread, whose runtime must be entered, and must call [`before_sleep`]
/// and [`after_sleep`]. Sockets that this thread opens from now on are its.
///
/// # Errors
/// The kernel has none to give.
pub(crate) fn begin() -> io::Result<()> {
    let ring = Ring::new()?;
    RING.set(Some(ring));
    Ok(())
}

/// Ends it; its sockets must be gone.
pub(crate) fn end() {
    drop(RING.take());
}

/// Whether the calling thread has a ring.
pub(crate) fn is_here() -> bool {
    RING.with_borrow(Option::is_some)
}

/// Tells the kernel what is wanted, and takes what it has; where that is nothing, the thread is woken
/// when there is something. To be called when there is nothing else to do.
pub(crate) fn before_sleep() {
    with(|ring| {
        ring.turn();
        while ring.woken.is_empty() {
            ring.hear(true);
            if !ring.has_work() {
                return;
            }
            // What has come in between rang no bell.
            ring.hear(false);
            ring.turn();
        }
    });
}

/// Asks for what has come, if the thread did sleep.
pub(crate) fn after_sleep() {
    with(|ring| {
        if ring.hears {
            ring.hear(false);
            ring.turn();
        }
    });
}

/// Asks for what has come, in the middle of whatever the thread does.
pub(crate) fn fetch() {
    with(Ring::turn);
}

/// Does something with the thread's ring, and wakes whom that concerns. Nothing where there is none.
pub(super) fn with<T>(work: impl FnOnce(&mut Ring) -> T) -> Option<T> {
    let (out, mut woken) = RING
        .try_with(|ring| {
            let mut ring = ring.borrow_mut();
            let ring = ring.as_mut()?;
            let out = work(ring);
            let woken = if ring.woken.is_empty() { Vec::new() } else { take(&mut ring.woken) };
            Some((out, woken))
        })
        .ok()??;
    if !woken.is_empty() {
        woken.drain(..).for_each(Waker::wake);
        RING.with_borrow_mut(|ring| ring.as_mut().map(|ring| ring.woken = woken));
    }
    Some(out)
}
