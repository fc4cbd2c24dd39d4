//! The sole translator: a typed configuration becomes live parts.
