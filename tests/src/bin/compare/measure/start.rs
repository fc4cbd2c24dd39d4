//! From nothing to the first answer, and what has to be copied for it.

use super::bench::Side;
use crate::problem::Problem;
use crate::stats::Reading;

pub(super) fn measure(side: &Side<'_>) -> Result<Vec<(&'static str, Reading)>, Problem> {
    let started = side.front.started_in.as_secs_f64() * 1e3;
    let kilobytes = u32::try_from(side.peer.size()? / 1000).unwrap_or(u32::MAX);
    Ok(vec![("start", Reading::cost(started)), ("size", Reading::cost(f64::from(kilobytes) / 1e3))])
}
