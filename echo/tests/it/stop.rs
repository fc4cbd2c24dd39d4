//! The end.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::net::{UnixListener, UnixStream};

use futures_util::StreamExt;
use rustix::process::Signal;
use tokio::io::AsyncWriteExt;
use tokio_tungstenite::tungstenite::Message;

use crate::support::*;

#[tokio::test]
async fn a_signal_closes_every_connection_with_1001() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut worker = Worker::start(&[]).await;
        let mut clients = Vec::new();
        for _ in 0..20 {
            clients.push(worker.client().await);
        }
        worker.signal(signal);
        for mut client in clients {
            match soon(client.next()).await.unwrap().unwrap() {
                Message::Close(Some(close)) => assert_eq!(u16::from(close.code), 1001),
                other => panic!("{other:?}"),
            }
            assert!(soon(client.next()).await.is_none());
        }
        assert_eq!(worker.ended().await.code(), Some(0));
        assert!(!worker.socket().exists());
    }
}

#[tokio::test]
async fn an_idle_worker_ends_at_once() {
    let mut worker = Worker::start(&["--close-timeout", "3600"]).await;
    worker.signal(Signal::TERM);
    assert_eq!(worker.ended().await.code(), Some(0));
}

#[tokio::test]
async fn who_does_not_answer_is_not_waited_for_long_and_nobody_new_comes_in_meanwhile() {
    let mut worker = Worker::start(&["--close-timeout", "0.5"]).await;
    let mut silent = worker.raw().await;
    let deaf = worker.raw().await;
    while let Ok(1..) = deaf.try_write(&frame(FIN | TEXT, &[b'x'; 1000])) {
        tokio::task::yield_now().await;
    }
    worker.signal(Signal::TERM);
    assert_eq!(read_frame(&mut silent).await, (CLOSE, 1001_u16.to_be_bytes().to_vec()));
    let error = UnixStream::connect(worker.socket()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(worker.ended().await.code(), Some(0));
}

#[tokio::test]
async fn a_message_on_its_way_does_not_disturb_the_end() {
    let mut worker = Worker::start(&["--close-timeout", "3600"]).await;
    let mut stream = worker.raw().await;
    let message = frame(FIN | BINARY_FRAME, &[5; 1000]);
    soon(stream.write_all(&message[..500])).await.unwrap();
    worker.signal(Signal::TERM);
    assert_eq!(read_frame(&mut stream).await.0, CLOSE);
    soon(stream.write_all(&message[500..])).await.unwrap();
    soon(stream.write_all(&frame(PING, b"?"))).await.unwrap();
    soon(stream.write_all(&close_frame(1001, ""))).await.unwrap();
    assert_eq!(read_to_end(&mut stream).await, b"", "nothing follows the worker's Close");
    assert_eq!(worker.ended().await.code(), Some(0));
}

#[tokio::test]
async fn a_handshake_that_is_not_complete_gets_no_answer() {
    let mut worker = Worker::start(&["--close-timeout", "3600", "--open-timeout", "0"]).await;
    let mut stream = worker.connect().await;
    soon(stream.write_all(b"GET / HTTP/1.1\r\n")).await.unwrap();
    worker.client().await; // who came later was served: the first one was accepted
    worker.signal(Signal::TERM);
    assert_eq!(read_to_end(&mut stream).await, b"");
    assert_eq!(worker.ended().await.code(), Some(0));
}

#[tokio::test]
async fn a_second_signal_does_not_wait() {
    let mut worker = Worker::start(&["--close-timeout", "3600"]).await;
    let mut silent = worker.raw().await;
    worker.signal(Signal::TERM);
    assert_eq!(read_frame(&mut silent).await.0, CLOSE);
    worker.signal(Signal::TERM);
    assert_eq!(worker.ended().await.code(), Some(0));
}

#[tokio::test]
async fn somebody_elses_socket_at_the_path_is_not_removed() {
    let mut worker = Worker::start(&[]).await;
    fs::remove_file(worker.socket()).unwrap();
    let _other = UnixListener::bind(worker.socket()).unwrap();
    worker.signal(Signal::TERM);
    assert_eq!(worker.ended().await.code(), Some(0));
    assert!(worker.socket().exists());
}
