//! The server's own rewrites, which come before any location.

use super::super::record::Record;
use super::real_ip;
use super::rewrite::script;
use super::run::{At, Step};

/// Runs them. A location is looked for after them, whatever they did; of what a location set
/// before, nothing holds any more.
pub(super) fn rewrite(record: &Record) -> Step<At> {
    if let Some(routed) = record.routed.get() {
        let rules = &routed.server.rules;
        real_ip::find(record, rules);
        if !rules.script.is_empty() {
            record.course.enter(rules.clone());
            script(record, rules)?;
        }
    }
    Step::Continue(At::Location)
}
