//! What crosses crates: real parts started, driven and compared.
//!
//! - [`process`]: a child process that never outlives its test, and waiting on conditions.
//! - [`place`]: where things are: a scratch directory, a free port, our binaries, nginx, Python.
//! - [`front`]: nginx or the proxy, started on one and the same configuration text.
//! - [`guide`]: the guide as written: four workers under Supervisor and a front before them.
//! - [`held`]: a WebSocket client that holds its connection.
//! - [`wire`] and [`message`]: exact bytes on a connection, and HTTP/1 as it stood there.
//! - [`worker`]: a worker that does as a script says and keeps what it was sent.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "this crate is test code throughout: a panic with a clear message is its verdict"
)]

pub mod front;
pub mod guide;
pub mod held;
pub mod message;
pub mod place;
pub mod process;
pub mod wire;
pub mod worker;
