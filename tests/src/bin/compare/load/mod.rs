//! The load: connections in closed loop, each waiting for its answer and checking it.
//!
//! [`crew`] has the threads and tells all connections at once what to do; [`exchange`] is what one
//! connection does; [`stream`] is what it does it over.

mod crew;
mod exchange;
mod stream;

pub(crate) use crew::{Load, cores};
pub(crate) use exchange::ask;
pub(crate) use stream::Target;
