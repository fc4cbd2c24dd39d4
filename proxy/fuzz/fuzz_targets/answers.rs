//! An answer's head is the same in pieces of any length.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proxy::fuzzing::answer_head;

fuzz_target!(|input: (u8, &[u8])| {
    let (piece, bytes) = input;
    let whole = answer_head(bytes, bytes.len().max(1));
    // Whatever is wrong behind a mistake may be seen first in the whole.
    match (answer_head(bytes, usize::from(piece).max(1)), whole) {
        (Err(_), Err(_)) => {}
        (pieces, whole) => assert_eq!(pieces, whole),
    }
});
