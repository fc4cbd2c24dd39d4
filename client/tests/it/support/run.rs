//! Runs of the client with pipes for standard input, output and error.

use std::io::{BufRead as _, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use rustix::process::{Pid, Signal, kill_process};

use super::PATIENCE;

/// What a run said, and its exit status.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) out: String,
    pub(crate) err: String,
    pub(crate) status: i32,
}

/// A run in progress.
pub(crate) struct Run {
    child: Child,
    input: Option<ChildStdin>,
    out: mpsc::Receiver<String>,
    said: String,
    err: JoinHandle<String>,
    watchdog: mpsc::Sender<()>,
}

/// The client, to be started.
pub(crate) fn client() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_client"));
    command.env("TERM", "xterm");
    command
}

/// Runs the client with this input to its end.
pub(crate) fn run(arguments: &[&str], input: &str) -> Outcome {
    let mut run = start(arguments);
    run.type_in(input);
    run.finish()
}

/// Starts the client, with a standard input that stays open.
pub(crate) fn start(arguments: &[&str]) -> Run {
    start_command(client().args(arguments))
}

pub(crate) fn start_command(command: &mut Command) -> Run {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the client starts");
    let input = child.stdin.take();
    let stdout = child.stdout.take().expect("piped");
    let stderr = child.stderr.take().expect("piped");
    let (to_test, out) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines() {
            let Ok(line) = line else { return };
            let _ = to_test.send(line);
        }
    });
    let err = thread::spawn(move || read(stderr));
    let watchdog = watch(&child);
    Run { child, input, out, said: String::new(), err, watchdog }
}

impl Run {
    /// Writes to standard input. A client that has gone takes nothing; that is for it to explain.
    pub(crate) fn type_in(&mut self, text: &str) {
        let _ = self.input.as_mut().expect("standard input is open").write_all(text.as_bytes());
    }

    /// Takes standard input away, for a thread to fill.
    pub(crate) fn input(&mut self) -> ChildStdin {
        self.input.take().expect("standard input is open")
    }

    /// Waits for the next line, and returns it.
    pub(crate) fn line(&mut self) -> String {
        let line = self.out.recv_timeout(PATIENCE).expect("another line");
        self.said.push_str(&line);
        self.said.push('\n');
        line
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("the client runs");
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits for the end with standard input still open.
    pub(crate) fn wait(mut self) -> Outcome {
        let input = self.input.take();
        let outcome = self.finish();
        drop(input);
        outcome
    }

    /// Ends standard input and waits for the end.
    pub(crate) fn finish(mut self) -> Outcome {
        drop(self.input.take());
        for line in self.out.iter() {
            self.said.push_str(&line);
            self.said.push('\n');
        }
        let status = self.child.wait().expect("the client ends");
        let _ = self.watchdog.send(());
        Outcome {
            out: self.said,
            err: self.err.join().expect("standard error is text"),
            status: status.code().unwrap_or_else(|| panic!("ended by {status}")),
        }
    }
}

/// Kills a run that never ends, which its test then reports.
pub(crate) fn watch(child: &Child) -> mpsc::Sender<()> {
    let (ended, told) = mpsc::channel();
    let pid = Pid::from_child(child);
    thread::spawn(move || {
        if told.recv_timeout(2 * PATIENCE) == Err(mpsc::RecvTimeoutError::Timeout) {
            let _ = kill_process(pid, Signal::KILL);
        }
    });
    ended
}

fn read(mut from: impl Read) -> String {
    let mut text = String::new();
    from.read_to_string(&mut text).expect("text");
    text
}
