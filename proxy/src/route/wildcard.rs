//! Names with a wildcard at either end, shared by `server_name` and `map hostnames`.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// Names in nginx's order: the exact one, then the longest that starts with `*`, then the longest
/// that ends with `*`. Names are kept in lower case, and looked up so.
#[derive(Debug, Clone)]
pub(super) struct HostTable<T> {
    exact: HashMap<Box<[u8]>, T>,
    leading: HashMap<Box<[u8]>, T>,
    trailing: HashMap<Box<[u8]>, T>,
}

impl<T> Default for HostTable<T> {
    fn default() -> Self {
        Self { exact: HashMap::new(), leading: HashMap::new(), trailing: HashMap::new() }
    }
}

impl<T> HostTable<T> {
    /// Adds a name; false when it is there already, and then nothing changes.
    pub(super) fn exact(&mut self, name: &str, value: T) -> bool {
        insert(&mut self.exact, name, value)
    }

    /// Adds `*.NAME`.
    pub(super) fn leading(&mut self, name: &str, value: T) -> bool {
        insert(&mut self.leading, name, value)
    }

    /// Adds `NAME.*`.
    pub(super) fn trailing(&mut self, name: &str, value: T) -> bool {
        insert(&mut self.trailing, name, value)
    }

    /// Looks a lower-case name up.
    pub(super) fn find(&self, name: &[u8]) -> Option<&T> {
        self.exact
            .get(name)
            .or_else(|| find(&self.leading, dots(name).filter_map(|dot| name.get(dot + 1..))))
            .or_else(|| find(&self.trailing, dots(name).rev().filter_map(|dot| name.get(..dot))))
    }
}

fn insert<T>(table: &mut HashMap<Box<[u8]>, T>, name: &str, value: T) -> bool {
    match table.entry(name.to_ascii_lowercase().into_bytes().into()) {
        Entry::Occupied(_) => false,
        Entry::Vacant(vacant) => {
            vacant.insert(value);
            true
        }
    }
}

fn find<'a, 'n, T>(
    table: &'a HashMap<Box<[u8]>, T>,
    mut names: impl Iterator<Item = &'n [u8]>,
) -> Option<&'a T> {
    if table.is_empty() { None } else { names.find_map(|name| table.get(name)) }
}

fn dots(name: &[u8]) -> impl DoubleEndedIterator<Item = usize> {
    name.iter().enumerate().filter(|(_, byte)| **byte == b'.').map(|(dot, _)| dot)
}
