//! Pings, and what becomes of those who don't answer them.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::*;

#[tokio::test]
async fn who_answers_pings_stays() {
    let worker = Worker::start(&["--ping-interval", "0.02", "--ping-timeout", "5"]).await;
    let mut stream = worker.raw().await;
    let mut payloads = Vec::new();
    for _ in 0..5 {
        let (first, payload) = read_frame(&mut stream).await;
        assert_eq!(first, PING);
        soon(stream.write_all(&frame(PONG, &payload))).await.unwrap();
        payloads.push(payload);
    }
    payloads.dedup();
    assert_eq!(payloads.len(), 5, "each ping has a payload of its own");
    soon(stream.write_all(&close_frame(1000, ""))).await.unwrap();
    while read_frame(&mut stream).await.0 == PING {}
}

#[tokio::test]
async fn who_does_not_answer_a_ping_is_closed_with_1011() {
    let worker = Worker::start(&["--ping-interval", "0.02", "--ping-timeout", "0.1"]).await;
    let mut stream = worker.raw().await;
    assert_eq!(read_frame(&mut stream).await.0, PING);
    // Neither a message nor another pong is an answer.
    soon(stream.write_all(&frame(PONG, b"something else"))).await.unwrap();
    soon(stream.write_all(&frame(FIN | TEXT, b"I live"))).await.unwrap();
    assert_eq!(read_frame(&mut stream).await, (FIN | TEXT, b"I live".to_vec()));
    assert_eq!(read_close(&mut stream).await, (1011, "keepalive ping timeout".to_owned()));
}

#[tokio::test]
async fn the_timeout_may_be_longer_than_the_interval_and_no_timeout_waits_for_ever() {
    let worker = Worker::start(&["--ping-interval", "0.02", "--ping-timeout", "0"]).await;
    let mut stream = worker.raw().await;
    for _ in 0..5 {
        assert_eq!(read_frame(&mut stream).await.0, PING);
    }
}

#[tokio::test]
async fn who_does_not_read_is_dropped_too() {
    let flags = ["--ping-interval", "0.1", "--ping-timeout", "0.1", "--close-timeout", "0.1"];
    let worker = Worker::start(&flags).await;
    let mut stream = worker.raw().await;
    let message = frame(FIN | BINARY_FRAME, &[1; 100_000]);
    // The worker stops to read once nobody takes its answers; then it hangs up.
    while soon(stream.write_all(&message)).await.is_ok() {}
}

#[tokio::test]
async fn who_reads_slowly_stays() {
    const SIZE: usize = 4 << 20;
    let flags = ["--ping-interval", "0.1", "--ping-timeout", "1", "--max-size", "4194304"];
    let worker = Worker::start(&flags).await;
    let mut stream = worker.raw().await;
    soon(stream.write_all(&frame(FIN | BINARY_FRAME, &vec![3; SIZE]))).await.unwrap();
    let mut header = [0; 10];
    loop {
        soon(stream.read_exact(&mut header[..2])).await.unwrap();
        if header[0] != PING {
            break;
        }
        // It came while the message was still on its way to the worker.
        let mut payload = [0; 4];
        soon(stream.read_exact(&mut payload)).await.unwrap();
        soon(stream.write_all(&frame(PONG, &payload))).await.unwrap();
    }
    soon(stream.read_exact(&mut header[2..])).await.unwrap();
    // For much longer than the worker waits for somebody who takes nothing at all.
    let mut answer = vec![0; SIZE];
    let (slowly, rest) = answer.split_at_mut(3_000_000);
    for part in slowly.chunks_mut(100_000) {
        soon(stream.read_exact(part)).await.unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    soon(stream.read_exact(rest)).await.unwrap();
    assert!(answer.iter().all(|byte| *byte == 3));
    assert_eq!(read_frame(&mut stream).await.0, PING, "only now could one get through");
}

#[tokio::test]
async fn who_has_not_read_everything_when_the_next_ping_is_due_stays() {
    let worker = Worker::start(&["--ping-interval", "0.5", "--ping-timeout", "0.5"]).await;
    let mut stream = worker.raw().await;
    let (first, payload) = read_frame(&mut stream).await;
    assert_eq!(first, PING);
    soon(stream.write_all(&frame(PONG, &payload))).await.unwrap();
    soon(stream.write_all(&frame(FIN | BINARY_FRAME, &vec![3; 1 << 20]))).await.unwrap();
    tokio::time::sleep(Duration::from_millis(600)).await; // past that time
    assert_eq!(read_frame(&mut stream).await, (FIN | BINARY_FRAME, vec![3; 1 << 20]));
    assert_eq!(read_frame(&mut stream).await.0, PING);
}
