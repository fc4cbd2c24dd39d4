//! A chunked body is the same in pieces of any length, and where it is one, an independent reader finds
//! the same content and the same end.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proxy::fuzzing::chunks;

fuzz_target!(|input: (u8, &[u8])| {
    let (piece, bytes) = input;
    let whole = chunks(bytes, bytes.len().max(1));
    assert_eq!(chunks(bytes, usize::from(piece).max(1)), whole);
    let Ok((content, Some(length))) = whole else { return };
    let (mut read, mut at) = (Vec::new(), 0);
    loop {
        let size = httparse::parse_chunk_size(&bytes[at..length]).expect("a size");
        let httparse::Status::Complete((skip, size)) = size else { panic!("a whole size") };
        at += skip;
        let size = usize::try_from(size).expect("no more than there is");
        if size == 0 {
            break;
        }
        read.extend_from_slice(&bytes[at..at + size]);
        assert_eq!(&bytes[at + size..at + size + 2], b"\r\n");
        at += size + 2;
    }
    assert_eq!(read, content);
    let mut fields = [httparse::EMPTY_HEADER; 128];
    match httparse::parse_headers(&bytes[at..length], &mut fields) {
        Ok(httparse::Status::Complete((end, _))) => assert_eq!(at + end, length),
        Err(httparse::Error::TooManyHeaders) => {}
        other => panic!("{other:?}"),
    }
});
