//! The binary `client`: a WebSocket client for a terminal and for a pipe.
//!
//! The map, in the order in which a run goes through it:
//!
//! - [`cli`] reads the command line and says what is to be done;
//! - [`address`] understands the URL, [`handshake`] connects to it over a [`stream`] (TCP, Unix, [`tls`]);
//! - [`face`] is the side of the person: [`terminal`] with a prompt, or [`pipe`];
//! - [`session`] is the conversation between the two, [`signals`] may end it, [`keepalive`] too;
//! - [`words`] holds how things are said.

use std::process::ExitCode;

mod address;
mod cli;
mod close;
mod face;
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
