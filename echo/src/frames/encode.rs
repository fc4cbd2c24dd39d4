//! The worker's frames.

use tungstenite::protocol::frame::coding::{Control, OpCode};

/// Appends a Close frame. The reason has at most 123 bytes.
pub(crate) fn put_close(code: u16, reason: &str, output: &mut Vec<u8>) {
    let mut payload = code.to_be_bytes().to_vec();
    payload.extend_from_slice(reason.as_bytes());
    put_control(Control::Close, &payload, output);
}

/// Appends a Ping frame.
pub(crate) fn put_ping(payload: [u8; 4], output: &mut Vec<u8>) {
    put_control(Control::Ping, &payload, output);
}

pub(super) fn put_control(kind: Control, payload: &[u8], output: &mut Vec<u8>) {
    put_header(OpCode::Control(kind), payload.len(), output);
    output.extend_from_slice(payload);
}

/// RFC 6455 §5.2: the header of an unmasked, unfragmented frame.
pub(super) fn put_header(opcode: OpCode, len: usize, output: &mut Vec<u8>) {
    let first = 0x80 | u8::from(opcode);
    match (u8::try_from(len), u16::try_from(len)) {
        (Ok(len @ 0..=125), _) => output.extend_from_slice(&[first, len]),
        (_, Ok(len)) => {
            output.extend_from_slice(&[first, 126]);
            output.extend_from_slice(&len.to_be_bytes());
        }
        _ => {
            output.extend_from_slice(&[first, 127]);
            let len = u64::try_from(len).unwrap_or(u64::MAX);
            output.extend_from_slice(&len.to_be_bytes());
        }
    }
}
