//! What is the same for all scenes: how a front is started, and who is to blame when it fails.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use tests::place::Place;

use super::generator::Generator;
use super::work::Account;
use super::{latency, reload, start, tunnels, work};
use crate::load::Load;
use crate::peers::{Front, Peer, SOCKETS};
use crate::problem::{Fault, Problem};
use crate::rows::{Row, Scene, Work};
use crate::stats::Reading;

/// What is the same for all rounds.
pub(crate) struct Bench {
    /// The directory with the workers' sockets, in which the fronts run.
    pub(crate) place: Place,
    /// Where the workers listen besides.
    pub(crate) ports: [u16; SOCKETS.len()],
    /// How long each front works in a round.
    pub(crate) window: Duration,
    /// At most so many connections.
    pub(crate) connections: Option<u32>,
    /// How many descriptors a front may have.
    pub(crate) files: u64,
    /// The load generator.
    pub(crate) client: PathBuf,
    /// Messages per second at which latency is measured, by threads.
    pub(crate) rates: Vec<(u32, f64)>,
}

/// A reading of one peer (by its place in the list) for one row.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) peer: usize,
    pub(crate) row: &'static str,
    pub(crate) reading: Reading,
}

/// What came of a round of a scene: readings, and for each peer that failed, why. One that is there
/// for comparison only does not end it.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) found: Vec<Found>,
    pub(crate) failed: Vec<(usize, Problem)>,
}

impl Bench {
    /// Starts the fronts afresh, with so many worker threads each, and measures the scene of `row`.
    ///
    /// The order in which they are started changes from round to round: of two equal fronts under
    /// short connections, the second has been seen to need up to a tenth more.
    pub(crate) async fn round(
        &mut self,
        row: &'static Row,
        threads: u32,
        peers: &[Peer],
        round: u32,
    ) -> Result<Outcome, Problem> {
        let scene = row.scene;
        let mut order: Vec<(usize, &Peer)> = peers.iter().enumerate().collect();
        if round.is_multiple_of(2) {
            order.reverse();
        }
        if let Scene::Work(work, connections) = scene {
            let load = (work, self.capped(connections));
            return work::round(self, row.name, load, threads, &order).await;
        }
        if let Scene::Latency(connections) = scene {
            latency::find_rate(self, self.capped(connections), threads, peers).await?;
        }
        let mut outcome = Outcome::default();
        for (number, peer) in order {
            let readings = self.single(scene, threads, peer).await;
            outcome.add(number, peer, readings)?;
        }
        Ok(outcome)
    }

    /// A scene in which only one front runs at a time.
    async fn single(
        &self,
        scene: Scene,
        threads: u32,
        peer: &Peer,
    ) -> Result<Vec<(&'static str, Reading)>, Problem> {
        match scene {
            Scene::Latency(connections) => {
                let side = self.start("latency", threads, peer).await?;
                latency::measure(self, self.capped(connections), threads, &side).await
            }
            _ if !peer.is_front() => Ok(Vec::new()),
            Scene::Tunnels(tunnels) => {
                let side = self.start("tunnels", threads, peer).await?;
                tunnels::measure(&side, self.capped(tunnels), self.window).await
            }
            Scene::Reload(tunnels) => {
                let side = self.start("reload", threads, peer).await?;
                reload::measure(self, self.capped(tunnels), side).await
            }
            Scene::Start => start::measure(&self.start("start", threads, peer).await?),
            // All of them at a time.
            Scene::Work(..) => Ok(Vec::new()),
        }
    }

    pub(super) async fn start<'a>(
        &self,
        scene: &'static str,
        threads: u32,
        peer: &'a Peer,
    ) -> Result<Side<'a>, Problem> {
        let (front, next) = peer.start(&self.place, threads, self.ports, self.files).await?;
        Ok(Side { scene, peer, front, next })
    }

    fn capped(&self, connections: u32) -> u32 {
        connections.min(self.connections.unwrap_or(u32::MAX))
    }

    /// The load generator, to be run for so long.
    pub(super) fn generator(&self, time: Duration) -> Generator<'_> {
        Generator { program: &self.client, time }
    }
}

impl Outcome {
    /// Takes in what came of one peer.
    pub(super) fn add(
        &mut self,
        number: usize,
        peer: &Peer,
        readings: Result<Vec<(&'static str, Reading)>, Problem>,
    ) -> Result<(), Problem> {
        match readings {
            Ok(readings) => self.found.extend(readings.into_iter().map(|(row, reading)| Found {
                peer: number,
                row,
                reading,
            })),
            Err(problem) if peer.is_essential() => return Err(problem),
            Err(problem) => self.failed.push((number, problem)),
        }
        Ok(())
    }
}

/// One front in one round.
pub(super) struct Side<'a> {
    pub(super) scene: &'static str,
    pub(super) peer: &'a Peer,
    pub(super) front: Front,
    /// What its files are to be after a reload.
    pub(super) next: Vec<(PathBuf, String)>,
}

impl Side<'_> {
    pub(super) async fn open(&self, work: Work, connections: u32) -> Result<Load, Problem> {
        let load = Load::open(self.front.target.clone(), work, connections).await;
        load.map_err(|fault| self.blame(fault))
    }

    /// From rest to rest: what is counted is whole exchanges.
    pub(super) async fn work(&self, load: &mut Load, time: Duration) -> Result<Account, Problem> {
        let (begun, used) = (Instant::now(), self.front.cpu_time()?);
        let operations = load.work_for(time).await.map_err(|fault| self.blame(fault))?;
        let time = begun.elapsed();
        Ok(Account { cpu: self.front.cpu_time()?.since(&used), time, operations })
    }

    pub(super) fn blame(&self, fault: Fault) -> Problem {
        let (row, peer) = (self.scene, self.peer.label.to_owned());
        Problem::Load { row, peer, fault, said: self.front.said() }
    }
}
