//! The listening sockets from one generation to the next: bound, changed, left.

use std::sync::Arc;

use super::proxy::Error;
use crate::generation::{Generation, Listening};
use crate::net::Bound;
use crate::observe::{ErrorLog, Level, errno};

/// Binds what is not bound yet, in the order of the generation's doors.
pub(super) fn bind(
    generation: &Generation,
    known: &[Arc<Bound>],
) -> Result<Vec<Arc<Bound>>, Error> {
    let bind = |door: &Listening| {
        let door = &door.door;
        match known.iter().find(|bound| bound.is_at(&door.addr)) {
            Some(bound) => Ok(bound.clone()),
            None => Bound::bind(&door.addr, &door.options)
                .map_err(|error| Error::Bind { addr: door.addr.clone(), error }),
        }
    };
    generation.doors.iter().map(bind).collect()
}

/// Gives the options of a new generation to its sockets, which may have been bound for an older
/// one. None of them is worth refusing the generation for.
pub(super) fn change(generation: &Generation, bound: &[Arc<Bound>]) {
    for (bound, listening) in bound.iter().zip(&generation.doors) {
        if let Err(error) = bound.change(&listening.door.options) {
            let (addr, error) = (bound.addr(), errno(&error));
            let what = format_args!("setsockopt() on {addr} failed ({error}), ignored");
            generation.error_log.log(Level::Alert, what);
        }
    }
}

/// Says what becomes of those that another process has bound for this one.
pub(super) fn tell_lent(known: &[Arc<Bound>], used: &[Arc<Bound>], log: &ErrorLog) {
    for bound in known.iter().filter(|bound| bound.lender().is_some()) {
        let addr = bound.addr();
        if used.iter().any(|used| Arc::ptr_eq(used, bound)) {
            log.log(Level::Notice, format_args!("using the inherited socket {addr}"));
        } else {
            log.log(
                Level::Warn,
                format_args!("the inherited socket {addr} is closed: no \"listen\" names it"),
            );
        }
    }
}

/// Says of every old socket that is not kept that nobody will accept from it, and lets go of it:
/// the last thread that empties its queue is to close it, at once.
pub(super) fn leave(old: Vec<Arc<Bound>>, kept: &[Arc<Bound>]) {
    let goes = |bound: &Arc<Bound>| !kept.iter().any(|kept| Arc::ptr_eq(kept, bound));
    old.into_iter().filter(goes).for_each(|bound| bound.leave());
}
