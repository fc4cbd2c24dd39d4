//! The binary `proxy`: exit codes, and the only place that ends the process.
fn main() {}
