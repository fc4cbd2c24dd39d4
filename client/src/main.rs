//! The binary `client`: a WebSocket client for a terminal and for a pipe.
//!
//! The map, in the order in which a run goes through it:
//!
//! - [`cli`] reads the command line and says what is to be done;
//! - [`address`] understands the URL, [`handshake`] connects to it over a [`stream`]: TCP, a Unix
//!   socket, or [`tls`];
//! - [`face`] is the side of the person: a [`terminal`] with a prompt, where a [`gate`] keeps order
//!   and a [`command`] starts with a slash, or a [`pipe`];
//! - [`session`] is the conversation between the two; [`signals`] may end it, [`keepalive`] too;
//! - [`words`] and [`close`] hold how things are said.
//!
//! Beside it stands the load generator, [`mod@bench`], which is reached by `client bench`.

use std::process::ExitCode;

mod address;
mod bench;
mod cli;
mod close;
mod command;
mod face;
mod gate;
mod handshake;
mod keepalive;
mod pipe;
mod session;
mod signals;
mod stream;
mod terminal;
mod tls;
mod words;

fn main() -> ExitCode {
    cli::run()
}
