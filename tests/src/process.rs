//! Child processes that never outlive their test, and waiting on conditions.

use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

/// How long a test waits for something that normally takes milliseconds, on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(15);

/// Calls `probe` until it gives a value.
///
/// # Panics
/// When `limit` has passed first; the message says what was waited for.
pub fn wait_for<T>(what: &str, limit: Duration, mut probe: impl FnMut() -> Option<T>) -> T {
    try_wait_for(limit, &mut probe).unwrap_or_else(|| panic!("{what}: not within {limit:?}"))
}

/// Calls `probe` until it says yes; panics as [`wait_for`] does.
pub fn wait_until(what: &str, limit: Duration, mut probe: impl FnMut() -> bool) {
    wait_for(what, limit, || probe().then_some(()));
}

/// Calls `probe` until it gives a value, or `None` when `limit` has passed first.
pub fn try_wait_for<T>(limit: Duration, mut probe: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + limit;
    loop {
        if let Some(value) = probe() {
            return Some(value);
        }
        if Instant::now() >= end {
            return None;
        }
        #[expect(clippy::disallowed_methods, reason = "the one place that polls, with a deadline")]
        thread::sleep(Duration::from_millis(2));
    }
}

/// A running child in a process group of its own, with what it prints.
///
/// Dropping it ends it: with [`Running::stop_with`], by that signal and a grace period first;
/// then, and always, by a SIGKILL to its whole group.
#[derive(Debug)]
pub struct Running {
    name: String,
    child: Child,
    stdout: Captured,
    stderr: Captured,
    stop: Option<(Signal, Duration)>,
}

impl Running {
    /// Starts `command` with stdin, stdout and stderr piped. stdin stays open until
    /// [`Running::close_stdin`].
    ///
    /// # Panics
    /// When the program can't be started; the message names it.
    pub fn start(name: &str, mut command: Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.process_group(0);
        let mut child =
            command.spawn().unwrap_or_else(|error| panic!("{name}: {command:?}: {error}"));
        let stdout = Captured::read(child.stdout.take());
        let stderr = Captured::read(child.stderr.take());
        Self { name: name.into(), child, stdout, stderr, stop: None }
    }

    /// The end to give it at Drop: `signal` to the process alone, then up to `grace` to exit.
    /// For a parent whose children have groups of their own, such as supervisord.
    #[must_use]
    pub fn stop_with(mut self, signal: Signal, grace: Duration) -> Self {
        self.stop = Some((signal, grace));
        self
    }

    /// The process id.
    #[must_use]
    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Sends `signal` to the process; one that has already gone is no error.
    pub fn signal(&self, signal: Signal) {
        let _gone = kill_process(self.pid(), signal);
    }

    /// Writes to its stdin. False when it no longer reads.
    pub fn write(&mut self, bytes: &[u8]) -> bool {
        let Some(stdin) = &mut self.child.stdin else { return false };
        stdin.write_all(bytes).and_then(|()| stdin.flush()).is_ok()
    }

    /// Ends its stdin.
    pub fn close_stdin(&mut self) {
        self.child.stdin = None;
    }

    /// What it has printed on stdout so far.
    #[must_use]
    pub fn stdout(&self) -> String {
        self.stdout.text()
    }

    /// What it has printed on stderr so far.
    #[must_use]
    pub fn stderr(&self) -> String {
        self.stderr.text()
    }

    /// Waits until stdout and stderr together contain `text`.
    ///
    /// # Panics
    /// When it does not within [`PATIENCE`]; the message has all that was printed.
    pub fn wait_for_output(&self, text: &str) {
        let seen = || self.stdout().contains(text) || self.stderr().contains(text);
        if try_wait_for(PATIENCE, || seen().then_some(())).is_none() {
            let (name, out, err) = (&self.name, self.stdout(), self.stderr());
            panic!("{name} never said {text:?}\n--- stdout\n{out}\n--- stderr\n{err}");
        }
    }

    /// Its exit status, if it has ended.
    ///
    /// # Panics
    /// When the system can't tell, which only a reaped child explains.
    pub fn exited(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap_or_else(|error| panic!("{}: wait: {error}", self.name))
    }

    /// Waits until it ends by itself and all its output is in.
    ///
    /// # Panics
    /// When it is still there after `limit`; the message has its stderr.
    pub fn wait_exit(&mut self, limit: Duration) -> ExitStatus {
        let Some(status) = try_wait_for(limit, || self.exited()) else {
            panic!("{} did not exit within {limit:?}; stderr:\n{}", self.name, self.stderr());
        };
        // A grandchild may hold the pipes open: then what came so far is what there is.
        let _all = try_wait_for(Duration::from_secs(2), || {
            (self.stdout.ended() && self.stderr.ended()).then_some(())
        });
        status
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let (Some((signal, grace)), Ok(None)) = (self.stop, self.child.try_wait()) {
            self.signal(signal);
            let _ended = try_wait_for(grace, || self.child.try_wait().ok().flatten());
        }
        let _gone = kill_process_group(self.pid(), Signal::KILL);
        let _status = self.child.wait();
    }
}

/// Runs `command` to its end and gives what it printed: exit status, stdout, stderr.
///
/// # Panics
/// When it can't be started, or is still running after `limit`.
pub fn run(name: &str, command: Command, limit: Duration) -> (ExitStatus, String, String) {
    let mut child = Running::start(name, command);
    child.close_stdin();
    let status = child.wait_exit(limit);
    (status, child.stdout(), child.stderr())
}

/// Collects one pipe on a thread of its own, which ends with the pipe.
#[derive(Debug)]
struct Captured {
    bytes: Arc<Mutex<Vec<u8>>>,
    ended: Arc<AtomicBool>,
}

impl Captured {
    fn read(pipe: Option<impl Read + Send + 'static>) -> Self {
        let this = Self { bytes: Arc::default(), ended: Arc::new(AtomicBool::new(pipe.is_none())) };
        if let Some(mut pipe) = pipe {
            let (bytes, ended) = (Arc::clone(&this.bytes), Arc::clone(&this.ended));
            thread::spawn(move || {
                let mut part = [0; 4096];
                while let Ok(n @ 1..) = pipe.read(&mut part) {
                    bytes
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .extend_from_slice(&part[..n]);
                }
                ended.store(true, Ordering::Release);
            });
        }
        this
    }

    fn text(&self) -> String {
        let bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }
}
