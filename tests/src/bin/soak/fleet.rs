//! The four workers: real `echo` on unix sockets, started, stopped and killed.

use std::cell::{RefCell, RefMut};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;
use tests::place;
use tests::process::Running;
use tokio::sync::{Mutex, Semaphore};

use crate::stage::until;

/// How many there are.
pub(crate) const WORKERS: usize = 4;

/// How many may have a fault at a time, so that others can take what comes.
const FAULTY: u32 = 2;

/// All of them.
#[derive(Debug)]
pub(crate) struct Fleet {
    workers: [Worker; WORKERS],
    /// Held by a fault of a worker.
    pub(crate) faulty: Semaphore,
}

/// One of them.
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) number: usize,
    pub(crate) socket: PathBuf,
    running: RefCell<Option<Running>>,
    /// Held by the fault that it has.
    pub(crate) slot: Mutex<()>,
}

impl Fleet {
    /// Starts them, on sockets in this directory.
    pub(crate) async fn start(directory: &Path) -> Self {
        let workers = std::array::from_fn(|number| Worker {
            number,
            socket: directory.join(format!("worker-{number}.sock")),
            running: RefCell::default(),
            slot: Mutex::default(),
        });
        for worker in &workers {
            worker.start().await;
        }
        Self { workers, faulty: Semaphore::new(usize::try_from(FAULTY).unwrap()) }
    }

    /// The one of this number.
    pub(crate) fn worker(&self, number: usize) -> &Worker {
        &self.workers[number]
    }

    /// All, in order.
    pub(crate) fn workers(&self) -> &[Worker; WORKERS] {
        &self.workers
    }

    /// Waits until none has a fault, and keeps it so.
    pub(crate) async fn whole(&self) -> tokio::sync::SemaphorePermit<'_> {
        self.faulty.acquire_many(FAULTY).await.unwrap()
    }
}

impl Worker {
    /// Starts it anew, and waits until it accepts. Everybody may use its socket.
    pub(crate) async fn start(&self) {
        let mut command = Command::new("sh");
        command.args(["-c", "umask 0; exec \"$0\" \"$@\""]).arg(place::binary("echo"));
        command.args(["--max-size", "4194304", "--unix"]).arg(&self.socket);
        *self.running.borrow_mut() = Some(Running::start("echo", command));
        let accepts = || UnixStream::connect(&self.socket).is_ok();
        until("a worker accepts", Duration::from_secs(15), accepts).await;
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        if let Some(running) = self.running().as_ref() {
            running.signal(signal);
        }
    }

    /// Waits until it has ended by itself, and buries it.
    pub(crate) async fn ended(&self) {
        let gone = || self.running().as_mut().is_none_or(|running| running.exited().is_some());
        until("a worker ends", Duration::from_secs(15), gone).await;
        *self.running() = None;
    }

    fn running(&self) -> RefMut<'_, Option<Running>> {
        self.running.borrow_mut()
    }
}
