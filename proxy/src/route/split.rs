//! nginx's `split_clients`: shares of all clients, by a hash of what tells them apart.

use super::template::Template;

/// A `split_clients` block, compiled.
#[derive(Debug, Clone)]
pub struct Split {
    key: Template,
    parts: Box<[(Option<u32>, Box<str>)]>,
}

impl Split {
    /// Shares of what this text comes to: each in hundredths of a percent, or all that is left.
    #[must_use]
    pub fn new(key: Template, shares: &[(Option<u32>, &str)]) -> Self {
        let mut last = 0_u32;
        let part = |(share, value): &(Option<u32>, &str)| {
            let bound = share.map(|share| {
                let more = u64::from(u32::MAX) * u64::from(share) / 10_000;
                last = last.wrapping_add(u32::try_from(more).unwrap_or(u32::MAX));
                last
            });
            (bound, (*value).into())
        };
        let parts = shares.iter().map(part).collect();
        Self { key, parts }
    }

    /// What tells clients apart.
    #[must_use]
    pub fn key(&self) -> &Template {
        &self.key
    }

    /// The value of the share that this key falls into; nothing where it falls into none.
    #[must_use]
    pub fn choose(&self, key: &[u8]) -> &str {
        let hash = murmur2(key);
        let fits = |(bound, _): &&(Option<u32>, Box<str>)| bound.is_none_or(|bound| hash < bound);
        self.parts.iter().find(fits).map_or("", |(_, value)| value)
    }
}

/// MurmurHash2 with the seed 0, as nginx has it.
fn murmur2(bytes: &[u8]) -> u32 {
    const M: u32 = 0x5bd1_e995;
    let mut hash = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    let (words, rest) = bytes.as_chunks::<4>();
    for word in words {
        let mut word = u32::from_le_bytes(*word).wrapping_mul(M);
        word ^= word >> 24;
        hash = hash.wrapping_mul(M) ^ word.wrapping_mul(M);
    }
    if !rest.is_empty() {
        for (position, byte) in rest.iter().enumerate() {
            hash ^= u32::from(*byte) << (8 * position);
        }
        hash = hash.wrapping_mul(M);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(M);
    hash ^ (hash >> 15)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_murmurhash2() {
        // Known values of the algorithm with the seed 0.
        for (text, hash) in [("", 0), ("a", 0x9268_5f5e), ("abc", 0x1357_7c9b)] {
            assert_eq!(murmur2(text.as_bytes()), hash, "{text:?}");
        }
    }

    #[test]
    fn shares_are_as_large_as_they_are_said_to_be() {
        let key = Template::literal_text("");
        let shares = [(Some(50), "a"), (Some(2000), "b"), (None, "c")];
        let split = Split::new(key.clone(), &shares);
        let count = |value: &str| {
            let keys = (0..100_000_u32).map(|n| n.to_string());
            keys.filter(|key| split.choose(key.as_bytes()) == value).count()
        };
        assert!((400..600).contains(&count("a")), "{}", count("a"));
        assert!((19_500..20_500).contains(&count("b")), "{}", count("b"));
        assert_eq!(count("a") + count("b") + count("c"), 100_000);
        let none = Split::new(key, &[]);
        assert_eq!(none.choose(b"x"), "");
    }
}
