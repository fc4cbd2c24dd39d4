//! What the variables of `map` are worth in one request.

use std::cell::Cell;

use super::record::Record;
use super::values::{named, put};
use crate::observe::Level;
use crate::route::{Captures, Map, Values, Variable};

/// How deep maps may name each other (nginx: 100).
const DEPTH: u32 = 100;

thread_local! {
    static NESTED: Cell<u32> = const { Cell::new(0) };
}

impl Record {
    /// A map's value: the one that it had first in this request, unless it is volatile.
    pub(super) fn map(&self, position: usize, out: &mut Vec<u8>) -> bool {
        let Some(map) = self.client.site.variables.maps.get(position) else { return false };
        let known = self.course.maps.borrow();
        if let Some((_, value)) = known.iter().find(|(its, _)| *its == position) {
            out.extend_from_slice(value);
            return true;
        }
        drop(known);
        let before = out.len();
        let found = self.work_out(map, out);
        if found && !map.is_volatile() {
            let value = out.get(before..).unwrap_or_default().into();
            self.course.maps.borrow_mut().push((position, value));
        }
        found
    }

    fn work_out(&self, map: &Map, out: &mut Vec<u8>) -> bool {
        if NESTED.get() >= DEPTH {
            return false;
        }
        NESTED.set(NESTED.get() + 1);
        let mut source = Vec::new();
        map.source().render(self, &mut source);
        let found = match map.lookup(&source) {
            Ok((value, captures)) => {
                value.render(&InMap { record: self, captures: captures.as_ref() }, out);
                true
            }
            Err(error) => {
                self.log(Level::Alert, None, format_args!("{error}"));
                false
            }
        };
        NESTED.set(NESTED.get() - 1);
        found
    }
}

/// A map's value: its groups are those of the pattern that matched.
struct InMap<'a> {
    record: &'a Record,
    captures: Option<&'a Captures>,
}

impl Values for InMap<'_> {
    fn write(&self, variable: &Variable, out: &mut Vec<u8>) -> bool {
        let found = self.captures.and_then(|captures| match variable {
            Variable::Capture(group) => captures.get(*group),
            Variable::NamedCapture(name) => named(captures, *name),
            _ => None,
        });
        put(found, out) || self.record.write(variable, out)
    }
}
