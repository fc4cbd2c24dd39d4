//! The life of the process: its limits, its place in the background, and the order in which it
//! comes to serve.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::unistd;

use super::account::{become_user, warn_of_root};
use super::pid_file::PidFile;
use super::proxy::{Error, Prepared, Proxy};
use super::signals::Signals;
use crate::config::model::LogTarget;
use crate::config::{Config, Problem};

/// Checks a configuration as far as can be without binding anything or leaving anything behind
/// (nginx: `-t`).
///
/// # Errors
/// What would keep it from starting.
pub(crate) fn check(config: &Config) -> Result<(), Error> {
    Proxy::check(config)?;
    config.pid.as_ref().map(|path| PidFile::open(&path.value)).transpose().map(drop)
}

/// Runs a proxy until it is told to end, as nginx's master process does.
///
/// TERM and INT end it at once, QUIT when its connections have ended, HUP loads the configuration
/// anew with `reload`, USR1 opens the log files anew, and WINCH makes a daemon accept nothing more
/// until the next HUP.
///
/// # Errors
/// What kept it from starting.
pub(crate) fn run(
    config: &Config,
    reload: impl Fn() -> Result<Config, Problem>,
) -> Result<(), Error> {
    let prepared = Proxy::prepare(config)?;
    let mut pid = config.pid.as_ref().map(|path| PidFile::open(&path.value)).transpose()?;
    let stderr = stderr_of_daemon(config, &prepared)?;
    raise_descriptor_limit(config)?;
    if config.daemon {
        go_to_background().map_err(|error| Error::system("daemon()", error))?;
    }
    // Whoever reads the pid may send a signal at once: it is listened to first.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::system("epoll_create()", error))?;
    runtime.block_on(async {
        let signals = Signals::new().map_err(|error| Error::system("sigaction()", error))?;
        if let Some(pid) = &mut pid {
            pid.claim()?;
        }
        let powerless = become_user(config, &prepared)?;
        let proxy = prepared.run_as(config, powerless)?;
        if let Some(file) = stderr {
            unistd::dup2_stderr(file.as_fd())
                .map_err(|error| Error::system("dup2()", error.into()))?;
        }
        warn_of_root(config, &proxy.error_log());
        signals.obey(&proxy, config.daemon, reload).await;
        drop(pid);
        Ok(())
    })
}

/// nginx's `daemon on`: the parent exits, the child goes on without a terminal. Standard error
/// stays until the logs are elsewhere.
fn go_to_background() -> io::Result<()> {
    unistd::daemon(true, true)?;
    let null = File::options().read(true).write(true).open("/dev/null")?;
    unistd::dup2_stdin(null.as_fd())?;
    unistd::dup2_stdout(null.as_fd())?;
    Ok(())
}

/// What a daemon's standard error becomes once it runs: the error log, as in nginx, unless that is
/// standard error. Whoever reads a daemon's standard error to the end is then not kept waiting.
/// Opened early, as the user that it becomes may not be allowed to.
fn stderr_of_daemon(config: &Config, prepared: &Prepared) -> Result<Option<File>, Error> {
    let log = config.error_log.first().filter(|_| config.daemon && !prepared.logs_to_stderr());
    let Some(LogTarget::File(path)) = log.map(|log| &log.target.value) else { return Ok(None) };
    let open = File::options().append(true).create(true).open(path);
    let failed = |error| Error::system(&format!("open() \"{}\"", path.display()), error);
    open.map(Some).map_err(failed)
}

/// `worker_rlimit_nofile`, or as many descriptors as the hard limit gives.
fn raise_descriptor_limit(config: &Config) -> Result<(), Error> {
    let failed = |error: nix::Error| Error::system("setrlimit(RLIMIT_NOFILE)", error.into());
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).map_err(failed)?;
    let (soft, hard) = match config.worker_rlimit_nofile {
        Some(limit) => (limit, hard.max(limit)),
        None => (hard, hard),
    };
    setrlimit(Resource::RLIMIT_NOFILE, soft, hard).map_err(failed)
}
