//! How the heads of requests are read at a listening address.

/// The room for a head, and what may stand in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HeadRules {
    /// How many bytes have room before the first large buffer is taken.
    pub(crate) first: usize,
    /// How many large buffers there are.
    pub(crate) number: u32,
    /// How many bytes each has: no line may be longer.
    pub(crate) large: usize,
    /// How many fields there may be.
    pub(crate) fields: usize,
    /// Whether fields with odd names are left out.
    pub(crate) ignore_invalid: bool,
    /// Whether an underscore is nothing odd.
    pub(crate) underscores: bool,
}

impl HeadRules {
    /// How many bytes a whole head may have.
    pub(crate) fn most(&self) -> usize {
        let number = usize::try_from(self.number).unwrap_or(usize::MAX);
        self.large.saturating_mul(number).saturating_add(self.first)
    }

    /// Whether a field may come whose name has more in it than letters, digits and hyphens.
    pub(crate) fn takes_odd(&self) -> bool {
        self.underscores || !self.ignore_invalid
    }
}

impl Default for HeadRules {
    fn default() -> Self {
        let (first, large) = (1 << 10, 8 << 10);
        Self { first, number: 4, large, fields: 100, ignore_invalid: true, underscores: false }
    }
}
