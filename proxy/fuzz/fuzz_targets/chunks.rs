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
        let (line, size) = size(&bytes[at..length]);
        at += line;
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

/// How long a size's line is, and the size. (httparse's own reader takes no more than 16 digits, zeros
/// in front included.)
fn size(bytes: &[u8]) -> (usize, usize) {
    let line = bytes.windows(2).position(|end| end == b"\r\n").expect("an end of the line");
    let digits = bytes[..line].split(|byte| !byte.is_ascii_hexdigit()).next().expect("digits");
    let digits = std::str::from_utf8(digits).expect("digits").trim_start_matches('0');
    (line + 2, if digits.is_empty() { 0 } else { usize::from_str_radix(digits, 16).expect("a size") })
}
