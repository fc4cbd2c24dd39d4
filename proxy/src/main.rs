//! The binary `proxy`.
fn main() {}
