//! Which peers a request has had already.

/// The peers that one request has been given, so that a retry goes to another one.
///
/// A set of bits; it allocates only for an upstream of more than 64 peers.
#[derive(Debug, Clone, Default)]
pub struct Tried {
    first: u64,
    rest: Vec<u64>,
}

impl Tried {
    /// Whether the peer at this position of its upstream was tried.
    #[must_use]
    pub fn contains(&self, peer: usize) -> bool {
        let (word, mask) = place(peer);
        self.word(word) & mask != 0
    }

    /// Notes the peer at this position as tried; [`Upstream::pick`](super::Upstream::pick) does it.
    pub fn insert(&mut self, peer: usize) {
        let (word, mask) = place(peer);
        if let Some(word) = self.word_mut(word) {
            *word |= mask;
        }
    }

    /// Forgets that the peer was tried: it may be picked once more. For a failure that was no fault
    /// of the peer, such as a kept-alive connection that it closed meanwhile.
    pub fn remove(&mut self, peer: usize) {
        let (word, mask) = place(peer);
        if let Some(word) = self.word_mut(word) {
            *word &= !mask;
        }
    }

    /// How many peers were tried.
    #[must_use]
    pub fn count(&self) -> u32 {
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
