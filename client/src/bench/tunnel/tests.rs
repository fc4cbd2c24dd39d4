//! The tunnel against servers that do as they may, and as they may not.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

use super::super::message::Messages;
use super::*;
use crate::stream::Stream;

/// A tunnel, and the server's end of it.
async fn tunnel(largest: usize) -> (Tunnel, UnixStream) {
    let (mut server, stream) = UnixStream::pair().unwrap();
    let mut wire = Wire::new(Stream::Unix(stream));
    server.write_all(b"\r\n\r\n").await.unwrap();
    tokio::io::AsyncReadExt::read_exact(&mut wire, &mut [0; 4]).await.unwrap();
    (Tunnel::new(wire, largest), server)
}

/// A server's frame.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len()).unwrap().to_be_bytes();
    [&[first, 126], &length[..], payload].concat()
}

async fn answered(answer: impl FnOnce(&[u8]) -> Vec<u8>) -> (Result<(), Failure>, UnixStream) {
    let (mut tunnel, mut server) = tunnel(200).await;
    let mut messages = Messages::new(1, 200);
    let message = messages.next(200);
    server.write_all(&answer(message.payload)).await.unwrap();
    let outcome = tunnel.exchange(message).await;
    let mut sent = vec![0; message.frame.len()];
    server.read_exact(&mut sent).await.unwrap();
    assert_eq!(sent, message.frame);
    (outcome, server)
}

#[tokio::test]
async fn an_echo_may_come_in_pieces_with_pings_between_them() {
    let (outcome, mut server) = answered(|payload| {
        let (ping, pong) = ([0x89, 2, b'h', b'i'], [0x8a, 0]);
        let (begin, end) = payload.split_at(70);
        [&frame(0x02, begin)[..], &ping, &frame(0, b""), &pong, &frame(0x80, end)].concat()
    })
    .await;
    assert_eq!(outcome, Ok(()));
    drop(server.shutdown().await);
    let mut rest = Vec::new();
    server.read_to_end(&mut rest).await.unwrap();
    assert!(rest.is_empty() || rest == control(PONG, b"hi"));
}

#[tokio::test]
async fn an_echo_that_differs_in_one_byte_is_found() {
    for at in [0, 100, 199] {
        let (outcome, _) = answered(|payload| {
            let mut wrong = payload.to_vec();
            wrong[at] ^= 1;
            frame(0x82, &wrong)
        })
        .await;
        assert_eq!(outcome, Err(Failure::Differs), "{at}");
    }
    for other in [
        |payload: &[u8]| frame(0x82, &payload[1..]),
        |payload: &[u8]| frame(0x82, &payload[..199]),
        |payload: &[u8]| frame(0x82, &[payload, b"x"].concat()),
        |payload: &[u8]| frame(0x81, payload),
    ] {
        assert_eq!(answered(other).await.0, Err(Failure::Differs));
    }
}

#[tokio::test]
async fn what_no_server_may_send_is_named() {
    let masked = |_: &[u8]| vec![0x82, 0x80, 0, 0, 0, 0];
    assert_eq!(answered(masked).await.0, Err(Failure::Invalid("a server's frame is masked")));
    assert_eq!(
        answered(|_| vec![0xc2, 1, 1]).await.0,
        Err(Failure::Invalid("a reserved bit is set"))
    );
    assert_eq!(answered(|_| vec![0x88, 2, 3, 0xe9]).await.0, Err(Failure::Closed(1001)));
    assert_eq!(answered(|_| vec![0x88, 0]).await.0, Err(Failure::Closed(NO_STATUS)));
}

#[tokio::test]
async fn a_large_message_needs_no_room_between_the_ends() {
    let (mut tunnel, server) = tunnel(4 << 20).await;
    let mut messages = Messages::new(1, 4 << 20);
    let message = messages.next(4 << 20);
    // The header is 14 octets here and 10 there; the key of this connection is taken off.
    let key: [u8; 4] = message.frame[10..14].try_into().unwrap();
    let (mut from, mut to) = server.into_split();
    let echo = async {
        let mut head = [0; 14];
        from.read_exact(&mut head).await.unwrap();
        to.write_all(&[0x82, 127]).await.unwrap();
        to.write_all(&head[2..10]).await.unwrap();
        let mut part = [0; 1 << 10];
        for _ in 0..4 << 10 {
            from.read_exact(&mut part).await.unwrap();
            part.iter_mut().zip(key.iter().cycle()).for_each(|(byte, key)| *byte ^= key);
            to.write_all(&part).await.unwrap();
        }
    };
    let (outcome, ()) = tokio::join!(tunnel.exchange(message), echo);
    assert_eq!(outcome, Ok(()));
}

#[tokio::test]
async fn a_tunnel_that_is_held_answers_pings_and_is_closed_in_order() {
    let (mut held, mut server) = tunnel(32).await;
    let pinged = async {
        server.write_all(&[0x82, 1, b'x', 0x89, 1, b'a']).await.unwrap();
        let mut pong = [0; 7];
        server.read_exact(&mut pong).await.unwrap();
        assert_eq!(pong, *control(PONG, b"a"));
    };
    tokio::select! {
        failure = held.hold() => panic!("{failure}"),
        () = pinged => {}
    }
    let answer = async {
        let mut close = [0; 8];
        server.read_exact(&mut close).await.unwrap();
        assert_eq!(close[..2], [0x88, 0x82]);
        server.write_all(&[0x88, 2, 3, 0xe8]).await.unwrap();
        server.shutdown().await.unwrap();
    };
    let (outcome, ()) = tokio::join!(held.close(), answer);
    assert_eq!(outcome, Ok(()));
}
