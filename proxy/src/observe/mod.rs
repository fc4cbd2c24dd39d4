//! What is told: the error log, the access log and the counters.
//!
//! It asks nothing of anybody: every other room tells it something and goes on.

mod buffer;
mod clock;
mod count;
mod counters;
mod error_log;
mod file;
mod histogram;
mod sizes;
mod turn;

pub use counters::{Counters, Counts};
pub use error_log::{ErrorLog, Level, errno};

pub(crate) use buffer::LogBuffer;
pub(crate) use clock::{iso8601, local, next_daily, unix_millis};
pub(crate) use counters::{Listener, Open, Stage, Tunnelled, Visits};
pub(crate) use file::LogFile;
pub use histogram::Distribution;
pub(crate) use histogram::{Counted, Histogram, Scale};
pub(crate) use sizes::{message, messages_into};
pub(crate) use turn::{Turn, now};
