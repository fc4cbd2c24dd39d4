//! A reload under tunnels: how long it takes, what it does to messages, and whom it cuts.

use std::time::Duration;

use super::bench::{Bench, Side};
use crate::problem::Problem;
use crate::rows::Work;
use crate::stats::Reading;

/// Tunnels over which messages go meanwhile, and how many per second in all.
const BUSY: (u32, f64) = (50, 500.0);
/// For how long: the reload comes in the middle.
const AROUND: Duration = Duration::from_millis(1600);

/// Holds so many tunnels, and has the front load its configuration anew.
pub(super) async fn measure(
    bench: &Bench,
    tunnels: u32,
    mut side: Side<'_>,
) -> Result<Vec<(&'static str, Reading)>, Problem> {
    let mut held = side.open(Work::Hold, tunnels).await?;
    let target = side.front.target.clone();
    let generator = bench.generator(AROUND);
    let (connections, rate) = BUSY;
    let busy = generator.echo(&target, connections.min(tunnels), Some(rate));
    let (front, next) = (&mut side.front, &side.next);
    let reload = async {
        tokio::time::sleep(AROUND / 2).await;
        front.load_anew(next).await
    };
    let (figures, time) = tokio::join!(busy, reload);
    let (figures, time) = (figures?, time?);
    let (failures, _) = figures.failures();
    let lost = held.lost() + failures;
    Ok(vec![
        ("reload", Reading::cost(time.as_secs_f64() * 1e3)),
        ("reload-spike", Reading::cost(figures.latency("max") / 1e3)),
        ("reload-lost", Reading::cost(f64::from(lost))),
    ])
}
