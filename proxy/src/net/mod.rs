//! Addresses and sockets: TCP or Unix behind one type, and the binding of listeners.
//!
//! Descriptors are born here. What travels over them is other rooms' concern.

mod addr;
mod inherited;
mod listener;
mod pipe;
pub(crate) mod ring;
mod scratch;
mod stream;
mod unix;
mod watch;

pub use addr::Addr;
pub(crate) use inherited::Inherited;
pub(crate) use listener::{Bound, Listener, Options};
pub(crate) use pipe::Pipe;
pub(crate) use scratch::scratch;
pub(crate) use stream::{Dialing, Stream};
