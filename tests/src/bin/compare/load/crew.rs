//! The threads of a load, and the phases that all of its connections go through together.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit, mpsc, watch};
use tokio::task::JoinSet;

use super::exchange::run_connection;
use super::stream::{Stream, Target};
use crate::problem::Fault;
use crate::rows::Work;

/// How long connections may take to open, and their last exchanges to end.
const PATIENCE: Duration = Duration::from_secs(30);
/// Connections that one thread opens at a time: fewer than any front's backlog.
const OPENING: usize = 32;

/// Open connections; they end when it is dropped.
pub(crate) struct Load {
    shared: Arc<Shared>,
    connections: u32,
    phase: watch::Sender<Phase>,
    events: mpsc::UnboundedReceiver<Event>,
}

/// What the connections are to do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// End the exchange, then wait.
    Rest,
    /// One exchange after the other.
    Work,
    /// End the exchange, then close.
    End,
}

/// What a connection reports.
enum Event {
    /// It rests: once after it was opened, and once after each [`Phase::Work`].
    Resting,
    /// It has ended, at the latest after [`Phase::End`].
    Ended(Result<(), Fault>),
}

/// What all connections of a load share.
struct Shared {
    target: Target,
    work: Work,
    operations: AtomicU32,
}

impl Load {
    /// Opens so many connections to `target`, on as many threads as there are cores. They rest.
    pub(crate) async fn open(target: Target, work: Work, connections: u32) -> Result<Self, Fault> {
        let shared = Arc::new(Shared { target, work, operations: AtomicU32::new(0) });
        let (phase, told) = watch::channel(Phase::Rest);
        let (report, events) = mpsc::unbounded_channel();
        let threads = cores().min(connections);
        for thread in 0..threads {
            let numbers = (thread..connections).step_by(usize::try_from(threads).unwrap_or(1));
            let context = Context {
                shared: Arc::clone(&shared),
                phase: told.clone(),
                report: report.clone(),
                opening: Arc::new(Semaphore::new(OPENING)),
            };
            let numbers: Vec<u32> = numbers.collect();
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            std::thread::Builder::new()
                .spawn(move || runtime.block_on(run_thread(context, numbers)))?;
        }
        let mut load = Self { shared, connections, phase, events };
        load.all_rest("opening the connections").await?;
        Ok(load)
    }

    /// Lets the connections work for so long and end their exchanges. Says how many exchanges
    /// were completed and verified.
    pub(crate) async fn work_for(&mut self, time: Duration) -> Result<u32, Fault> {
        let before = self.operations();
        self.phase.send_replace(Phase::Work);
        self.rest_for(time).await?;
        self.phase.send_replace(Phase::Rest);
        self.all_rest("ending the exchanges").await?;
        Ok(self.operations().wrapping_sub(before))
    }

    /// Leaves the connections to what they do for so long.
    pub(crate) async fn rest_for(&mut self, time: Duration) -> Result<(), Fault> {
        tokio::select! {
            () = tokio::time::sleep(time) => Ok(()),
            event = self.events.recv() => match event {
                Some(Event::Ended(Err(fault))) => Err(fault),
                _ => Err(Fault::Gone),
            },
        }
    }

    /// Closes the connections and waits for that.
    pub(crate) async fn finish(mut self) -> Result<(), Fault> {
        self.phase.send_replace(Phase::End);
        self.every("closing", |event| matches!(event, Event::Ended(Ok(())))).await
    }

    /// How many connections have ended by themselves since the last look.
    pub(crate) fn lost(&mut self) -> u32 {
        let mut lost = 0;
        while let Ok(event) = self.events.try_recv() {
            lost += u32::from(matches!(event, Event::Ended(_)));
        }
        lost
    }

    fn operations(&self) -> u32 {
        self.shared.operations.load(Ordering::Relaxed)
    }

    async fn all_rest(&mut self, what: &'static str) -> Result<(), Fault> {
        self.every(what, |event| matches!(event, Event::Resting)).await
    }

    /// One such event of every connection.
    async fn every(&mut self, what: &'static str, is: fn(&Event) -> bool) -> Result<(), Fault> {
        let all = async {
            for _ in 0..self.connections {
                match self.events.recv().await {
                    Some(event) if is(&event) => {}
                    Some(Event::Ended(Err(fault))) => return Err(fault),
                    _ => return Err(Fault::Gone),
                }
            }
            Ok(())
        };
        tokio::time::timeout(PATIENCE, all).await.unwrap_or(Err(Fault::Late(what)))
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.phase.send_replace(Phase::End);
    }
}

/// How many threads and processes can run at once.
pub(crate) fn cores() -> u32 {
    std::thread::available_parallelism().map_or(1, |cores| u32::try_from(cores.get()).unwrap_or(1))
}

/// What one connection is given.
#[derive(Clone)]
pub(super) struct Context {
    shared: Arc<Shared>,
    phase: watch::Receiver<Phase>,
    report: mpsc::UnboundedSender<Event>,
    opening: Arc<Semaphore>,
}

impl Context {
    /// True when the next exchange is wanted, after a rest maybe; false at the end.
    pub(super) async fn goes_on(&mut self) -> bool {
        loop {
            let phase = *self.phase.borrow_and_update();
            match phase {
                Phase::Work => return true,
                Phase::End => return false,
                Phase::Rest => self.tell(Event::Resting),
            }
            if self.phase.changed().await.is_err() {
                return false;
            }
        }
    }

    /// Waits until the connections are to end.
    pub(super) async fn ended(&mut self) {
        // A load that is gone means the same.
        drop(self.phase.wait_for(|phase| *phase == Phase::End).await);
    }

    /// Says that the connection rests, or for a start: that it is open.
    pub(super) fn rests(&self) {
        self.tell(Event::Resting);
    }

    /// What its connections do.
    pub(super) fn work(&self) -> Work {
        self.shared.work
    }

    /// Where they go.
    pub(super) fn target(&self) -> &Target {
        &self.shared.target
    }

    /// Connects, in its turn.
    pub(super) async fn connect(&self, number: u32) -> Result<Stream, Fault> {
        let _turn = self.turn().await?;
        Ok(self.target().connect(number).await?)
    }

    /// Waits until fewer connections of this thread are being opened than a front may keep waiting:
    /// what it has no place for is lost, and comes again only after a second.
    pub(super) async fn turn(&self) -> Result<SemaphorePermit<'_>, Fault> {
        self.opening.acquire().await.map_err(|_| Fault::Gone)
    }

    fn tell(&self, event: Event) {
        // Whoever dropped the load does not want to know.
        let _nobody_left = self.report.send(event);
    }

    /// Counts an exchange that was verified.
    pub(super) fn count(&self) {
        self.shared.operations.fetch_add(1, Ordering::Relaxed);
    }
}

async fn run_thread(mut context: Context, numbers: Vec<u32>) {
    let mut connections = JoinSet::new();
    for number in numbers {
        let mut context = context.clone();
        connections.spawn(async move {
            let ended = run_connection(&mut context, number).await;
            context.tell(Event::Ended(ended));
        });
    }
    // An exchange that never ends must not keep the thread.
    let patience = async {
        context.ended().await;
        tokio::time::sleep(PATIENCE).await;
    };
    tokio::select! {
        () = async { while connections.join_next().await.is_some() {} } => {}
        () = patience => {}
    }
}
