//! Pings, and what becomes of those who don't answer them.

use tokio::io::AsyncWriteExt;

use crate::support::*;

#[tokio::test]
async fn who_answers_pings_stays() {
    let worker = Worker::start(&["--ping-interval", "0.02", "--ping-timeout", "5"]).await;
    let mut stream = worker.raw().await;
    let mut payloads = Vec::new();
    for _ in 0..5 {
        let (first, payload) = read_frame(&mut stream).await;
        assert_eq!(first, PING);
        stream.write_all(&frame(PONG, &payload)).await.unwrap();
        payloads.push(payload);
    }
    payloads.dedup();
    assert_eq!(payloads.len(), 5, "each ping has a payload of its own");
    stream.write_all(&close_frame(1000, "")).await.unwrap();
    while read_frame(&mut stream).await.0 == PING {}
}

#[tokio::test]
async fn who_does_not_answer_a_ping_is_closed_with_1011() {
    let worker = Worker::start(&["--ping-interval", "0.02", "--ping-timeout", "0.1"]).await;
    let mut stream = worker.raw().await;
    assert_eq!(read_frame(&mut stream).await.0, PING);
    // Neither a message nor another pong is an answer.
    stream.write_all(&frame(PONG, b"something else")).await.unwrap();
    stream.write_all(&frame(FIN | TEXT, b"I live")).await.unwrap();
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
