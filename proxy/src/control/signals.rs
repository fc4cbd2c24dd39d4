//! The signals that nginx's master process knows, and what they do.

use std::io;

use nix::sys::signal::{SigSet, Signal as Known};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::proxy::{Error, Proxy};
use super::service::Service;
use super::successor::Unfit;
use crate::config::{Config, Problem};
use crate::observe::Level;

/// Those that the process listens to.
const KNOWN: [Known; 7] = [
    Known::SIGTERM,
    Known::SIGINT,
    Known::SIGQUIT,
    Known::SIGHUP,
    Known::SIGUSR1,
    Known::SIGUSR2,
    Known::SIGWINCH,
];

/// Has them wait, as far as the calling thread is concerned. A thread that never listens to them
/// takes none from one that does.
pub(super) fn hold() -> io::Result<()> {
    Ok(known().thread_block()?)
}

/// Lets them in.
pub(super) fn release() -> io::Result<()> {
    Ok(known().thread_unblock()?)
}

fn known() -> SigSet {
    KNOWN.into_iter().collect()
}

/// The signals, listened to from now on.
pub(super) struct Signals {
    term: Signal,
    int: Signal,
    quit: Signal,
    hup: Signal,
    usr1: Signal,
    usr2: Signal,
    winch: Signal,
}

impl Signals {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self {
            term: signal(SignalKind::terminate())?,
            int: signal(SignalKind::interrupt())?,
            quit: signal(SignalKind::quit())?,
            hup: signal(SignalKind::hangup())?,
            usr1: signal(SignalKind::user_defined1())?,
            usr2: signal(SignalKind::user_defined2())?,
            winch: signal(SignalKind::window_change())?,
        })
    }

    /// Does what the signals say until the proxy has ended. A terminal sends WINCH to whoever
    /// runs in it, so that means something to a daemon only, as in nginx.
    pub(super) async fn obey(
        mut self,
        proxy: &Proxy,
        service: &Service,
        daemon: bool,
        reload: impl Fn() -> Result<Config, Problem>,
        upgrade: impl AsyncFn() -> Unfit,
    ) {
        let say = |level, what: &str| proxy.error_log().log(level, format_args!("{what}"));
        let log = |what: &str| say(Level::Notice, what);
        let mut stopped = std::pin::pin!(proxy.stopped());
        loop {
            tokio::select! {
                () = &mut stopped => return log("exit"),
                _ = self.term.recv() => {
                    log("signal 15 (SIGTERM) received, exiting");
                    proxy.stop();
                    service.stopping(proxy);
                }
                _ = self.int.recv() => {
                    log("signal 2 (SIGINT) received, exiting");
                    proxy.stop();
                    service.stopping(proxy);
                }
                _ = self.quit.recv() => {
                    log("signal 3 (SIGQUIT) received, shutting down");
                    proxy.quit();
                    service.stopping(proxy);
                }
                _ = self.winch.recv(), if daemon => {
                    log("signal 28 (SIGWINCH) received, stop accepting connections");
                    proxy.pause();
                }
                _ = self.usr1.recv() => {
                    log("signal 10 (SIGUSR1) received, reopening logs");
                    proxy.reopen_logs();
                }
                _ = self.usr2.recv() => {
                    log("signal 12 (SIGUSR2) received, changing binary");
                    service.begin_change(proxy);
                    // It comes back only when nothing has changed.
                    let unfit = upgrade().await;
                    let trouble = format!("the binary is not changed: {unfit}");
                    say(Level::Emerg, &trouble);
                    service.end_change(proxy, Some(trouble));
                }
                _ = self.hup.recv() => {
                    log("signal 1 (SIGHUP) received, reconfiguring");
                    service.begin_change(proxy);
                    let loaded = reload().map_err(Error::from);
                    let loaded = loaded.inspect_err(|error| proxy.note_failure(error));
                    let trouble = match loaded.and_then(|config| proxy.reload(&config)) {
                        Ok(()) => {
                            log("reconfigured");
                            None
                        }
                        Err(error) => {
                            say(Level::Emerg, &error.to_string());
                            Some(format!("the configuration is not changed: {error}"))
                        }
                    };
                    service.end_change(proxy, trouble);
                }
            }
        }
    }
}
