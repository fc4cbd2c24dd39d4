//! Descriptors that the thread's runtime watches.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Registers a descriptor with the thread's runtime.
///
/// # Errors
/// When the process has no room for it.
#[expect(unsafe_code, reason = "tokio's own sockets are always watched for both")]
pub(super) fn watch<T: AsRawFd + Into<OwnedFd>>(
    owner: T,
    interest: Interest,
) -> io::Result<AsyncFd<T>> {
    // SAFETY: what becomes an owned descriptor owns one, and gives it out to nobody who could close
    // it before the registration is gone: it leaves `AsyncFd` by `into_inner` alone, which
    // ends that.
    unsafe { AsyncFd::register_with_interest(owner, interest) }.map_err(Into::into)
}
