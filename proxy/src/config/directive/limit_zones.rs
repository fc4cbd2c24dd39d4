//! `limit_req_zone` and `limit_conn_zone`, and the names of all zones.

use super::super::inherit::HttpDraft;
use super::super::model::{LimitCounts, LimitZone};
use super::super::parse::{Statement, Word};
use super::super::problem::Fault;
use super::super::source::{Span, Spanned};
use super::super::value;
use super::table::{Arity, Context, Directive, Done, Effect};
use super::walk::Walk;

pub(super) const DIRECTIVES: &[Directive] = &[
    Directive {
        name: "limit_req_zone",
        means: "Where requests are counted by a key, and at which rate they may come: `5r/s` or \
                `30r/m`. All threads count together, and a reload goes on with what is counted. A \
                megabyte has room for 8192 addresses; the one used longest ago makes room for a new \
                one.",
        contexts: &[Context::Http],
        arity: Arity(3, 3),
        block: false,
        effect: Effect::Http(requests),
        example: "limit_req_zone $binary_remote_addr zone=one:10m rate=1r/s;",
    },
    Directive {
        name: "limit_conn_zone",
        means: "Where requests and tunnels that are under way are counted by a key. All threads count \
                together, and a reload goes on with what is counted. A megabyte has room for 16384 \
                addresses; a new one that finds no room is refused.",
        contexts: &[Context::Http],
        arity: Arity::TWO,
        block: false,
        effect: Effect::Http(connections),
        example: "limit_conn_zone $binary_remote_addr zone=addresses:10m;",
    },
];

/// The smallest zone that nginx takes: eight pages.
const SMALLEST: u64 = 8 * 4096;

/// What a zone is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    Requests,
    Connections,
    Upstream,
}

/// A zone that was named so far.
pub(super) struct Zone {
    name: String,
    used: Use,
    /// 0 until it is declared.
    size: u64,
}

impl Walk {
    /// A zone is named for some use, and declared where it has a size.
    pub(super) fn zone(&mut self, name: &str, size: u64, used: Use, at: Span) -> Done {
        let Some(zone) = self.zones.iter_mut().find(|zone| zone.name == name) else {
            self.zones.push(Zone { name: name.to_owned(), used, size });
            return Ok(());
        };
        if zone.used != used {
            let message = format!(
                "the shared memory zone \"{name}\" is already declared for a different use"
            );
            return Err(Fault::at(at, message));
        }
        if zone.size == 0 {
            zone.size = size;
        }
        if size > 0 && size != zone.size {
            let before = zone.size;
            let message = format!(
                "the size {size} of shared memory zone \"{name}\" conflicts with already declared \
                 size {before}"
            );
            return Err(Fault::at(at, message));
        }
        Ok(())
    }

    /// Whether every zone that is named is declared: nginx looks when all is read.
    pub(in super::super) fn check_zones(&self) -> Done {
        match self.zones.iter().find(|zone| zone.size == 0 && zone.used != Use::Upstream) {
            None => Ok(()),
            Some(zone) => {
                let message = format!("zero size shared memory zone \"{}\"", zone.name);
                Err(Fault::beyond_syntax(message))
            }
        }
    }
}

fn requests(walk: &mut Walk, http: &mut HttpDraft, statement: &Statement) -> Done {
    let (mut zone, mut rate) = (None, 1000);
    for word in statement.args.iter().skip(1) {
        if word.value.starts_with("zone=") {
            zone = Some(named(word)?);
        } else if let Some(text) = word.value.strip_prefix("rate=") {
            let invalid = || Fault::at(word.span, format!("invalid rate \"{}\"", word.value));
            rate = thousandths(text).ok_or_else(invalid)?;
        } else {
            return Err(Fault::at(word.span, format!("invalid parameter \"{}\"", word.value)));
        }
    }
    declare(walk, http, statement, zone, LimitCounts::Requests(rate))
}

/// A rate in thousandths of a request per second; nginx reads a number alone as one per second.
fn thousandths(text: &str) -> Option<u64> {
    let (number, per) = match text.strip_suffix("r/m") {
        Some(number) => (number, 60),
        None => (text.strip_suffix("r/s").unwrap_or(text), 1),
    };
    let number = value::number(number).filter(|number| *number > 0)?;
    // One that is too slow for thousandths would never let anything in again.
    Some((number.checked_mul(1000)? / per).max(1))
}

fn connections(walk: &mut Walk, http: &mut HttpDraft, statement: &Statement) -> Done {
    let word = statement.arg(1);
    if !word.value.starts_with("zone=") {
        return Err(Fault::at(word.span, format!("invalid parameter \"{}\"", word.value)));
    }
    let zone = Some(named(word)?);
    declare(walk, http, statement, zone, LimitCounts::Connections)
}

/// `zone=NAME:SIZE`
fn named(word: &Word) -> Result<(Spanned<String>, u64), Fault> {
    let text = word.value.strip_prefix("zone=").unwrap_or_default();
    let invalid = || Fault::at(word.span, format!("invalid zone size \"{}\"", word.value));
    let (name, size) = text.split_once(':').ok_or_else(invalid)?;
    let size = value::size(size).ok_or_else(invalid)?;
    if size < SMALLEST {
        return Err(Fault::at(word.span, format!("zone \"{}\" is too small", word.value)));
    }
    Ok((Spanned { value: name.to_owned(), span: word.span }, size))
}

fn declare(
    walk: &mut Walk,
    http: &mut HttpDraft,
    statement: &Statement,
    zone: Option<(Spanned<String>, u64)>,
    counts: LimitCounts,
) -> Done {
    let directive = &statement.name.value;
    let Some((name, size)) = zone.filter(|(name, _)| !name.value.is_empty()) else {
        let message = format!("\"{directive}\" must have \"zone\" parameter");
        return Err(Fault::at(statement.name.span, message));
    };
    let used = match counts {
        LimitCounts::Requests(_) => Use::Requests,
        LimitCounts::Connections => Use::Connections,
    };
    walk.zone(&name.value, size, used, name.span)?;
    if let Some(known) = http.limit_zones.iter().find(|known| known.name.value == name.value) {
        let (name, key) = (&name.value, &known.key.value);
        let message = format!("{directive} \"{name}\" is already bound to key \"{key}\"");
        return Err(Fault::at(statement.name.span, message));
    }
    http.limit_zones.push(LimitZone { name, size, key: statement.arg(0).clone(), counts });
    Ok(())
}
