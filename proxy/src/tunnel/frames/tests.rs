//! The tracker against tungstenite, in any pieces.

use proptest::prelude::*;
use tungstenite::protocol::frame::coding::{Control, Data, OpCode};
use tungstenite::protocol::frame::{Frame as Oracle, FrameHeader};

use super::*;

/// A message in one frame or several, or a control frame, as tungstenite writes it.
fn frames(masked: bool) -> impl Strategy<Value = Vec<Vec<u8>>> {
    let length = prop_oneof![0_usize..200, 65_500_usize..65_600];
    let parts = prop::collection::vec((length, any::<bool>()), 1..4);
    let ping = (0_usize..=125).prop_map(|length| (OpCode::Control(Control::Ping), length));
    let write = move |opcode, is_final, length| {
        let mut header = FrameHeader { opcode, is_final, ..FrameHeader::default() };
        header.mask = masked.then_some([1, 2, 3, 4]);
        let mut bytes = Vec::new();
        Oracle::from_payload(header, vec![0x88; length].into()).format(&mut bytes).unwrap();
        bytes
    };
    (parts, ping).prop_map(move |(parts, (ping, short))| {
        let mut frames = Vec::new();
        let last = parts.len() - 1;
        for (place, (length, with_ping)) in parts.into_iter().enumerate() {
            let data = if place == 0 { Data::Binary } else { Data::Continue };
            frames.push(write(OpCode::Data(data), place == last, length));
            if with_ping {
                frames.push(write(ping, true, short));
            }
        }
        frames
    })
}

fn tracker(masked: bool) -> Tracker {
    if masked { Tracker::of_client() } else { Tracker::of_server() }
}

proptest! {
    #[test]
    fn it_is_between_frames_where_tungstenite_is(
        (masked, messages) in any::<bool>().prop_flat_map(|masked| {
            (Just(masked), prop::collection::vec(frames(masked), 1..4))
        }),
        cuts in prop::collection::vec(1_usize..3000, 1..40),
    ) {
        let mut tracker = tracker(masked);
        let count = u32::try_from(messages.len()).unwrap();
        let frames: Vec<_> = messages.into_iter().flatten().collect();
        let ends: Vec<_> = frames
            .iter()
            .scan(0, |end, frame| { *end += frame.len(); Some(*end) })
            .collect();
        let bytes = frames.concat();
        let (mut seen, mut cuts) = (0, cuts.iter().cycle());
        while seen < bytes.len() {
            let next = (seen + cuts.next().unwrap()).min(bytes.len());
            // Some of the payload may go by unseen.
            let most = usize::try_from(tracker.payload_left()).unwrap_or(usize::MAX);
            let unseen = most.min(next - seen);
            if next % 3 == 0 {
                tracker.pass(u64::try_from(unseen).unwrap());
                seen += unseen;
            }
            tracker.see(&bytes[seen..next]);
            seen = next;
            prop_assert_eq!(tracker.is_between_frames(), ends.contains(&seen), "at {}", seen);
        }
        prop_assert_eq!(tracker.messages(), count);
        prop_assert!(tracker.lacks_close());
        // Where the present frame ends is found in any piece.
        for (start, end) in std::iter::once(&0).chain(&ends).zip(&ends) {
            let mut tracker = self::tracker(masked);
            tracker.see(&bytes[..*start]);
            tracker.see(&bytes[*start..start + 1]);
            prop_assert_eq!(tracker.finish(&bytes[start + 1..]), end - start - 1);
        }
    }

    #[test]
    fn any_bytes_are_followed_without_a_panic(
        masked: bool,
        bytes in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let (mut whole, mut single) = (tracker(masked), tracker(masked));
        whole.see(&bytes);
        bytes.iter().for_each(|byte| single.see(&[*byte]));
        prop_assert_eq!(whole.phase, single.phase);
        prop_assert_eq!((whole.left, whole.messages), (single.left, single.messages));
        prop_assert_eq!(whole.close_code(), single.close_code());
    }

    #[test]
    fn a_close_that_is_written_is_read(code in 1000_u16..5000, key: Option<[u8; 4]>, cut in 0_usize..8) {
        let bytes = close(code, "a reason", key);
        let mut tracker = tracker(key.is_some());
        tracker.see(&bytes[..cut]);
        prop_assert!(!tracker.is_closed());
        tracker.see(&bytes[cut..]);
        prop_assert_eq!(tracker.close_code(), Some(code));
        let mut cursor = std::io::Cursor::new(&bytes);
        let (header, length) = FrameHeader::parse(&mut cursor).unwrap().unwrap();
        prop_assert_eq!((header.opcode, header.mask), (OpCode::Control(Control::Close), key));
        prop_assert_eq!(length, 10);
    }
}

#[test]
fn what_is_no_frame_of_this_side_is_given_up() {
    for bytes in [
        &b"hello"[..],
        b"\x81\x82maskhi",
        b"\x08\0",
        b"\x83\0",
        b"\x89\x7e\x01\0",
        b"Hi",
        b"\x80\0",
        b"\x01\0\x81\0",
        b"\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff",
    ] {
        let mut tracker = Tracker::of_server();
        tracker.see(bytes);
        assert!(tracker.is_lost(), "{}", bytes.escape_ascii());
        assert!(!tracker.lacks_close() && !tracker.is_between_frames());
    }
}

#[test]
fn a_close_without_a_code_is_one() {
    let mut tracker = Tracker::of_server();
    tracker.see(b"\x88\0\x81\x02hi");
    assert_eq!((tracker.close_code(), tracker.messages()), (Some(1005), 0));
}
