//! CPU time per operation, and the rate: fronts at work in turn, slice by slice.

use std::time::Duration;

use super::bench::{Bench, Outcome, Side};
use crate::load::Load;
use crate::peers::Peer;
use crate::problem::{Fault, Problem};
use crate::rows::Work;
use crate::stats::{Reading, cpu_reading};

/// The parts of a round in which each front works in turn: short ones, so that what else happens
/// on the machine meets all of them alike. An even number: the order goes there and back.
const SLICES: u32 = 4;
const _: () = assert!(SLICES.is_multiple_of(2));

/// So many connections are open at a time, over all fronts: more would be an experiment with the
/// machine.
const OPEN: u32 = 8000;

/// What was done, how long it took, and the CPU time that the front used for it.
#[derive(Default)]
pub(super) struct Account {
    pub(super) cpu: Duration,
    pub(super) time: Duration,
    pub(super) operations: u32,
}

impl Account {
    fn add(&mut self, other: &Self) {
        self.cpu += other.cpu;
        self.time += other.time;
        self.operations = self.operations.saturating_add(other.operations);
    }
}

/// Fronts have their connections open all the time; one works, the others rest. As many fronts at a
/// time as [`OPEN`] lets.
pub(super) async fn round(
    bench: &Bench,
    name: &'static str,
    (work, connections): (Work, u32),
    threads: u32,
    order: &[(usize, &Peer)],
) -> Result<Outcome, Problem> {
    let together = usize::try_from(OPEN / connections.max(1)).unwrap_or(1).max(1);
    let mut outcome = Outcome::default();
    for part in order.chunks(together) {
        let mut benches = Vec::new();
        for (number, peer) in part {
            match open(bench, name, (work, connections), threads, peer).await {
                Ok((side, load)) => benches.push((*number, side, load, Account::default())),
                Err(problem) => outcome.add(*number, peer, Err(problem))?,
            }
        }
        for slice in 0..=SLICES {
            let mut still = Vec::new();
            for (number, side, mut load, mut account) in benches {
                match side.work(&mut load, bench.window / SLICES).await {
                    Ok(done) => {
                        // The first one is for warming up.
                        if slice > 0 {
                            account.add(&done);
                        }
                        still.push((number, side, load, account));
                    }
                    Err(problem) => outcome.add(number, side.peer, Err(problem))?,
                }
            }
            still.reverse();
            benches = still;
        }
        for (number, side, load, account) in benches {
            let closed = load.finish().await.map_err(|fault| side.blame(fault));
            let reading = closed.and_then(|()| reading(&side, &account));
            outcome.add(number, side.peer, reading.map(|reading| vec![(name, reading)]))?;
        }
    }
    Ok(outcome)
}

async fn open<'a>(
    bench: &Bench,
    name: &'static str,
    (work, connections): (Work, u32),
    threads: u32,
    peer: &'a Peer,
) -> Result<(Side<'a>, Load), Problem> {
    let side = bench.start(name, threads, peer).await?;
    let load = side.open(work, connections).await?;
    Ok((side, load))
}

fn reading(side: &Side<'_>, account: &Account) -> Result<Reading, Problem> {
    let reading = cpu_reading(account.cpu, account.time, account.operations);
    let reading = reading.ok_or_else(|| side.blame(Fault::Nothing))?;
    Ok(if side.peer.is_front() { reading } else { Reading { cost: None, ..reading } })
}
