//! One reading: one row, one front, one round.

use std::time::{Duration, Instant};

use tests::place::Place;

use crate::load::Load;
use crate::peer::{Front, Peer};
use crate::problem::{Fault, Problem};
use crate::rows::{Gauge, Row};
use crate::stats::{Reading, cpu_reading, memory_reading};

/// Tunnels that a front has served before its memory is read for the first time: what it sets up
/// once is not counted to a tunnel.
const FIRST: u32 = 8;

/// What is the same for all readings.
pub(crate) struct Bench {
    /// The directory with the workers' sockets, in which the fronts run.
    pub(crate) place: Place,
    /// Worker threads or processes of each front.
    pub(crate) threads: u32,
    /// How long CPU time is measured.
    pub(crate) window: Duration,
}

impl Bench {
    /// Starts a fresh front, puts the row's load on it and reads what the row reads.
    pub(crate) async fn measure(&self, row: &Row, peer: &Peer) -> Result<Reading, Problem> {
        let front = peer.start(&self.place, self.threads).await?;
        let outcome = match row.gauge {
            Gauge::Cpu => self.cpu(row, &front).await,
            Gauge::Memory(idle) => memory(row, &front, idle).await,
        };
        outcome.map_err(|stop| match stop {
            Stop::Problem(problem) => problem,
            Stop::Fault(fault) => Problem::Load {
                row: row.name,
                peer: peer.label.to_owned(),
                fault,
                said: front.said(),
            },
        })
    }

    async fn cpu(&self, row: &Row, front: &Front) -> Result<Reading, Stop> {
        let mut load = Load::start(front.address, row.work, row.connections)?;
        load.opened().await?;
        load.work_for(self.window / 8).await?;
        let (begun, done, used) = (Instant::now(), load.operations(), front.cpu_time()?);
        load.work_for(self.window).await?;
        let (used, done) = (front.cpu_time()?.since(&used), load.operations().wrapping_sub(done));
        let reading = cpu_reading(used, begun.elapsed(), done);
        load.finish().await?;
        reading.ok_or(Stop::Fault(Fault::Nothing))
    }
}

async fn memory(row: &Row, front: &Front, idle: Duration) -> Result<Reading, Stop> {
    let mut first = Load::start(front.address, row.work, FIRST)?;
    first.opened().await?;
    first.finish().await?;
    let before = front.memory()?;
    let mut load = Load::start(front.address, row.work, row.connections)?;
    load.opened().await?;
    load.work_for(idle).await?;
    let with = front.memory()?;
    load.finish().await?;
    memory_reading(before, with, row.connections).ok_or(Stop::Fault(Fault::Nothing))
}

/// Either kind of end, until the row and the peer are named beside it.
enum Stop {
    Problem(Problem),
    Fault(Fault),
}

impl From<Problem> for Stop {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}
