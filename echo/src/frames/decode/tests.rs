//! Frames in pieces of any size, good ones and bad ones.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

const MAX: usize = 300_000;

/// A client's frame, masked.
fn frame(opcode: u8, is_final: bool, mask: [u8; 4], payload: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    put_header(OpCode::from(opcode), payload.len(), &mut frame);
    frame[0] &= if is_final { 0xff } else { 0x7f };
    frame[1] |= 0x80;
    frame.extend(mask);
    frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

/// Feeds `input` in pieces of these sizes, over and over, and tells all that came out.
fn feed(input: &[u8], sizes: &[usize]) -> (Vec<u8>, Result<Flow, Failure>) {
    let mut decoder = Decoder::new(MAX);
    let (mut answers, mut rest) = (Vec::new(), input);
    for size in sizes.iter().cycle() {
        let (piece, after) = rest.split_at((*size).min(rest.len()));
        rest = after;
        // As a connection does: each read's answers are sent before the next read.
        let mut output = Vec::new();
        let flow = decoder.feed(piece, &mut output);
        answers.extend(output);
        if flow != Ok(Flow::Open) || rest.is_empty() {
            return (answers, flow);
        }
    }
    unreachable!("sizes cycle")
}

#[derive(Clone, Debug)]
enum Sent {
    Message { is_text: bool, payload: Vec<u8>, cuts: Vec<usize> },
    Ping(Vec<u8>),
}

fn sent() -> impl Strategy<Value = Sent> {
    let size = prop_oneof![0..20_usize, 120..130_usize, 65_530..65_540_usize, 0..140_000_usize];
    let message = (any::<bool>(), size, any::<u8>(), vec(0..70_000_usize, 0..4));
    prop_oneof![
        message.prop_map(|(is_text, size, seed, cuts)| {
            let bytes = (0..=250_u8).map(|byte| byte.wrapping_mul(7).wrapping_add(seed)).cycle();
            let payload = bytes.take(size).map(|b| if is_text { b & 0x7f } else { b });
            Sent::Message { is_text, payload: payload.collect(), cuts }
        }),
        vec(any::<u8>(), 0..=125).prop_map(Sent::Ping),
    ]
}

/// What a client writes for it, and what it shall read.
fn exchange(sent: &Sent, mask: [u8; 4]) -> (Vec<u8>, Vec<u8>) {
    let (mut written, mut expected) = (Vec::new(), Vec::new());
    match sent {
        Sent::Ping(payload) => {
            written = frame(9, true, mask, payload);
            put_control(Control::Pong, payload, &mut expected);
        }
        Sent::Message { is_text, payload, cuts } => {
            let mut opcode = if *is_text { 1 } else { 2 };
            put_header(OpCode::from(opcode), payload.len(), &mut expected);
            expected.extend(payload);
            let mut rest = payload.as_slice();
            for cut in cuts {
                let (part, after) = rest.split_at((*cut).min(rest.len()));
                written.extend(frame(opcode, false, mask, part));
                (opcode, rest) = (0, after);
            }
            written.extend(frame(opcode, true, mask, rest));
        }
    }
    (written, expected)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn what_comes_back_does_not_depend_on_where_reads_end(
        all in vec(sent(), 0..6),
        mask in any::<[u8; 4]>(),
        sizes in vec(prop_oneof![1..20_usize, 1..100_000_usize], 1..6),
    ) {
        let (mut written, mut expected) = (Vec::new(), Vec::new());
        for sent in &all {
            let (w, e) = exchange(sent, mask);
            written.extend(w);
            expected.extend(e);
        }
        let (answers, flow) = feed(&written, &sizes);
        prop_assert_eq!(flow, Ok(Flow::Open));
        prop_assert!(answers == expected);
    }

    #[test]
    fn no_bytes_at_all_make_it_panic_and_reasons_fit(
        bytes in vec(any::<u8>(), 0..200),
        sizes in vec(1..20_usize, 1..4),
    ) {
        if let (_, Err(failure)) = feed(&bytes, &sizes) {
            prop_assert!([1002, 1007, 1009].contains(&failure.code));
            prop_assert!(failure.reason.len() <= 123);
        }
        prop_assert_eq!(feed(&bytes, &sizes), feed(&bytes, &[bytes.len().max(1)]));
    }
}

#[test]
fn a_sum_too_large_for_a_number_is_too_big_as_well() {
    let mut input = frame(2, false, [1, 2, 3, 4], b"x");
    input.extend([0x80, 0x80 | 127]);
    input.extend(u64::MAX.to_be_bytes());
    input.extend([0; 4]);
    assert_eq!(feed(&input, &[1000]).1.unwrap_err().code, 1009);
}

#[test]
fn what_is_announced_is_not_yet_held() {
    let mut decoder = Decoder::new(1 << 30);
    let mut input = vec![0x82, 0x80 | 127];
    input.extend((1_u64 << 30).to_be_bytes());
    input.extend([0; 5]);
    let mut output = Vec::new();
    assert_eq!(decoder.feed(&input, &mut output), Ok(Flow::Open));
    assert!(decoder.message.unwrap().data.capacity() < 64 * 1024);
}

#[test]
fn nothing_is_held_between_two_messages() {
    let mut decoder = Decoder::new(MAX);
    let input = frame(2, true, [1, 2, 3, 4], &[5; 100_000]);
    for piece in input.chunks(10_000) {
        let mut output = Vec::new();
        assert_eq!(decoder.feed(piece, &mut output), Ok(Flow::Open));
    }
    assert!(decoder.message.is_none());
    assert_eq!(decoder.head.capacity() + decoder.control.capacity(), 0);
}

#[test]
fn only_the_awaited_pong_counts() {
    let mut decoder = Decoder::new(MAX);
    decoder.await_pong(*b"ping");
    for (payload, awaits) in [(&b""[..], true), (b"pong", true), (b"ping", false)] {
        let mut output = Vec::new();
        let input = frame(10, true, [9; 4], payload);
        assert_eq!(decoder.feed(&input, &mut output), Ok(Flow::Open));
        assert_eq!(decoder.awaits_pong(), awaits);
        assert_eq!(output, b"", "a pong has no answer");
    }
}
