//! How long an echo takes, at a rate that is half of what nginx can do.

use super::bench::{Bench, Side};
use crate::peers::Peer;
use crate::problem::{Fault, Problem};
use crate::stats::Reading;

/// Finds the rate for so many threads, once: half of what the first peer can do.
pub(super) async fn find_rate(
    bench: &mut Bench,
    connections: u32,
    threads: u32,
    peers: &[Peer],
) -> Result<(), Problem> {
    let known = bench.rates.iter().any(|(own, _)| *own == threads);
    if let (Some(first), false) = (peers.first(), known) {
        let side = bench.start("latency", threads, first).await?;
        let generator = bench.generator(bench.window);
        let figures = generator.echo(&side.front.target, connections, None).await?;
        let rate = figures.rate() / 2.0;
        if rate < 1.0 {
            return Err(side.blame(Fault::Nothing));
        }
        bench.rates.push((threads, rate.round()));
    }
    Ok(())
}

/// Messages at that rate.
pub(super) async fn measure(
    bench: &Bench,
    connections: u32,
    threads: u32,
    side: &Side<'_>,
) -> Result<Vec<(&'static str, Reading)>, Problem> {
    let rate = bench.rates.iter().find(|(own, _)| *own == threads).map(|(_, rate)| *rate);
    // Twice as long: a thousandth of the messages is to be more than a few.
    let generator = bench.generator(bench.window * 2);
    let figures = generator.echo(&side.front.target, connections, rate).await?;
    if let (1.., kinds) = figures.failures() {
        return Err(side.blame(Fault::Generator(kinds)));
    }
    let reading = |name| Reading { cost: Some(figures.latency(name)), rate: Some(figures.rate()) };
    let rows = [("latency-p50", "p50"), ("latency-p99", "p99"), ("latency-p99.9", "p99_9")];
    Ok(rows.map(|(row, name)| (row, reading(name))).to_vec())
}
