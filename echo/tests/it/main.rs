//! The binary `echo` as its clients, its supervisor and its operator see it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::large_futures,
    reason = "a test that cannot go on shall say so and end"
)]

mod bounds;
mod handshake;
mod keepalive;
mod messages;
mod start;
mod stop;
mod support;
