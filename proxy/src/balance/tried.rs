//! Which peers a request has had already, and where its key has led it.

/// The peers that one request has been given, so that a retry goes to another one, and how far its
/// key was followed.
///
/// A set of bits; it allocates only for an upstream of more than 64 peers.
#[derive(Debug, Clone, Default)]
pub struct Tried {
    pub(super) peers: Peers,
    pub(super) course: Course,
}

impl Tried {
    /// A request that has a key: what a hash goes by. For `ip_hash` the first three octets of an
    /// IPv4 address, all sixteen of IPv6, three zeros for a Unix socket's client.
    #[must_use]
    pub fn keyed(key: Vec<u8>) -> Self {
        Self { course: Course { key, ..Course::default() }, ..Self::default() }
    }

    /// Forgets whom it was given, but not its key: there are other peers now.
    pub fn restart(&mut self) {
        *self = Self::keyed(std::mem::take(&mut self.course.key));
    }

    /// Whether the peer at this position of its upstream was tried.
    #[must_use]
    pub fn contains(&self, peer: usize) -> bool {
        self.peers.contains(peer)
    }

    /// Notes the peer at this position as tried; [`Upstream::pick`](super::Upstream::pick) does it.
    pub fn insert(&mut self, peer: usize) {
        self.peers.insert(peer);
    }

    /// Forgets that the peer was tried: it may be picked once more. For a failure that was no fault
    /// of the peer, such as a kept-alive connection that it closed meanwhile.
    pub fn remove(&mut self, peer: usize) {
        self.peers.remove(peer);
    }

    /// How many peers were tried.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.peers.count()
    }
}

/// How far a request's key was followed.
#[derive(Debug, Clone, Default)]
pub(super) struct Course {
    /// What is hashed: empty where no method asks for it.
    pub(super) key: Vec<u8>,
    /// The hash so far, or the position on the ring.
    pub(super) hash: u32,
    /// How often the key was hashed.
    pub(super) round: u32,
    /// How often that led to a peer that could not be picked.
    pub(super) misses: u32,
}

impl Course {
    /// nginx gives up after 20 misses.
    pub(super) fn may_go_on(&self) -> bool {
        self.misses <= 20
    }
}

/// A set of peers.
#[derive(Debug, Clone, Default)]
pub(super) struct Peers {
    first: u64,
    rest: Vec<u64>,
}

impl Peers {
    pub(super) fn contains(&self, peer: usize) -> bool {
        let (word, mask) = place(peer);
        self.word(word) & mask != 0
    }

    fn insert(&mut self, peer: usize) {
        let (word, mask) = place(peer);
        if let Some(word) = self.word_mut(word) {
            *word |= mask;
        }
    }

    fn remove(&mut self, peer: usize) {
        let (word, mask) = place(peer);
        if let Some(word) = self.word_mut(word) {
            *word &= !mask;
        }
    }

    fn count(&self) -> u32 {
        self.first.count_ones() + self.rest.iter().map(|word| word.count_ones()).sum::<u32>()
    }

    fn word(&self, word: usize) -> u64 {
        match word.checked_sub(1) {
            None => self.first,
            Some(rest) => self.rest.get(rest).copied().unwrap_or(0),
        }
    }

    fn word_mut(&mut self, word: usize) -> Option<&mut u64> {
        match word.checked_sub(1) {
            None => Some(&mut self.first),
            Some(rest) => {
                if self.rest.len() <= rest {
                    self.rest.resize(rest + 1, 0);
                }
                self.rest.get_mut(rest)
            }
        }
    }
}

fn place(peer: usize) -> (usize, u64) {
    (peer / 64, 1 << (peer % 64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remembers_peers_on_both_sides_of_the_first_word() {
        let mut tried = Tried::default();
        for peer in [0, 63, 64, 200] {
            assert!(!tried.contains(peer));
            tried.insert(peer);
            assert!(tried.contains(peer));
        }
        assert_eq!(tried.count(), 4);
        assert!(!tried.contains(1) && !tried.contains(65) && !tried.contains(100_000));
        tried.remove(200);
        tried.remove(0);
        assert_eq!(tried.count(), 2);
    }
}
