//! A program that runs in front of the workers.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use tests::process::Running;

use crate::load::{Target, ask};
use crate::problem::Problem;
use crate::procfs::{self, CpuTime};

/// How long a front may take to answer for the first time.
const PATIENCE: Duration = Duration::from_secs(15);
/// How often it is asked meanwhile.
const AGAIN: Duration = Duration::from_millis(1);

/// A running front; dropping it ends it.
pub(crate) struct Front {
    /// None where the workers are asked themselves.
    pub(super) running: Option<Running>,
    /// Where it is asked.
    pub(crate) target: Target,
    /// From its start to its first answer.
    pub(crate) started_in: Duration,
    /// How it is told to load its files anew, and what must stand in them before.
    pub(super) reload: Reload,
    /// The command that tells it, as long as it runs.
    reloading: Option<Running>,
}

/// How a front is told to load its files anew.
pub(super) enum Reload {
    /// By a signal to its first process.
    Signal(Signal),
    /// By a command, once.
    Command(Option<Box<Command>>),
    /// It watches them.
    Watched,
}

/// Files as they are to be: each is put in its place whole.
pub(crate) type Files = Vec<(PathBuf, String)>;

impl Front {
    /// No front at all: what it would stand before is asked itself.
    pub(super) fn none(target: Target) -> Self {
        let (started_in, reload) = (Duration::ZERO, Reload::Watched);
        Self { running: None, target, started_in, reload, reloading: None }
    }

    /// Starts it and waits for its first answer.
    pub(super) async fn start(
        label: &str,
        command: Command,
        address: SocketAddr,
        reload: Reload,
    ) -> Result<Self, Problem> {
        let begun = Instant::now();
        let running =
            Running::start(label, command).stop_with(Signal::TERM, Duration::from_secs(2));
        let mut front =
            Self { running: Some(running), reload, ..Self::none(Target::Front(address)) };
        let answer = async {
            while !ask(&front.target, "/").await.is_ok_and(|head| head.contains(" 200 ")) {
                tokio::time::sleep(AGAIN).await;
                if front.has_ended() {
                    return Err("ended at once");
                }
            }
            Ok(())
        };
        let late = Err("does not answer in time");
        let outcome = tokio::time::timeout(PATIENCE, answer).await.unwrap_or(late);
        front.started_in = begun.elapsed();
        // Another program may have taken the port meanwhile: then it is that one that answers.
        let outcome = match outcome {
            Ok(()) if front.said().contains("in use") => Err("lost its port: try again"),
            outcome => outcome,
        };
        match outcome {
            Ok(()) => Ok(front),
            Err(what) => Err(Problem::Process { name: label.to_owned(), what, said: front.said() }),
        }
    }

    /// Puts `files` in place and has it load them. It is done when it answers with the next
    /// generation: how long that took.
    pub(crate) async fn load_anew(&mut self, files: &Files) -> Result<Duration, Problem> {
        put(files)?;
        let begun = Instant::now();
        match &mut self.reload {
            Reload::Signal(signal) => {
                if let Some(running) = &self.running {
                    running.signal(*signal);
                }
            }
            Reload::Command(command) => {
                // Its own end is waited for by nobody: what counts is what the front answers.
                self.reloading = command.take().map(|command| Running::start("reload", *command));
            }
            Reload::Watched => {}
        }
        let answered = async {
            loop {
                let head = ask(&self.target, "/generation").await.unwrap_or_default();
                if head.to_ascii_lowercase().contains("\r\ngeneration: 2\r\n") {
                    return;
                }
                tokio::time::sleep(AGAIN).await;
            }
        };
        let (name, what) = ("the reload".to_owned(), "shows no effect in time");
        tokio::time::timeout(PATIENCE, answered).await.map_err(|_| Problem::Process {
            name,
            what,
            said: self.said(),
        })?;
        Ok(begun.elapsed())
    }

    /// CPU time that it has used so far, all its processes together; none without a front.
    pub(crate) fn cpu_time(&self) -> Result<CpuTime, Problem> {
        self.pid().map_or(Ok(CpuTime::default()), CpuTime::of)
    }

    /// Its memory in kibibytes, all its processes together; none without a front.
    pub(crate) fn memory(&self) -> Result<u64, Problem> {
        self.pid().map_or(Ok(0), procfs::memory)
    }

    /// What it has put on stdout and stderr so far: the last of it.
    pub(crate) fn said(&self) -> String {
        let said = self.running.as_ref().map_or_else(String::new, |running| {
            format!("{}{}", running.stdout(), running.stderr())
        });
        let lines: Vec<_> = said.lines().collect();
        let last = lines.iter().skip(lines.len().saturating_sub(10));
        last.map(|line| format!("  {line}\n")).collect()
    }

    fn has_ended(&mut self) -> bool {
        let Some(running) = &mut self.running else { return false };
        let ended = running.exited().is_some();
        if ended {
            // For its last words.
            running.wait_exit(PATIENCE);
        }
        ended
    }

    fn pid(&self) -> Option<u32> {
        let pid = self.running.as_ref()?.pid();
        u32::try_from(pid.as_raw_nonzero().get()).ok()
    }
}

/// Writes each file beside its place and moves it there: whoever watches sees it whole.
pub(super) fn put(files: &Files) -> Result<(), Problem> {
    for (path, text) in files {
        let cannot = || format!("cannot write {}", path.display());
        let beside = path.with_extension("new");
        std::fs::write(&beside, text)
            .and_then(|()| std::fs::rename(&beside, path))
            .map_err(Problem::io(cannot()))?;
    }
    Ok(())
}
