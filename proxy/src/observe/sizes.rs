//! How long the messages are that this thread sees in tunnels.

use super::histogram::{Histogram, Scale};

thread_local! {
    static SIZES: Histogram = const { Histogram::new(&Scale::SIZES) };
}

/// A message of so many bytes has come whole.
pub(crate) fn message(size: u32) {
    SIZES.with(|sizes| sizes.add(size.into()));
}

/// Counts all that have come to this thread there, too.
pub(crate) fn messages_into(other: &Histogram) {
    SIZES.with(|sizes| sizes.pour_into(other));
}
