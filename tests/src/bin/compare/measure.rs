//! One round of one row: a reading of every front.

use std::time::{Duration, Instant};

use tests::place::Place;

use crate::load::Load;
use crate::peer::{Front, Peer};
use crate::problem::{Fault, Problem};
use crate::rows::{Gauge, Row};
use crate::stats::{Reading, cpu_reading, memory_reading};

/// The parts of a round in which each front works in turn: short ones, so that what else happens
/// on the machine meets all of them alike. An even number: the order goes there and back.
const SLICES: u32 = 8;
const _: () = assert!(SLICES.is_multiple_of(2));

/// Tunnels that a front has served before its memory is read for the first time: what it sets up
/// once is not counted to a tunnel.
const FIRST: u32 = 8;

/// What is the same for all rounds.
pub(crate) struct Bench {
    /// The directory with the workers' sockets, in which the fronts run.
    pub(crate) place: Place,
    /// Worker threads or processes of each front.
    pub(crate) threads: u32,
    /// How long each front works in a round of CPU time.
    pub(crate) window: Duration,
}

impl Bench {
    /// Starts the fronts afresh, puts the row's load on them and reads what the row reads, in the
    /// order of `peers`.
    ///
    /// The order in which they are started changes from round to round: of two equal fronts under
    /// short connections, the second has been seen to need up to a tenth more.
    pub(crate) async fn round(
        &self,
        row: &Row,
        peers: &[Peer],
        round: u32,
    ) -> Result<Vec<Reading>, Problem> {
        match row.gauge {
            Gauge::Cpu if round.is_multiple_of(2) => {
                let mut readings = self.cpu(row, peers.iter().rev()).await?;
                readings.reverse();
                Ok(readings)
            }
            Gauge::Cpu => self.cpu(row, peers.iter()).await,
            Gauge::Memory(idle) => {
                let mut readings = Vec::new();
                for peer in peers {
                    readings.push(self.start(row, peer).await?.memory(idle).await?);
                }
                Ok(readings)
            }
        }
    }

    /// All fronts have their connections open all the time; one works, the others rest.
    async fn cpu(
        &self,
        row: &Row,
        peers: impl Iterator<Item = &Peer>,
    ) -> Result<Vec<Reading>, Problem> {
        let mut sides = Vec::new();
        for peer in peers {
            let side = self.start(row, peer).await?;
            let load = side.open(row.connections).await?;
            sides.push((side, load, Account::default()));
        }
        let slice = self.window / SLICES;
        for (side, load, _) in &mut sides {
            side.work(load, slice).await?;
        }
        for _ in 0..SLICES {
            for (side, load, account) in &mut sides {
                account.add(&side.work(load, slice).await?);
            }
            sides.reverse();
        }
        let mut readings = Vec::new();
        for (side, load, account) in sides {
            load.finish().await.map_err(|fault| side.blame(fault))?;
            let reading = cpu_reading(account.cpu, account.time, account.operations);
            readings.push(reading.ok_or_else(|| side.blame(Fault::Nothing))?);
        }
        Ok(readings)
    }

    async fn start<'a>(&self, row: &'a Row, peer: &'a Peer) -> Result<Side<'a>, Problem> {
        Ok(Side { row, peer, front: peer.start(&self.place, self.threads).await? })
    }
}

/// What was done, how long it took, and the CPU time that the front used for it.
#[derive(Default)]
struct Account {
    cpu: Duration,
    time: Duration,
    operations: u32,
}

impl Account {
    fn add(&mut self, other: &Self) {
        self.cpu += other.cpu;
        self.time += other.time;
        self.operations = self.operations.saturating_add(other.operations);
    }
}

/// One front in one round.
struct Side<'a> {
    row: &'a Row,
    peer: &'a Peer,
    front: Front,
}

impl Side<'_> {
    async fn open(&self, connections: u32) -> Result<Load, Problem> {
        let load = Load::open(self.front.address, self.row.work, connections).await;
        load.map_err(|fault| self.blame(fault))
    }

    /// From rest to rest: what is counted is whole exchanges.
    async fn work(&self, load: &mut Load, time: Duration) -> Result<Account, Problem> {
        let (begun, used) = (Instant::now(), self.front.cpu_time()?);
        let operations = load.work_for(time).await.map_err(|fault| self.blame(fault))?;
        let time = begun.elapsed();
        Ok(Account { cpu: self.front.cpu_time()?.since(&used), time, operations })
    }

    async fn memory(&self, idle: Duration) -> Result<Reading, Problem> {
        let first = self.open(FIRST).await?;
        first.finish().await.map_err(|fault| self.blame(fault))?;
        let before = self.front.memory()?;
        let mut load = self.open(self.row.connections).await?;
        load.rest_for(idle).await.map_err(|fault| self.blame(fault))?;
        let with = self.front.memory()?;
        load.finish().await.map_err(|fault| self.blame(fault))?;
        memory_reading(before, with, self.row.connections).ok_or_else(|| self.blame(Fault::Nothing))
    }

    fn blame(&self, fault: Fault) -> Problem {
        let (row, peer) = (self.row.name, self.peer.label.to_owned());
        Problem::Load { row, peer, fault, said: self.front.said() }
    }
}
