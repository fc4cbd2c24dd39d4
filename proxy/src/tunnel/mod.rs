//! Bytes both ways after an upgrade, with nothing held while they rest.
