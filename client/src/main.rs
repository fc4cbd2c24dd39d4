//! The binary `client`.
fn main() {}
