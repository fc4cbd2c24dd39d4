//! The frame tracker finds the ends of frames where tungstenite does, in pieces of any length.
#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use proxy::fuzzing::frame_ends;
use tungstenite::protocol::frame::FrameHeader;
use tungstenite::protocol::frame::coding::{Control, Data, OpCode};

fuzz_target!(|input: (bool, u8, &[u8])| {
    let (masked, piece, bytes) = input;
    let whole = frame_ends(masked, bytes, bytes.len().max(1));
    assert_eq!(frame_ends(masked, bytes, usize::from(piece).max(1)), whole);
    assert_eq!(whole, expected(masked, bytes));
});

/// The ends of the frames up to the first that breaks RFC 6455, and whether one did.
fn expected(masked: bool, bytes: &[u8]) -> (Vec<usize>, bool) {
    let (mut ends, mut at, mut fragmented) = (Vec::new(), 0, false);
    loop {
        let rest = &bytes[at..];
        // It is known by its first two bytes already, but we look when the header is whole.
        let length = match rest {
            [_, second, ..] => {
                let extended = match second & 0x7f {
                    126 => 2,
                    127 => 8,
                    _ => 0,
                };
                2 + extended + if second & 0x80 == 0 { 0 } else { 4 }
            }
            _ => return (ends, false),
        };
        let Some(head) = rest.get(..length) else { return (ends, false) };
        let parsed = FrameHeader::parse(&mut Cursor::new(head));
        let Ok(Some((header, payload))) = parsed else { return (ends, true) };
        let sound = match header.opcode {
            OpCode::Data(Data::Continue) => fragmented,
            OpCode::Data(Data::Text | Data::Binary) => !fragmented,
            OpCode::Control(Control::Close | Control::Ping | Control::Pong) => {
                header.is_final && payload <= 125
            }
            _ => false,
        };
        if !sound || header.mask.is_some() != masked || payload > u64::MAX / 2 {
            return (ends, true);
        }
        if matches!(header.opcode, OpCode::Data(_)) {
            fragmented = !header.is_final;
        }
        let end = u64::try_from(at + length).unwrap().saturating_add(payload);
        if end > u64::try_from(bytes.len()).unwrap() {
            return (ends, false);
        }
        at = usize::try_from(end).unwrap();
        ends.push(at);
        // Behind a Close nothing counts.
        if header.opcode == OpCode::Control(Control::Close) {
            return (ends, false);
        }
    }
}
