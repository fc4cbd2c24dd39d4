//! The zones of a process, by name: what a reload goes on with.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::connections::{ConnectionZone, Counted};
use super::requests::RequestZone;

/// All zones that some configuration still uses. Cloning it makes another handle to the same.
///
/// A configuration that names a zone of the same size again goes on with what is counted in it.
#[derive(Debug, Clone, Default)]
pub struct Zones {
    requests: Kept<RequestZone>,
    connections: Kept<ConnectionZone>,
}

/// A zone of this name counts by another key already, which must not change while it is in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherKey {
    /// The key as it is written now in use.
    pub before: Box<str>,
}

impl Zones {
    /// No zones yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The zone of this name for requests, new or as it is.
    ///
    /// # Errors
    /// Its key was another.
    pub fn requests(&self, name: &str, size: u64, key: &str) -> Result<Arc<RequestZone>, OtherKey> {
        self.requests.find(name, size, key, RequestZone::new)
    }

    /// The zone of this name for connections, new or as it is.
    ///
    /// # Errors
    /// Its key was another.
    pub fn connections(
        &self,
        name: &str,
        size: u64,
        key: &str,
    ) -> Result<Arc<ConnectionZone>, OtherKey> {
        self.connections.find(name, size, key, ConnectionZone::new)
    }

    /// What is counted, by its zone's name and its key, for who has to find it again.
    #[must_use]
    pub fn entry(&self, counted: &Counted) -> Option<(Box<str>, Box<[u8]>)> {
        let all = self.connections.lock();
        let named = all.iter().find(|known| known.zone.as_ptr() == Arc::as_ptr(counted.zone()))?;
        Some((named.name.clone(), counted.key().into()))
    }

    /// Counts what is there already, however much that is; not where there is no such zone any more.
    pub fn count_again(&self, name: &str, key: &[u8]) -> Option<Counted> {
        let all = self.connections.lock();
        let named = all.iter().rev().find(|known| *known.name == *name)?;
        named.zone.upgrade()?.count(key, u16::MAX).ok()
    }
}

/// The zones of one kind, the newest last.
#[derive(Debug)]
struct Kept<Z>(Arc<Mutex<Vec<Named<Z>>>>);

#[derive(Debug)]
struct Named<Z> {
    name: Box<str>,
    size: u64,
    key: Box<str>,
    /// A configuration that was refused, or is gone, keeps none.
    zone: Weak<Z>,
}

impl<Z> Clone for Kept<Z> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<Z> Default for Kept<Z> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<Z> Kept<Z> {
    fn lock(&self) -> MutexGuard<'_, Vec<Named<Z>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(
        &self,
        name: &str,
        size: u64,
        key: &str,
        new: impl FnOnce(u64) -> Z,
    ) -> Result<Arc<Z>, OtherKey> {
        let mut all = self.lock();
        all.retain(|known| known.zone.strong_count() > 0);
        let known = all.iter().rev().find(|known| *known.name == *name);
        if let Some(known) = known.filter(|known| known.size == size) {
            if *known.key != *key {
                return Err(OtherKey { before: known.key.clone() });
            }
            if let Some(zone) = known.zone.upgrade() {
                return Ok(zone);
            }
        }
        let zone = Arc::new(new(size));
        let (name, key) = (name.into(), key.into());
        all.push(Named { name, size, key, zone: Arc::downgrade(&zone) });
        Ok(zone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_found_again_by_name_and_size_while_somebody_has_it() {
        let zones = Zones::new();
        let first = zones.connections("a", 1 << 15, "$uri").unwrap();
        let again = zones.connections("a", 1 << 15, "$uri").unwrap();
        assert!(Arc::ptr_eq(&first, &again));
        assert!(!Arc::ptr_eq(&first, &zones.connections("b", 1 << 15, "$uri").unwrap()));
        assert!(!Arc::ptr_eq(&first, &zones.connections("a", 1 << 16, "$uri").unwrap()));
        assert!(
            Arc::ptr_eq(&first, &zones.connections("a", 1 << 15, "$uri").unwrap()),
            "the larger one was given up"
        );
        let other = zones.connections("a", 1 << 15, "$host").unwrap_err();
        assert_eq!(&*other.before, "$uri");
        drop((first, again));
        assert!(zones.connections("a", 1 << 15, "$host").is_ok());
    }
    #[test]
    fn what_is_counted_is_counted_again_elsewhere() {
        let (zones, others) = (Zones::new(), Zones::new());
        let [here, there] = [&zones, &others].map(|all| all.connections("a", 1 << 15, "$k"));
        let (here, there) = (here.unwrap(), there.unwrap());
        let counted = here.count(b"key", 1).unwrap();
        let (name, key) = zones.entry(&counted).unwrap();
        let again = others.count_again(&name, &key).unwrap();
        assert!(there.count(b"key", 1).is_err());
        drop(again);
        assert!(there.count(b"key", 1).is_ok());
        assert!(others.entry(&counted).is_none());
        assert!(others.count_again("b", &key).is_none());
    }
}
