//! What concerns the whole process: its limits, its user, its pid file, its place in the
//! background, and its signals.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::unistd::{self, Gid, Group, Uid, User};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::proxy::{Error, Prepared, Proxy};
use crate::config::model::LogTarget;
use crate::config::{Config, Problem};
use crate::observe::Level;

/// Runs a proxy until it is told to end, as nginx's master process does.
///
/// TERM and INT end it at once, QUIT when its connections have ended, HUP loads the configuration
/// anew with `reload`, USR1 opens the log files anew.
///
/// # Errors
/// What kept it from starting.
pub(crate) fn run(
    config: &Config,
    reload: impl Fn() -> Result<Config, Problem>,
) -> Result<(), Error> {
    let prepared = Proxy::prepare(config)?;
    let stderr = stderr_of_daemon(config, &prepared)?;
    if config.daemon {
        go_to_background().map_err(|error| Error::system("daemon()", error))?;
    }
    let pid = config.pid.as_ref().map(|path| PidFile::write(&path.value)).transpose()?;
    raise_descriptor_limit(config)?;
    become_user(config)?;
    // One thread for the signals; the workers have their own.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::system("epoll_create()", error))?;
    runtime.block_on(async {
        let signals = Signals::new().map_err(|error| Error::system("sigaction()", error))?;
        let proxy = prepared.run(config)?;
        if let Some(file) = stderr {
            unistd::dup2_stderr(file.as_fd())
                .map_err(|error| Error::system("dup2()", error.into()))?;
        }
        warn_of_root(config, &proxy);
        signals.obey(&proxy, reload).await;
        drop(pid);
        Ok(())
    })
}

/// The signals that nginx knows.
struct Signals {
    term: Signal,
    int: Signal,
    quit: Signal,
    hup: Signal,
    usr1: Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self {
            term: signal(SignalKind::terminate())?,
            int: signal(SignalKind::interrupt())?,
            quit: signal(SignalKind::quit())?,
            hup: signal(SignalKind::hangup())?,
            usr1: signal(SignalKind::user_defined1())?,
        })
    }

    /// Does what the signals say until the proxy has ended.
    async fn obey(mut self, proxy: &Proxy, reload: impl Fn() -> Result<Config, Problem>) {
        let log = |what: &str| proxy.error_log().log(Level::Notice, format_args!("{what}"));
        let mut stopped = std::pin::pin!(proxy.stopped());
        loop {
            tokio::select! {
                () = &mut stopped => return log("exit"),
                _ = self.term.recv() => {
                    log("signal 15 (SIGTERM) received, exiting");
                    proxy.stop();
                }
                _ = self.int.recv() => {
                    log("signal 2 (SIGINT) received, exiting");
                    proxy.stop();
                }
                _ = self.quit.recv() => {
                    log("signal 3 (SIGQUIT) received, shutting down");
                    proxy.quit();
                }
                _ = self.usr1.recv() => {
                    log("signal 10 (SIGUSR1) received, reopening logs");
                    proxy.reopen_logs();
                }
                _ = self.hup.recv() => {
                    log("signal 1 (SIGHUP) received, reconfiguring");
                    match reload().map_err(Error::from).and_then(|config| proxy.reload(&config)) {
                        Ok(()) => log("reconfigured"),
                        Err(error) => {
                            proxy.error_log().log(Level::Emerg, format_args!("{error}"));
                        }
                    }
                }
            }
        }
    }
}

/// The pid file, removed at the end, or emptied when the user that the process has become may not
/// remove it: it must not go on naming a process that may by then be another.
struct PidFile {
    path: PathBuf,
    file: File,
}

impl PidFile {
    fn write(path: &Path) -> Result<Self, Error> {
        let write = || {
            let mut file = File::create(path)?;
            writeln!(file, "{}", std::process::id())?;
            Ok(Self { path: path.to_owned(), file })
        };
        write().map_err(|error| Error::system(&format!("open() \"{}\"", path.display()), error))
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        // Gone already is as good as removed, and there is nothing more to try.
        if fs::remove_file(&self.path).is_err() {
            let _ = self.file.set_len(0);
        }
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

/// Whom `user` names: only root can become somebody else; nginx ignores the directive otherwise.
pub(super) fn account(config: &Config) -> Result<Option<(User, Gid)>, Problem> {
    let Some(user) = config.user.as_ref().filter(|_| Uid::effective().is_root()) else {
        return Ok(None);
    };
    let problem = |message: String| Problem::new(message, user.span, &config.sources);
    let name = &user.value.name;
    let account = User::from_name(name)
        .ok()
        .flatten()
        .ok_or_else(|| problem(format!("getpwnam(\"{name}\") failed")))?;
    let group = match &user.value.group {
        None => account.gid,
        Some(group) => {
            Group::from_name(group)
                .ok()
                .flatten()
                .ok_or_else(|| problem(format!("getgrnam(\"{group}\") failed")))?
                .gid
        }
    };
    Ok(Some((account, group)))
}

fn become_user(config: &Config) -> Result<(), Error> {
    let Some((account, group)) = account(config)? else { return Ok(()) };
    let failed = |call: &'static str| move |error: nix::Error| Error::system(call, error.into());
    unistd::setgid(group).map_err(failed("setgid()"))?;
    let name = std::ffi::CString::new(account.name)
        .map_err(|error| Error::system("initgroups()", error.into()))?;
    unistd::initgroups(&name, group).map_err(failed("initgroups()"))?;
    unistd::setuid(account.uid).map_err(failed("setuid()"))
}

fn warn_of_root(config: &Config, proxy: &Proxy) {
    if config.user.is_none() && Uid::effective().is_root() {
        proxy.error_log().log(
            Level::Notice,
            format_args!("running as root: the \"user\" directive names somebody less powerful"),
        );
    }
}
