//! Memory per idle tunnel, and the CPU time that holding them takes.

use std::time::{Duration, Instant};

use super::bench::Side;
use crate::problem::{Fault, Problem};
use crate::rows::Work;
use crate::stats::{Reading, memory_reading};

/// Tunnels that a front has served before its memory is read for the first time: what it sets up
/// once is not counted to a tunnel.
const FIRST: u32 = 8;
/// How long the tunnels have been idle before anything is read.
const SETTLE: Duration = Duration::from_millis(300);

/// At least so long is looked at what they cost while nothing moves: it is little.
const IDLE: Duration = Duration::from_secs(1);

/// Holds so many tunnels and then twice as many.
pub(super) async fn measure(
    side: &Side<'_>,
    tunnels: u32,
    window: Duration,
) -> Result<Vec<(&'static str, Reading)>, Problem> {
    let blame = |fault| side.blame(fault);
    side.open(Work::Hold, FIRST).await?.finish().await.map_err(blame)?;
    let before = side.front.memory()?;
    let weigh = |tunnels: u32| {
        let reading = memory_reading(before, side.front.memory()?, tunnels);
        reading.ok_or_else(|| side.blame(Fault::Nothing))
    };

    let mut first = side.open(Work::Hold, tunnels).await?;
    first.rest_for(SETTLE).await.map_err(blame)?;
    let once = weigh(tunnels)?;

    let mut second = side.open(Work::Hold, tunnels).await?;
    second.rest_for(SETTLE).await.map_err(blame)?;
    let twice = weigh(2 * tunnels)?;

    let (begun, used) = (Instant::now(), side.front.cpu_time()?);
    second.rest_for(window.max(IDLE)).await.map_err(blame)?;
    let used = side.front.cpu_time()?.since(&used).as_secs_f64();
    let idle = Reading::cost(used * 1e3 / begun.elapsed().as_secs_f64());
    if first.lost() > 0 {
        return Err(side.blame(Fault::Closed));
    }
    Ok(vec![("memory-4000", once), ("memory-8000", twice), ("idle-cpu", idle)])
}
