//! Sockets whose bytes the kernel brings by itself: io_uring, one ring a thread.
//!
//! A socket that is read from once goes on receiving (multishot) into room that the thread gave the
//! kernel, and one system call brings what has come for all of them, where epoll needs one to hear
//! of it and one more for each socket. Writing is a call of its own, as ever. Bytes move only while
//! this thread asks for them: between two of its calls nothing does.
//!
//! [`begin`] makes the calling thread's ring; its runtime tells it [when the thread is about to
//! sleep](before_sleep), and [when it has](after_sleep). Where the kernel gives no ring, sockets are
//! tokio's.

mod driver;
mod reading;
mod room;
mod slot;
mod socket;
#[cfg(test)]
mod tests;
mod thread;

pub(super) use socket::RingSocket;
pub(crate) use thread::{after_sleep, before_sleep, begin, end, fetch, is_here};
