//! Which server takes the next connection: counts, eligibility and the ways of choosing.
