//! What is under way at once, by key: the state behind nginx's `limit_conn`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What nginx needs for a count besides the key, in bytes.
const NODE: usize = 36;

/// One count for each key that has any.
#[derive(Debug)]
pub struct ConnectionZone {
    size: u64,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    by_key: HashMap<Arc<[u8]>, u16>,
    /// The bytes of them that nginx would have taken.
    used: u64,
}

/// Why one more is not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// There are as many as there may be.
    Reached,
    /// The zone has no room for another key.
    Full,
}

/// One of those that are counted. It counts until it is dropped.
#[derive(Debug)]
#[must_use = "what is dropped no longer counts"]
pub struct Counted {
    zone: Arc<ConnectionZone>,
    key: Arc<[u8]>,
}

impl ConnectionZone {
    /// A zone of so many bytes in which nothing is counted yet.
    #[must_use]
    pub fn new(size: u64) -> Self {
        Self { size, counts: Mutex::default() }
    }

    /// Counts one more under this key, if there are fewer than `most`.
    ///
    /// # Errors
    /// It is one too many, or one key too many.
    pub fn count(self: &Arc<Self>, key: &[u8], most: u16) -> Result<Counted, Refused> {
        let mut counts = self.lock();
        let known = counts.by_key.get_key_value(key).map(|(key, count)| (key.clone(), *count));
        let (key, count) = match known {
            Some((_, count)) if count >= most => return Err(Refused::Reached),
            Some(known) => known,
            None => {
                let used = counts.used.saturating_add(cost(key));
                if used > self.size {
                    return Err(Refused::Full);
                }
                counts.used = used;
                (key.into(), 0)
            }
        };
        counts.by_key.insert(key.clone(), count.saturating_add(1));
        Ok(Counted { zone: self.clone(), key })
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        // Every change under the lock is complete by itself.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counted {
    pub(super) fn zone(&self) -> &Arc<ConnectionZone> {
        &self.zone
    }

    pub(super) fn key(&self) -> &[u8] {
        &self.key
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut counts = self.zone.lock();
        let Some(count) = counts.by_key.get_mut(&self.key) else { return };
        *count = count.saturating_sub(1);
        if *count == 0 {
            counts.by_key.remove(&self.key);
            counts.used = counts.used.saturating_sub(cost(&self.key));
        }
    }
}

fn cost(key: &[u8]) -> u64 {
    u64::try_from((NODE + key.len()).next_power_of_two()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_as_there_may_be_are_counted_until_they_go() {
        let zone = Arc::new(ConnectionZone::new(1 << 15));
        let first = zone.count(b"a", 2).unwrap();
        let second = zone.count(b"a", 2).unwrap();
        assert_eq!(zone.count(b"a", 2).unwrap_err(), Refused::Reached);
        let other = zone.count(b"b", 1).unwrap();
        drop(first);
        let third = zone.count(b"a", 2).unwrap();
        assert_eq!(zone.count(b"a", 2).unwrap_err(), Refused::Reached);
        drop((second, third, other));
        assert!(zone.lock().by_key.is_empty());
        assert_eq!(zone.lock().used, 0);
    }

    #[test]
    fn a_full_zone_takes_the_keys_it_has() {
        let zone = Arc::new(ConnectionZone::new(128));
        let held = [zone.count(b"a", 9).unwrap(), zone.count(b"b", 9).unwrap()];
        assert_eq!(zone.count(b"c", 9).unwrap_err(), Refused::Full);
        let again = zone.count(b"a", 9).unwrap();
        drop(held);
        let third = zone.count(b"c", 9).unwrap();
        drop((again, third));
    }
}
