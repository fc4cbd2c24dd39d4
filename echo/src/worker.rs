//! The worker: accepts until a signal comes, then ends every connection in order.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::cli::{Habits, Setup};
use crate::connection;
use crate::listen::{BindError, Listener};
use crate::stream::Stream;

/// Time without accepting after the descriptors (or the kernel's memory) ran out. The listener
/// stays readable then: to ask again at once would only burn the processor.
const PAUSE: Duration = Duration::from_millis(100);

/// Time beyond the close timeout for the connections' own timers to fire first.
const SLACK: Duration = Duration::from_millis(500);

/// Why the worker did not run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Bind(#[from] BindError),
    #[error("cannot start: {0}")]
    Start(io::Error),
}

/// Runs the worker until SIGTERM or SIGINT.
pub(crate) fn run(setup: Setup) -> Result<(), Error> {
    raise_descriptor_limit();
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::Start)?;
    runtime.block_on(serve(setup))
}

async fn serve(setup: Setup) -> Result<(), Error> {
    // Before the socket exists: a signal that comes right after it must find us prepared.
    let mut signals = Signals::new().map_err(Error::Start)?;
    let listener = tokio::select! {
        biased;
        () = signals.next() => return Ok(()),
        bound = Listener::bind(&setup.place) => bound?,
    };
    say(format_args!("listening on {listener}"));

    // Each connection holds a receiver: it hears of the stop there, and has ended when it is gone.
    let (stop, stopped) = watch::channel(false);
    tokio::select! {
        biased;
        () = signals.next() => {}
        () = accept(&listener, Arc::new(setup.habits.clone()), &stopped) => {}
    }
    drop(stopped);
    listener.close();
    stop.send_replace(true);
    tokio::select! {
        biased;
        () = signals.next() => {} // said twice: now
        _ = timeout(setup.habits.close_timeout + SLACK, stop.closed()) => {}
    }
    Ok(())
}

/// Never returns.
async fn accept(listener: &Listener, habits: Arc<Habits>, stopped: &watch::Receiver<bool>) {
    let mut short = false;
    loop {
        match listener.accept().await {
            Ok(stream) => {
                short = false;
                start(stream, habits.clone(), stopped.clone());
            }
            // That client left again before its turn.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(error) => {
                if !std::mem::replace(&mut short, true) {
                    say(format_args!("cannot accept for now: {error}"));
                }
                sleep(PAUSE).await;
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place: watched and ended by serve()")]
fn start(stream: Stream, habits: Arc<Habits>, stopped: watch::Receiver<bool>) {
    tokio::spawn(connection::serve(stream, habits, stopped));
}

/// A client costs a descriptor: take all that we may have. Where that fails we run with fewer.
fn raise_descriptor_limit() {
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
}

fn say(what: std::fmt::Arguments<'_>) {
    // With stderr gone there is nobody to tell.
    let _ = writeln!(io::stderr(), "echo: {what}");
}

struct Signals {
    term: Signal,
    int: Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self { term: signal(SignalKind::terminate())?, int: signal(SignalKind::interrupt())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.term.recv() => {}
            _ = self.int.recv() => {}
        }
    }
}
