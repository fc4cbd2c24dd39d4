//! The binary `echo`.
fn main() {}
