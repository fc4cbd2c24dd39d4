//! What comes back for what is sent.

use futures_util::{SinkExt, StreamExt};
use tokio::io::AsyncWriteExt;
use tokio_tungstenite::tungstenite::Message;

use crate::support::*;

const MIB: usize = 1 << 20;

#[tokio::test]
async fn every_message_comes_back() {
    let worker = Worker::start(&[]).await;
    let mut client = worker.client().await;
    for size in [0, 1, 15, 16, 17, 125, 126, 127, 16_000, 65_535, 65_536, 500_001, MIB] {
        let bytes: Vec<u8> = (0..size).map(|i| (i * 31 % 251) as u8).collect();
        let text: String = bytes.iter().map(|byte| char::from(b'a' + byte % 26)).collect();
        for message in [Message::binary(bytes), Message::text(text)] {
            soon(client.send(message.clone())).await.unwrap();
            assert!(soon(client.next()).await.unwrap().unwrap() == message, "{size} bytes");
        }
    }
    for text in ["żółw", "𝄞", "\0", "\u{feff}"] {
        soon(client.send(Message::text(text))).await.unwrap();
        assert_eq!(soon(client.next()).await.unwrap().unwrap(), Message::text(text));
    }
}

#[tokio::test]
async fn many_messages_at_once_come_back_in_order() {
    let worker = Worker::start(&[]).await;
    let (mut sink, mut stream) = worker.client().await.split();
    let message = |i: usize| match i % 3 {
        0 => Message::text(format!("message {i}")),
        1 => Message::binary(i.to_be_bytes().to_vec()),
        _ => Message::text("x".repeat(i * 97 % 70_000)),
    };
    let send = async {
        for i in 0..2000 {
            sink.feed(message(i)).await.unwrap();
        }
        sink.flush().await.unwrap();
    };
    let receive = async {
        for i in 0..2000 {
            assert!(stream.next().await.unwrap().unwrap() == message(i), "message {i}");
        }
    };
    soon(async { tokio::join!(send, receive) }).await;
}

#[tokio::test]
async fn fragments_come_back_as_one_message_with_pongs_between() {
    let worker = Worker::start(&[]).await;
    let mut stream = worker.raw().await;
    let euro = "€".as_bytes();
    for part in [
        frame(TEXT, &euro[..1]),
        frame(PING, b"are you there?"),
        frame(CONTINUATION, &euro[1..2]),
        frame(CONTINUATION, b""),
        frame(FIN | CONTINUATION, &euro[2..]),
        frame(BINARY_FRAME, b""),
        frame(FIN | CONTINUATION, &[7; 70_000]),
    ] {
        soon(stream.write_all(&part)).await.unwrap();
    }
    assert_eq!(read_frame(&mut stream).await, (PONG, b"are you there?".to_vec()));
    assert_eq!(read_frame(&mut stream).await, (FIN | TEXT, euro.to_vec()));
    assert_eq!(read_frame(&mut stream).await, (FIN | BINARY_FRAME, vec![7; 70_000]));
}

#[tokio::test]
async fn frames_may_be_cut_anywhere() {
    let worker = Worker::start(&[]).await;
    let mut stream = worker.raw().await;
    let mut bytes = frame(FIN | TEXT, b"hello");
    bytes.extend(frame(PING, b"you?"));
    bytes.extend(frame(FIN | BINARY_FRAME, &[9; 300]));
    for byte in &bytes {
        soon(stream.write_all(&[*byte])).await.unwrap();
        // So that each byte is a read of its own.
        tokio::task::yield_now().await;
    }
    assert_eq!(read_frame(&mut stream).await, (FIN | TEXT, b"hello".to_vec()));
    assert_eq!(read_frame(&mut stream).await, (PONG, b"you?".to_vec()));
    assert_eq!(read_frame(&mut stream).await, (FIN | BINARY_FRAME, vec![9; 300]));
}

#[tokio::test]
async fn pings_are_answered() {
    let worker = Worker::start(&[]).await;
    let mut stream = worker.raw().await;
    for payload in [&b""[..], b"x", &[0xff; 125]] {
        soon(stream.write_all(&frame(PING, payload))).await.unwrap();
        assert_eq!(read_frame(&mut stream).await, (PONG, payload.to_vec()));
    }
}

#[tokio::test]
async fn a_close_is_answered_with_its_own_code() {
    let worker = Worker::start(&[]).await;
    for (code, reason) in [(1000, ""), (1001, "bye"), (3000, "x"), (4999, "żółw")] {
        let mut stream = worker.raw().await;
        soon(stream.write_all(&close_frame(code, reason))).await.unwrap();
        assert_eq!(read_close(&mut stream).await, (code, reason.to_owned()));
    }
    let mut stream = worker.raw().await;
    soon(stream.write_all(&frame(CLOSE, b""))).await.unwrap();
    assert_eq!(read_to_end(&mut stream).await, [CLOSE, 0]);
}

#[tokio::test]
async fn what_was_sent_before_the_close_comes_back_before_it() {
    let worker = Worker::start(&[]).await;
    let mut stream = worker.raw().await;
    let sent = [frame(FIN | TEXT, b"last words"), close_frame(1000, "")].concat();
    soon(stream.write_all(&sent)).await.unwrap();
    assert_eq!(read_frame(&mut stream).await, (FIN | TEXT, b"last words".to_vec()));
    assert_eq!(read_close(&mut stream).await.0, 1000);
}

#[tokio::test]
async fn what_was_sent_before_the_end_of_the_stream_comes_back() {
    let worker = Worker::start(&[]).await;
    let mut stream = worker.raw().await;
    soon(stream.write_all(&frame(FIN | TEXT, b"last words"))).await.unwrap();
    soon(stream.shutdown()).await.unwrap();
    assert_eq!(read_frame(&mut stream).await, (FIN | TEXT, b"last words".to_vec()));
    assert_eq!(read_to_end(&mut stream).await, b"");
}

/// Sends this and nothing more; the Close comes with the connection still open on our side.
async fn close_for(worker: &Worker, sent: &[u8]) -> (u16, String) {
    let mut stream = worker.raw().await;
    soon(stream.write_all(sent)).await.unwrap();
    read_close(&mut stream).await
}

#[tokio::test]
async fn a_header_that_announces_too_much_is_answered_at_once() {
    let worker = Worker::start(&[]).await;
    let more = MIB as u64 + 1;
    for len in [more, 1 << 40, u64::MAX] {
        let (code, reason) = close_for(&worker, &header(FIN | BINARY_FRAME, len)).await;
        assert_eq!(code, 1009);
        assert!(reason.contains("exceeds the limit of 1048576"), "{reason}");
    }
    // Fragments count together.
    let mut sent = frame(BINARY_FRAME, &[1; 600_000]);
    sent.extend(frame(CONTINUATION, &[1; 400_000]));
    sent.extend(header(CONTINUATION, (MIB - 1_000_000) as u64 + 1));
    assert_eq!(close_for(&worker, &sent).await.0, 1009);
}

#[tokio::test]
async fn the_limit_is_a_flag() {
    let worker = Worker::start(&["--max-size", "10"]).await;
    let mut stream = worker.raw().await;
    soon(stream.write_all(&frame(FIN | TEXT, b"ten bytes."))).await.unwrap();
    assert_eq!(read_frame(&mut stream).await.1, b"ten bytes.");
    soon(stream.write_all(&header(FIN | TEXT, 11))).await.unwrap();
    assert_eq!(read_close(&mut stream).await.0, 1009);
}

#[tokio::test]
async fn who_sends_all_of_a_message_that_is_too_big_still_hears_why_it_was_refused() {
    let worker = Worker::start(&[]).await;
    let mut client = worker.client().await;
    soon(client.send(Message::binary(vec![0; 4 * MIB]))).await.unwrap();
    match soon(client.next()).await.unwrap().unwrap() {
        Message::Close(Some(close)) => assert_eq!(u16::from(close.code), 1009),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn text_that_is_not_utf_8_is_refused() {
    let worker = Worker::start(&[]).await;
    let split = [frame(TEXT, b"\xe2\x82"), frame(FIN | CONTINUATION, b"x")].concat();
    let large = [&[b'a'; 100_000][..], b"\xff"].concat();
    for sent in [
        frame(FIN | TEXT, b"\xff"),
        frame(FIN | TEXT, b"\xed\xa0\x80"),
        split,
        frame(FIN | TEXT, &large),
        frame(CLOSE, b"\x03\xe8\xff"),
    ] {
        assert_eq!(close_for(&worker, &sent).await.0, 1007);
    }
}

#[tokio::test]
async fn answers_before_a_failure_are_sent() {
    let worker = Worker::start(&[]).await;
    let mut stream = worker.raw().await;
    let sent = [frame(FIN | TEXT, b"good"), frame(FIN | TEXT, b"bad \xff")].concat();
    soon(stream.write_all(&sent)).await.unwrap();
    assert_eq!(read_frame(&mut stream).await, (FIN | TEXT, b"good".to_vec()));
    assert_eq!(read_close(&mut stream).await.0, 1007);
}

#[tokio::test]
async fn what_breaks_the_protocol_is_refused() {
    let worker = Worker::start(&[]).await;
    let unmasked = vec![FIN | TEXT, 1, b'x'];
    let two_starts = [frame(TEXT, b"a"), frame(TEXT, b"b")].concat();
    for (what, sent) in [
        ("an unmasked frame", unmasked),
        ("a reserved bit", frame(FIN | 0x40 | TEXT, b"")),
        ("a reserved data opcode", frame(FIN | 3, b"")),
        ("a reserved control opcode", frame(FIN | 11, b"")),
        ("a continuation of nothing", frame(FIN | CONTINUATION, b"")),
        ("a new message inside another", two_starts),
        ("a fragmented ping", frame(9, b"")),
        ("a long ping", header(PING, 126)),
        ("half a close code", frame(CLOSE, b"\x03")),
    ] {
        assert_eq!(close_for(&worker, &sent).await.0, 1002, "{what}");
    }
    for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535] {
        assert_eq!(close_for(&worker, &close_frame(code, "")).await.0, 1002, "code {code}");
    }
}
