//! The binary `proxy`: exit codes, the allocator, and the only place that ends the process.

use std::process::ExitCode;

use libmimalloc_sys::{mi_option_set, mi_option_t};

/// A tunnel costs half the memory that the system's allocator takes for it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How long memory that is free is kept from the system: `mi_option_purge_delay`, in milliseconds,
/// which the crate has no name for.
const PURGE_DELAY: mi_option_t = 15;

fn main() -> ExitCode {
    give_back_soon();
    proxy::cli::main(std::env::args_os().skip(1))
}

/// Memory goes back to the system 1 ms after it was freed, where the default is a second: behind
/// many handshakes at once there may be nothing to do for hours, and what they used is half as much
/// again as what their tunnels need. Giving it back at once would cost a tenth of a handshake.
#[expect(unsafe_code, reason = "an option of the allocator's, which is C")]
fn give_back_soon() {
    // SAFETY: it stores a number in an array of the allocator's, if the first number is below its
    // length; no other thread runs yet.
    unsafe { mi_option_set(PURGE_DELAY, 1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(unsafe_code, reason = "an option of the allocator's, which is C")]
    fn the_option_is_the_one_that_is_meant() {
        // SAFETY: it reads a number that nobody writes in this test.
        let of = |option| unsafe { libmimalloc_sys::mi_option_get(option) };
        // No other option has this default.
        assert_eq!(of(PURGE_DELAY), 1000);
        give_back_soon();
        assert_eq!(of(PURGE_DELAY), 1);
    }
}
