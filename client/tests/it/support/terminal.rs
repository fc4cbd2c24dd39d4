//! A terminal: the client runs in it, and the test sees its screen and types.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::num::NonZeroU16;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Child;
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::thread;
use std::time::Instant;

use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{
    InputModes, LocalModes, OptionalActions, Winsize, tcgetattr, tcsetattr, tcsetwinsize,
};
use tempfile::NamedTempFile;

use super::{PATIENCE, run};

const ROWS: u16 = 24;
const COLUMNS: u16 = 60;

/// A screen of 24 rows and 60 columns with the client in it.
pub(crate) struct Terminal {
    child: Child,
    keyboard: File,
    slave: File,
    output: NamedTempFile,
    screen: Arc<(Mutex<vt100::Parser>, Condvar)>,
    watchdog: mpsc::Sender<()>,
}

impl Terminal {
    /// Starts the client in a new terminal.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::start_as("xterm", arguments)
    }

    /// Starts the client in a terminal of this kind.
    pub(crate) fn start_as(term: &str, arguments: &[&str]) -> Self {
        Self::launch(term, arguments, false)
    }

    /// Starts the client in a terminal, with a file for its standard output.
    pub(crate) fn redirected(arguments: &[&str]) -> Self {
        Self::launch("xterm", arguments, true)
    }

    fn launch(term: &str, arguments: &[&str], redirected: bool) -> Self {
        let (master, slave) = open();
        let output = NamedTempFile::new().unwrap();
        let end = || slave.try_clone().unwrap();
        let mut command = run::client();
        command.args(arguments).env("TERM", term).stdin(end()).stdout(end()).stderr(end());
        // A group of its own, as a shell gives it: Ctrl-Z stops the group.
        command.process_group(0);
        if redirected {
            command.stdout(output.reopen().unwrap());
        }
        let child = command.spawn().expect("the client starts");
        let watchdog = run::watch(&child);
        let parser = vt100::Parser::new(size(ROWS), size(COLUMNS), 0);
        let screen = Arc::new((Mutex::new(parser), Condvar::new()));
        let shown = Arc::clone(&screen);
        let mut display = master.try_clone().unwrap();
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = display.read(&mut bytes) {
                shown.0.lock().unwrap().process(&bytes[..count]);
                shown.1.notify_all();
            }
        });
        Self { child, keyboard: master, slave, output, screen, watchdog }
    }

    pub(crate) fn type_in(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("the client runs");
    }

    /// Waits until the client is stopped, and does with the terminal what a shell then does.
    pub(crate) fn stopped(&self) {
        let pid = Pid::from_child(&self.child);
        let status = waitpid(Some(pid), WaitOptions::UNTRACED).unwrap().unwrap().1;
        assert!(status.stopped(), "{status:?}");
        let mut modes = tcgetattr(&self.slave).unwrap();
        modes.local_modes.insert(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG);
        modes.input_modes.insert(InputModes::ICRNL);
        tcsetattr(&self.slave, OptionalActions::Now, &modes).unwrap();
    }

    /// Waits until the terminal does not echo what is typed.
    pub(crate) fn quiet(&self) {
        let since = Instant::now();
        while tcgetattr(&self.slave).unwrap().local_modes.contains(LocalModes::ECHO) {
            assert!(since.elapsed() < PATIENCE, "the terminal still echoes");
            thread::yield_now();
        }
    }

    /// Waits until the screen shows these lines, and nothing else.
    pub(crate) fn shows(&self, lines: &[&str]) {
        self.until(&lines.join("\n"), |screen| screen == lines.join("\n"));
    }

    /// Waits until the screen's last line is this one.
    pub(crate) fn ends_with(&self, line: &str) {
        self.until(line, |screen| screen.lines().last().unwrap_or_default() == line);
    }

    /// Waits until the cursor is in this column.
    pub(crate) fn cursor_at(&self, column: u16) {
        let (screen, changed) = &*self.screen;
        let guard = screen.lock().unwrap();
        let there = |parser: &mut vt100::Parser| parser.screen().cursor_position().1 != column;
        let (guard, timeout) = changed.wait_timeout_while(guard, PATIENCE, there).unwrap();
        let at = guard.screen().cursor_position();
        assert!(!timeout.timed_out(), "the cursor is at {at:?}");
    }

    /// What the screen shows now.
    pub(crate) fn screen(&self) -> String {
        text(self.screen.0.lock().unwrap().screen())
    }

    /// What a redirected client has written.
    pub(crate) fn file(&self) -> &Path {
        self.output.path()
    }

    /// Waits for the client's end and returns its exit status, having seen that the terminal is as
    /// it was before: it echoes, takes lines, and makes signals of keys.
    pub(crate) fn wait(&mut self) -> i32 {
        let status = self.child.wait().unwrap();
        let _ = self.watchdog.send(());
        let modes = tcgetattr(&self.slave).unwrap().local_modes;
        assert!(modes.contains(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG));
        status.code().unwrap_or_else(|| panic!("ended by {status}"))
    }

    /// Waits until the screen is as the condition says.
    pub(crate) fn until(&self, wanted: &str, is_there: impl Fn(&str) -> bool) {
        let (screen, changed) = &*self.screen;
        let guard = screen.lock().unwrap();
        let not_yet = |parser: &mut vt100::Parser| !is_there(&text(parser.screen()));
        let (guard, timeout) = changed.wait_timeout_while(guard, PATIENCE, not_yet).unwrap();
        let shown = text(guard.screen());
        assert!(!timeout.timed_out(), "waited for:\n{wanted}\n\nbut the screen is:\n{shown}");
    }
}

/// What is on the screen, without the space to the right of lines and below them.
fn text(screen: &vt100::Screen) -> String {
    let rows: Vec<String> = screen.rows(0, COLUMNS).map(|row| row.trim_end().to_owned()).collect();
    rows.join("\n").trim_end().to_owned()
}

fn open() -> (File, File) {
    let master: OwnedFd = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
    // Not our controlling terminal: the test process usually has another, and must not take this.
    let flags = rustix::fs::OFlags::NOCTTY.bits().cast_signed();
    let slave = {
        use std::os::unix::fs::OpenOptionsExt as _;
        OpenOptions::new().read(true).write(true).custom_flags(flags).open(name).unwrap()
    };
    let size = Winsize { ws_row: ROWS, ws_col: COLUMNS, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(&slave, size).unwrap();
    (File::from(master), slave)
}

fn size(cells: u16) -> NonZeroU16 {
    NonZeroU16::new(cells).unwrap()
}
