//! The binary `proxy`: exit codes, and the only place that ends the process.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    proxy::cli::main(std::env::args_os().skip(1))
}
