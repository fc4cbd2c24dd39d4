//! What crosses crates: real parts started, driven and compared.
