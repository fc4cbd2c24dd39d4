//! A request's head is the same in pieces of any length, and what is given to hyper as it stands, its
//! parser reads to the same end.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proxy::fuzzing::request_head;

fuzz_target!(|input: (u8, &[u8])| {
    let (piece, bytes) = input;
    let whole = request_head(bytes, bytes.len().max(1));
    assert_eq!(request_head(bytes, usize::from(piece).max(1)), whole);
    if let Ok(Some((length, true))) = whole {
        let mut fields = [httparse::EMPTY_HEADER; 128];
        let mut request = httparse::Request::new(&mut fields);
        assert_eq!(request.parse(&bytes[..length]), Ok(httparse::Status::Complete(length)));
    }
});
