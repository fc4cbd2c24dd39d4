//! What a request is answered.

use tokio::io::AsyncWriteExt;

use crate::support::*;

/// Sends this and reads the answer up to the end of the stream.
async fn ask(worker: &Worker, request: &[u8]) -> String {
    let mut stream = worker.connect().await;
    soon(stream.write_all(request)).await.unwrap();
    String::from_utf8(read_to_end(&mut stream).await).unwrap()
}

/// A good handshake with one line taken out or changed.
fn change(from: &str, to: &str) -> String {
    assert!(UPGRADE.contains(from));
    format!("GET / HTTP/1.1\r\n{}\r\n", UPGRADE.replace(from, to))
}

#[tokio::test]
async fn a_good_handshake_is_accepted_without_extension_and_subprotocol() {
    let worker = Worker::start(&[]).await;
    let mut stream = worker.connect().await;
    let request = format!(
        "GET /any/path?query HTTP/1.1\r\n{UPGRADE}Origin: http://localhost\r\n\
         Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\
         Sec-WebSocket-Protocol: chat, superchat\r\n\r\n"
    );
    soon(stream.write_all(request.as_bytes())).await.unwrap();
    assert_eq!(
        read_head(&mut stream).await,
        "HTTP/1.1 101 Switching Protocols\r\n\
         Upgrade: websocket\r\n\
         Connection: Upgrade\r\n\
         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n" // RFC 6455 §1.3
    );
}

#[tokio::test]
async fn names_and_tokens_have_no_case_and_lists_may_hold_more() {
    let worker = Worker::start(&[]).await;
    let request = change("Connection: Upgrade", "CONNECTION: keep-alive, UPGRADE")
        .replace("Upgrade: websocket", "upgrade: WebSocket")
        .replace("Sec-WebSocket-Key: ", "sec-websocket-key:");
    let mut stream = worker.connect().await;
    soon(stream.write_all(request.as_bytes())).await.unwrap();
    assert!(read_head(&mut stream).await.starts_with("HTTP/1.1 101 "));
}

#[tokio::test]
async fn a_handshake_may_come_byte_by_byte_and_with_messages_behind_it() {
    let worker = Worker::start(&[]).await;
    let mut bytes = change("\r\n", "\r\n").into_bytes();
    bytes.extend(frame(FIN | TEXT, b"early"));
    bytes.extend(frame(FIN | BINARY_FRAME, b"bird"));

    for size in [1, bytes.len()] {
        let mut stream = worker.connect().await;
        for part in bytes.chunks(size) {
            soon(stream.write_all(part)).await.unwrap();
        }
        assert!(read_head(&mut stream).await.starts_with("HTTP/1.1 101 "));
        assert_eq!(read_frame(&mut stream).await, (FIN | TEXT, b"early".to_vec()));
        assert_eq!(read_frame(&mut stream).await, (FIN | BINARY_FRAME, b"bird".to_vec()));
    }
}

#[tokio::test]
async fn a_plain_get_is_told_to_upgrade() {
    let worker = Worker::start(&[]).await;
    let no_connection = change("Connection: Upgrade\r\n", "");
    for request in [
        "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\n",
        &change("Upgrade: websocket", "Upgrade: h2c"),
        &change("Connection: Upgrade", "Connection: close"),
        &no_connection,
    ] {
        let answer = ask(&worker, request.as_bytes()).await;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 426 Upgrade Required\r\n"), "{request}{answer}");
        assert!(head.contains("\r\nUpgrade: websocket\r\n"), "{answer}");
        assert!(head.contains("\r\nConnection: close, upgrade\r\n"), "{answer}");
        assert!(body.contains("WebSocket"), "{answer}");
        assert!(head.ends_with(&format!("\r\nContent-Length: {}", body.len())), "{answer}");
    }
}

#[tokio::test]
async fn a_wrong_version_is_told_the_right_one() {
    let worker = Worker::start(&[]).await;
    for version in ["12", "14", "8, 13", "thirteen"] {
        let answer = ask(&worker, change(": 13", &format!(": {version}")).as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 426 Upgrade Required\r\n"), "{answer}");
        assert!(answer.contains("\r\nSec-WebSocket-Version: 13\r\n"), "{answer}");
    }
}

#[tokio::test]
async fn any_other_bad_handshake_is_told_what_is_wrong() {
    let worker = Worker::start(&[]).await;
    let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let get = |fields: &str| format!("GET / HTTP/1.1\r\n{fields}\r\n");
    for (request, status, reason) in [
        (change(key, ""), 400, "Sec-WebSocket-Key is missing"),
        (change(key, &key.repeat(2)), 400, "Sec-WebSocket-Key is there more than once"),
        (change("ZQ==", ""), 400, "Sec-WebSocket-Key is not 16 bytes"),
        (change("dGhl", "dG!l"), 400, "Sec-WebSocket-Key is not 16 bytes"),
        (change("Sec-WebSocket-Version: 13\r\n", ""), 400, "Sec-WebSocket-Version is missing"),
        (change("Host: localhost\r\n", ""), 400, "Host is missing"),
        (get(&format!("{UPGRADE}Content-Length: 5\r\n")), 400, "no body"),
        (get(&format!("{UPGRADE}Transfer-Encoding: chunked\r\n")), 400, "no body"),
        (get(UPGRADE).replace("HTTP/1.1", "HTTP/1.0"), 400, "HTTP/1.1"),
        (get(UPGRADE).replace("HTTP/1.1", "HTTP/2.0"), 400, "not an HTTP/1.1 request"),
        (get("no colon here\r\n"), 400, "not an HTTP/1.1 request"),
        ("\x16\x03\x01 TLS".to_owned(), 400, "not an HTTP/1.1 request"),
        (get(UPGRADE).replace("GET", "POST"), 405, "GET"),
        (get(UPGRADE).replace("GET", "HEAD"), 405, "GET"),
    ] {
        let answer = ask(&worker, request.as_bytes()).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{request}{answer}");
        assert!(answer.contains("\r\nConnection: close\r\n"), "{request}{answer}");
        assert!(answer.split_once("\r\n\r\n").unwrap().1.contains(reason), "{request}{answer}");
    }
}

#[tokio::test]
async fn a_huge_head_is_refused_before_its_end_is_seen() {
    let worker = Worker::start(&[]).await;
    let line = format!("GET / HTTP/1.1\r\nX: {}", "x".repeat(64 * 1024));
    let many = format!("GET / HTTP/1.1\r\n{}", "X: y\r\n".repeat(101));
    let whole = change("Host: localhost", &format!("Host: {}", "x".repeat(16 * 1024)));
    for request in [line, many, whole] {
        let answer = ask(&worker, request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 431 Request Header Fields Too Large\r\n"), "{answer}");
    }
    let large = change("Host: localhost", &format!("Host: localhost\r\nX: {}", "x".repeat(15_000)));
    let mut stream = worker.connect().await;
    soon(stream.write_all(large.as_bytes())).await.unwrap();
    assert!(read_head(&mut stream).await.starts_with("HTTP/1.1 101 "));
}

#[tokio::test]
async fn who_does_not_finish_the_handshake_in_time_is_dropped() {
    let worker = Worker::start(&["--open-timeout", "0.1"]).await;
    let mut opened = worker.raw().await;
    for start in ["", "GET / HTTP/1.1\r\nHost: local"] {
        let mut stream = worker.connect().await;
        soon(stream.write_all(start.as_bytes())).await.unwrap();
        assert_eq!(read_to_end(&mut stream).await, b"");
    }
    // Who was in time stays.
    soon(opened.write_all(&frame(FIN | TEXT, b"hello"))).await.unwrap();
    assert_eq!(read_frame(&mut opened).await, (FIN | TEXT, b"hello".to_vec()));
}
