//! Signals that ask to leave.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::close::Close;

/// SIGINT, SIGTERM and SIGHUP, taken for as long as the program runs.
#[derive(Debug)]
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

impl Signals {
    /// Takes the signals over.
    ///
    /// # Errors
    /// When the system does not let us.
    pub(crate) fn take() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for a signal, and says which close code it calls for: Ctrl-C is a person who is done
    /// (1000), the others are a client that goes away, as a browser does (1001).
    pub(crate) async fn next(&mut self) -> u16 {
        tokio::select! {
            _ = self.interrupt.recv() => Close::NORMAL,
            _ = self.terminate.recv() => Close::GOING_AWAY,
            _ = self.hang_up.recv() => Close::GOING_AWAY,
        }
    }
}
