//! How much is let in: `limit_req`, then `limit_conn`. A request that came early waits first.

use std::fmt::Arguments;
use std::time::Duration;

use super::super::limits::{ConnectionLimit, Limited, RequestLimit, Verdict, Zone};
use super::super::record::Record;
use super::super::reply::Refusal;
use super::real_ip;
use super::run::{At, Next, Step};
use crate::limit::{Asked, Refused};
use crate::observe::{Level, now};

/// The longest keys that nginx counts by.
const LONGEST_REQUEST_KEY: usize = 65_535;
const LONGEST_CONNECTION_KEY: usize = 255;

/// Lets a request in, at once or after a time, or refuses it.
pub(super) fn check(record: &Record) -> Step<Next> {
    let Some(rules) = record.rules() else { return Step::Continue(Next::Phase(At::Access)) };
    let Some(limits) = &rules.limits else { return Step::Continue(Next::Phase(At::Access)) };
    real_ip::find(record, rules);
    let standing = &record.course.standing;
    if standing.requests.get().is_none() {
        let wait = requests(record, &limits.requests)?;
        if !wait.is_zero() {
            return Step::Continue(Next::Wait(wait, At::Limits));
        }
    }
    if standing.connections.get().is_none() {
        connections(record, &limits.connections)?;
    }
    Step::Continue(Next::Phase(At::Access))
}

/// How long it has to wait, if it is not refused.
fn requests(record: &Record, limited: &Limited<RequestLimit>) -> Step<Duration> {
    let verdict = &record.course.standing.requests;
    let now = now();
    let last = limited.limits.len().saturating_sub(1);
    // The longest wait, the limit that asks for it and how full its bucket is.
    let mut slowest: Option<(Duration, &RequestLimit, u64)> = None;
    // Those that let it in so far, in which it is not counted until all do.
    let mut earlier: Vec<(&RequestLimit, Vec<u8>)> = Vec::new();
    for (position, limit) in limited.limits.iter().enumerate() {
        let Some(key) = key(record, &limit.zone, LONGEST_REQUEST_KEY) else { continue };
        let zone = &limit.zone;
        match zone.counts.ask(&key, limit.rate, limit.burst, now, position == last) {
            Asked::Fits(excess) if position == last => {
                slowest = Some((limit.wait(excess), limit, excess));
            }
            Asked::Fits(_) => earlier.push((limit, key)),
            Asked::Over(excess) => {
                let (dry, excess) = (dry(limited.dry_run), thousandths(excess));
                let name = &zone.name;
                let what =
                    format_args!("limiting requests{dry}, excess: {excess} by zone \"{name}\"");
                refuse(record, limited, verdict, what)?;
                return Step::Continue(Duration::ZERO);
            }
            Asked::NoRoom => {
                let what = format_args!("could not allocate node in zone \"{}\"", zone.name);
                refuse(record, limited, verdict, what)?;
                return Step::Continue(Duration::ZERO);
            }
        }
    }
    for (limit, key) in &earlier {
        let excess = limit.zone.counts.count(key, limit.rate, now);
        let wait = limit.wait(excess);
        if slowest.is_none_or(|(slowest, ..)| wait > slowest) {
            slowest = Some((wait, limit, excess));
        }
    }
    let Some((wait, limit, excess)) = slowest else { return Step::Continue(Duration::ZERO) };
    if wait.is_zero() {
        verdict.set(Some(Verdict::Passed));
        return Step::Continue(wait);
    }
    let (dry, excess) = (dry(limited.dry_run), thousandths(excess));
    let name = &limit.zone.name;
    let what = format_args!("delaying request{dry}, excess: {excess}, by zone \"{name}\"");
    record.log(less(limited.level), None, what);
    if limited.dry_run {
        verdict.set(Some(Verdict::DelayedDryRun));
        return Step::Continue(Duration::ZERO);
    }
    verdict.set(Some(Verdict::Delayed));
    Step::Continue(wait)
}

fn connections(record: &Record, limited: &Limited<ConnectionLimit>) -> Step<()> {
    let standing = &record.course.standing;
    for limit in &limited.limits {
        let Some(key) = key(record, &limit.zone, LONGEST_CONNECTION_KEY) else { continue };
        standing.connections.set(Some(Verdict::Passed));
        match limit.zone.counts.count(&key, limit.most) {
            Ok(counted) => standing.counted.borrow_mut().push(counted),
            Err(why) => {
                standing.counted.borrow_mut().clear();
                let name = &limit.zone.name;
                let dry = if limited.dry_run { ", dry run," } else { "" };
                let what = match why {
                    Refused::Reached => "limiting connections",
                    Refused::Full => "could not allocate node",
                };
                let what = format_args!("{what}{dry} by zone \"{name}\"");
                return refuse(record, limited, &standing.connections, what);
            }
        }
    }
    Step::Continue(())
}

/// What is counted apart; nothing where nginx counts nothing.
fn key<Z>(record: &Record, zone: &Zone<Z>, longest: usize) -> Option<Vec<u8>> {
    let mut key = Vec::new();
    zone.key.render(record, &mut key);
    if key.len() > longest {
        let (written, key) = (&zone.written, key.escape_ascii());
        let what = format_args!(
            "the value of the \"{written}\" key is more than {longest} bytes: \"{key}\""
        );
        record.log(Level::Error, None, what);
        return None;
    }
    (!key.is_empty()).then_some(key)
}

/// Tells that a request is refused, and refuses it unless that is only tried.
fn refuse<L>(
    record: &Record,
    limited: &Limited<L>,
    verdict: &std::cell::Cell<Option<Verdict>>,
    what: Arguments<'_>,
) -> Step<()> {
    record.log(limited.level, None, what);
    if limited.dry_run {
        verdict.set(Some(Verdict::RejectedDryRun));
        return Step::Continue(());
    }
    verdict.set(Some(Verdict::Rejected));
    Step::Break(Err(Refusal::Status(limited.status)))
}

fn dry(dry_run: bool) -> &'static str {
    if dry_run { ", dry run" } else { "" }
}

/// `0.999`
fn thousandths(excess: u64) -> String {
    format!("{}.{:03}", excess / 1000, excess % 1000)
}

/// One level less serious than that of a refusal.
fn less(level: Level) -> Level {
    match level {
        Level::Error => Level::Warn,
        Level::Warn => Level::Notice,
        _ => Level::Info,
    }
}
