//! The binary `echo`: a WebSocket echo worker, one of N behind a load balancer.
//!
//! A client's bytes go this way, and so do the imports:
//!
//! - `cli`: the flags and the environment, as a [`cli::Setup`];
//! - `worker`: the accept loop, and how it ends;
//! - `listen`: where it listens: a TCP address, or a unix socket that nobody else serves;
//! - `connection`: one client's time line: handshake, echo, keepalive, close;
//! - `handshake`: RFC 6455 §4.2, as far as HTTP goes;
//! - `frames`: RFC 6455 §5: what comes in, and what goes back for it; knows no socket and no clock;
//! - `spare`: large buffers on their way from one message to the next;
//! - `stream`: TCP and unix sockets as one type.

use std::io::{self, Write};
use std::process::ExitCode;

mod cli;
mod connection;
mod frames;
mod handshake;
mod listen;
mod spare;
mod stream;
mod worker;

/// Exit code 0 after a signal, `--help` and `--version`; 1 after every error.
fn main() -> ExitCode {
    let setup = match cli::read() {
        Ok(setup) => setup,
        Err(cli::Problem::Usage(usage)) => {
            let code = if usage.use_stderr() { ExitCode::FAILURE } else { ExitCode::SUCCESS };
            // Nobody is left to tell if the terminal is gone.
            let _ = usage.print();
            return code;
        }
        Err(problem) => return fail(&problem),
    };
    match worker::run(setup) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

fn fail(error: &dyn std::error::Error) -> ExitCode {
    let _ = writeln!(io::stderr(), "echo: {error}");
    ExitCode::FAILURE
}
