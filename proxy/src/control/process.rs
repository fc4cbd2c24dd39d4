//! The life of the process: its limits, its place in the background, and the order in which it
//! comes to serve.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::unistd;

use super::account::{become_user, warn_of_root};
use super::activation::Passed;
use super::handover::{Handover, Listener};
use super::pid_file::PidFile;
use super::prepared::Prepared;
use super::proxy::{Error, Proxy};
use super::service::Service;
use super::signals::{self, Signals};
use super::successor::{Successor, Unfit};
use crate::config::model::LogTarget;
use crate::config::{Config, Problem};

/// Checks a configuration as far as can be without binding anything or leaving anything behind
/// (nginx: `-t`).
///
/// # Errors
/// What would keep it from starting.
pub(crate) fn check(config: &Config) -> Result<(), Error> {
    Proxy::check(config)?;
    // The pid file goes on with the process, which may not be allowed to open it any more.
    let pid = config.pid.as_ref().filter(|_| !Handover::is_checked());
    pid.map(|path| PidFile::open(&path.value)).transpose().map(drop)
}

/// Runs a proxy until it is told to end, as nginx's master process does.
///
/// TERM and INT end it at once, QUIT when its connections have ended, HUP loads the configuration
/// anew with `reload`, USR1 opens the log files anew, USR2 has the binary that is there now take
/// over, and WINCH makes a daemon accept nothing more until the next HUP. Where another image has
/// left a `handover`, it goes on with that. `superuser` says whether root has started the process.
///
/// # Errors
/// What kept it from starting.
pub(crate) fn run(
    config: &Config,
    mut handover: Option<Handover>,
    superuser: bool,
    reload: impl Fn() -> Result<Config, Problem>,
) -> Result<(), Error> {
    let goes_on = handover.is_some();
    let service = Service::from_environment();
    let listeners = handover.as_mut().map(|left| std::mem::take(&mut left.listeners));
    let passed = match listeners {
        Some(listeners) => {
            let bound = listeners.into_iter().map(Listener::into_bound).collect::<io::Result<_>>();
            let bound = bound.map_err(|error| Error::system("getsockname()", error))?;
            Passed { bound, by_nginx: false }
        }
        None => Passed::receive()?,
    };
    let stays = goes_on || passed.by_nginx;
    let prepared = Prepared::new(config, passed.bound)?;
    let mut pid = pid_file(config, handover.as_mut())?;
    let stderr = match goes_on {
        true => None,
        false => stderr_of_daemon(config, &prepared)?,
    };
    raise_descriptor_limit(config)?;
    if config.daemon && !stays {
        go_to_background().map_err(|error| Error::system("daemon()", error))?;
        service.moved();
    }
    // Whoever reads the pid may send a signal at once: it is listened to first.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::system("epoll_create()", error))?;
    runtime.block_on(async {
        let signals = Signals::new().map_err(|error| Error::system("sigaction()", error))?;
        signals::release().map_err(|error| Error::system("sigprocmask()", error))?;
        if let Some(pid) = &mut pid {
            pid.claim()?;
        }
        // Whoever goes on has become somebody else already, if anybody.
        let powerless = become_user(config, &prepared)? || goes_on;
        let proxy = prepared.run_as(config, powerless, handover)?;
        if let Some(file) = stderr {
            unistd::dup2_stderr(file.as_fd())
                .map_err(|error| Error::system("dup2()", error.into()))?;
        }
        warn_of_root(config, &proxy.error_log());
        service.ready(&proxy);
        let successor = Successor::of_this(superuser, service.left());
        let upgrade = async || match &successor {
            Ok(successor) => {
                let Err(unfit) = successor.take_over(&proxy, pid.as_ref()).await;
                unfit
            }
            Err(error) => Unfit::unknown(error),
        };
        tokio::select! {
            () = signals.obey(&proxy, &service, config.daemon, reload, upgrade) => {}
            never = service.attend(&proxy) => match never {},
        }
        drop(pid);
        Ok(())
    })
}

/// The pid file: the one that was claimed before, where that is still the one that is meant.
fn pid_file(config: &Config, handover: Option<&mut Handover>) -> Result<Option<PidFile>, Error> {
    let path = config.pid.as_ref().map(|path| &path.value);
    let left = handover.and_then(|left| left.pid_file.take());
    // Another one is removed when it is dropped.
    let left = left.map(|(path, file)| PidFile::inherit(path, file));
    match left.filter(|left| Some(left.path()) == path.map(|path| &**path)) {
        Some(left) => Ok(Some(left)),
        None => path.map(|path| PidFile::open(path)).transpose(),
    }
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
