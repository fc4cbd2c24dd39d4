//! How a conversation ends, what is said about it, and the exit status.

use std::sync::mpsc;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use rustix::process::Signal;
use tokio::io::AsyncWriteExt as _;
use tokio_tungstenite::tungstenite::Message;

use crate::support::PATIENCE;
use crate::support::run::{Outcome, start};
use crate::support::server::{self, Peer, Server};

/// Runs a client whose input stays open until the server ends the conversation.
fn ended_by(server: &Server, arguments: &[&str]) -> (String, i32) {
    let mut all = vec![server.url.as_str()];
    all.extend(arguments);
    let Outcome { out, err, status } = start(&all).wait();
    assert_eq!(err, "");
    let start = format!("Connected to {}.\n", server.url);
    let last = out.strip_prefix(&start).expect(&out).strip_suffix('\n').expect(&out);
    (last.to_owned(), status)
}

#[test]
fn the_servers_close_is_said_in_words_and_only_1000_and_1001_are_success() {
    for (code, reason, words, status) in [
        (1000, "", "1000 (OK)", 0),
        (1001, "", "1001 (going away)", 0),
        (1008, "go home", "1008 (policy violation) go home", 1),
        (1009, "too long, sorry", "1009 (message too big) too long, sorry", 1),
        (1011, "", "1011 (internal error)", 1),
        (1012, "", "1012 (service restart)", 1),
        (3000, "", "3000 (registered)", 1),
        (4001, "reason", "4001 (private use) reason", 1),
        (4002, "a\nb\u{1b}[2J", "4002 (private use) a\\nb\\x1b[2J", 1),
    ] {
        let server = server::tcp(move |peer| peer.close(code, reason));
        let told = format!("Connection closed: {words}.");
        assert_eq!(ended_by(&server, &[]), (told, status));
    }
}

#[test]
fn a_close_without_a_code_and_an_end_without_a_close_are_told_apart() {
    let server = server::tcp(async |mut peer: Peer| {
        peer.socket.close(None).await.unwrap();
        while let Some(Ok(_)) = peer.socket.next().await {}
    });
    let told = "Connection closed: 1005 (no status received [internal]).".to_owned();
    assert_eq!(ended_by(&server, &[]), (told, 1));

    let server = server::tcp(async |peer: Peer| drop(peer));
    let told = "Connection closed: 1006 (abnormal closure [internal]).".to_owned();
    assert_eq!(ended_by(&server, &[]), (told, 1));
}

#[test]
fn a_server_that_breaks_the_protocol_is_told_so_and_so_is_the_person() {
    for (bytes, code, words) in [
        (&b"\xf1\x00"[..], 1002, "1002 (protocol error) Reserved bits are non-zero"),
        (
            &b"\x81\x80\0\0\0\0"[..],
            1002,
            "1002 (protocol error) Received a masked frame from server",
        ),
        (
            &b"\x81\x02\xff\xff"[..],
            1007,
            "1007 (invalid frame payload data) text that is not UTF-8",
        ),
        (
            &b"\x82\x7f\x00\x00\x00\x01\x00\x00\x00\x00"[..],
            1009,
            "1009 (message too big) 4294967296 bytes, and 67108864 is the limit",
        ),
    ] {
        let (to_test, told_server) = mpsc::channel();
        let server = server::tcp(move |mut peer| {
            let to_test = to_test.clone();
            async move {
                peer.socket.get_mut().write_all(bytes).await.unwrap();
                to_test.send(peer.closed_with().await).unwrap();
            }
        });
        let told = format!("Connection closed: {words}.");
        assert_eq!(ended_by(&server, &[]), (told, 1));
        assert_eq!(told_server.recv_timeout(PATIENCE), Ok(code));
    }
}

#[test]
fn messages_right_before_the_close_are_shown() {
    let server = server::tcp(async |mut peer: Peer| {
        peer.send("one").await;
        peer.send("two").await;
        peer.close(1000, "").await;
    });
    let told = "< one\n< two\nConnection closed: 1000 (OK).".to_owned();
    assert_eq!(ended_by(&server, &[]), (told, 0));
}

#[test]
fn signals_close_cleanly() {
    for (signal, code, words) in [
        (Signal::INT, 1000, "1000 (OK)"),
        (Signal::TERM, 1001, "1001 (going away)"),
        (Signal::HUP, 1001, "1001 (going away)"),
    ] {
        let (to_test, closed) = mpsc::channel();
        let server = server::tcp(move |mut peer| {
            let to_test = to_test.clone();
            async move {
                peer.send("ready").await;
                to_test.send(peer.closed_with().await).unwrap();
            }
        });
        let mut run = start(&[&server.url]);
        assert_eq!(run.line(), format!("Connected to {}.", server.url));
        assert_eq!(run.line(), "< ready");
        run.signal(signal);
        let outcome = run.wait();
        assert!(outcome.out.ends_with(&format!("< ready\nConnection closed: {words}.\n")));
        assert_eq!((outcome.err.as_str(), outcome.status), ("", 0), "{signal:?}");
        assert_eq!(closed.recv_timeout(PATIENCE), Ok(code));
    }
}

#[test]
fn a_second_signal_does_not_wait_for_a_server_that_does_not_answer() {
    let (to_test, told) = mpsc::channel();
    let server = server::tcp(move |mut peer| {
        let to_test = to_test.clone();
        async move {
            peer.send("ready").await;
            // Reads no further than the close frame, and never answers it.
            while let Some(Ok(message)) = peer.socket.next().await {
                if message.is_close() {
                    to_test.send(()).unwrap();
                    break;
                }
            }
            std::future::pending::<()>().await;
        }
    });
    let mut run = start(&[&server.url]);
    assert_eq!(run.line(), format!("Connected to {}.", server.url));
    assert_eq!(run.line(), "< ready");
    run.signal(Signal::TERM);
    told.recv_timeout(PATIENCE).expect("a close frame");
    run.signal(Signal::TERM);
    let outcome = run.wait();
    assert_eq!(outcome.status, 1);
    assert!(outcome.out.ends_with("1006 (abnormal closure [internal]).\n"), "{}", outcome.out);
}

#[test]
fn a_signal_is_obeyed_while_the_server_takes_nothing_and_the_input_never_ends() {
    let (to_test, told) = mpsc::channel();
    let server = server::tcp(move |peer| {
        let to_test = to_test.clone();
        async move {
            to_test.send(()).unwrap();
            std::future::pending::<()>().await;
            drop(peer);
        }
    });
    let mut run = start(&[&server.url]);
    let mut input = run.input();
    let filler = std::thread::spawn(move || {
        use std::io::Write as _;
        let line = format!("{}\n", "x".repeat(100_000));
        while input.write_all(line.as_bytes()).is_ok() {}
    });
    told.recv_timeout(PATIENCE).expect("a connection");
    run.line();
    run.signal(Signal::INT);
    run.signal(Signal::TERM);
    assert_eq!(run.finish().status, 1);
    filler.join().unwrap();
}

#[test]
fn the_server_is_pinged_and_one_that_does_not_answer_is_left() {
    // A server that lives: its pongs keep the connection open until it says so itself.
    let server = server::tcp(async |mut peer: Peer| {
        let mut pings = 0;
        while let Some(Ok(message)) = peer.socket.next().await {
            pings += u32::from(message.is_ping());
            if pings == 5 {
                break;
            }
        }
        peer.close(1000, "five pings").await;
    });
    let told = "Connection closed: 1000 (OK) five pings.".to_owned();
    assert_eq!(ended_by(&server, &["--ping-interval", "0.2"]), (told, 0));

    // One that does not: nothing is read, so no pong is sent.
    let server = server::tcp(async |peer: Peer| {
        tokio::time::sleep(PATIENCE).await;
        drop(peer);
    });
    let told = "Connection closed: 1011 (internal error) keepalive ping timeout.".to_owned();
    assert_eq!(ended_by(&server, &["--ping-interval", "0.2"]), (told, 1));
}

#[test]
fn pings_can_be_switched_off_and_pings_of_the_server_are_answered() {
    let server = server::tcp(async |mut peer: Peer| {
        peer.socket.send(Message::Ping("are you there".into())).await.unwrap();
        let first = peer.socket.next().await.unwrap().unwrap();
        assert_eq!(first, Message::Pong("are you there".into()));
        // Nothing else comes by itself.
        let second = tokio::time::timeout(Duration::from_millis(500), peer.socket.next()).await;
        let reason = if second.is_err() { "silence" } else { "noise" };
        peer.close(1000, reason).await;
    });
    let told = "Connection closed: 1000 (OK) silence.".to_owned();
    assert_eq!(ended_by(&server, &["--ping-interval", "0"]), (told, 0));
}
