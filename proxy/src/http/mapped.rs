//! What the variables of `map`, `geo` and `split_clients` are worth in one request.

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

/// One more that is being worked out, as long as it lives.
struct Nested;

impl Nested {
    /// None where there are too many.
    fn begin() -> Option<Self> {
        let depth = NESTED.get();
        (depth < DEPTH).then(|| {
            NESTED.set(depth + 1);
            Self
        })
    }
}

impl Drop for Nested {
    fn drop(&mut self) {
        NESTED.set(NESTED.get() - 1);
    }
}

impl Record {
    /// A map's value: the one that it had first in this request, unless it is volatile.
    pub(super) fn map(&self, position: usize, out: &mut Vec<u8>) -> bool {
        let Some(map) = self.client.site.variables.maps.get(position) else { return false };
        let variable = Variable::Map(position);
        if map.is_volatile() {
            return self.work_out(map, out);
        }
        self.once(variable, out, |out| self.work_out(map, out))
    }

    /// An address's value: the one that it had first in this request, unless it is volatile.
    pub(super) fn geo(&self, position: usize, out: &mut Vec<u8>) -> bool {
        let Some(geo) = self.client.site.variables.geos.get(position) else { return false };
        let find = |out: &mut Vec<u8>| {
            let Some(_nested) = Nested::begin() else { return false };
            let ip = match geo.source() {
                None => self.peer().map(|peer| peer.ip()),
                Some(source) => {
                    let mut text = Vec::new();
                    source.render(self, &mut text);
                    std::str::from_utf8(&text).ok().and_then(|text| text.parse().ok())
                }
            };
            out.extend_from_slice(geo.lookup(ip).as_bytes());
            true
        };
        if geo.is_volatile() { find(out) } else { self.once(Variable::Geo(position), out, find) }
    }

    /// A share's value: the one that it had first in this request.
    pub(super) fn split(&self, position: usize, out: &mut Vec<u8>) -> bool {
        let Some(split) = self.client.site.variables.splits.get(position) else { return false };
        self.once(Variable::Split(position), out, |out| {
            let Some(_nested) = Nested::begin() else { return false };
            let mut key = Vec::new();
            split.key().render(self, &mut key);
            out.extend_from_slice(split.choose(&key).as_bytes());
            true
        })
    }

    /// What a variable had first in this request, or has now.
    fn once(
        &self,
        variable: Variable,
        out: &mut Vec<u8>,
        find: impl FnOnce(&mut Vec<u8>) -> bool,
    ) -> bool {
        let known = self.course.known.borrow();
        if let Some((_, value)) = known.iter().find(|(its, _)| *its == variable) {
            out.extend_from_slice(value);
            return true;
        }
        drop(known);
        let before = out.len();
        let found = find(out);
        if found {
            let value = out.get(before..).unwrap_or_default().into();
            self.course.known.borrow_mut().push((variable, value));
        }
        found
    }

    fn work_out(&self, map: &Map, out: &mut Vec<u8>) -> bool {
        let Some(_nested) = Nested::begin() else { return false };
        let mut source = Vec::new();
        map.source().render(self, &mut source);
        match map.lookup(&source) {
            Ok((value, captures)) => {
                value.render(&InMap { record: self, captures: captures.as_ref() }, out);
                true
            }
            Err(error) => {
                self.log(Level::Alert, None, format_args!("{error}"));
                false
            }
        }
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
