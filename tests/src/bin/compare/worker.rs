//! The lean worker behind the fronts: upgrades, echoes whole messages, answers plain requests.
//!
//! It runs as processes of its own, so that its CPU time is nobody else's, and it does no more than
//! the load needs: it believes its client. What it measures is the front, not itself.

use std::io;
use std::path::Path;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;

use crate::frame::{ACCEPT, Header, KEY_LENGTH, MASKED};
use crate::problem::Problem;

/// The body of every plain answer.
pub(crate) const BODY: &str = "Hello, world!";

/// Serves on `socket` until stdin ends: a worker does not outlive who started it.
pub(crate) async fn serve(socket: &Path) -> Result<(), Problem> {
    let listener = UnixListener::bind(socket)
        .map_err(Problem::io(format!("worker: cannot listen on {}", socket.display())))?;
    let (gone, parent) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let _ended = io::copy(&mut io::stdin(), &mut io::sink());
        gone.send(())
    });
    tokio::select! {
        failed = accept(listener) => failed,
        _ = parent => Ok(()),
    }
}

async fn accept(listener: UnixListener) -> Result<(), Problem> {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let (stream, _) = accepted.map_err(Problem::io("worker: cannot accept"))?;
                connections.spawn(connection(stream));
            }
            // A broken connection is the load's to report.
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(mut stream: UnixStream) -> io::Result<()> {
    let mut buffer = Vec::new();
    while let Some(head) = read_head(&mut stream, &mut buffer).await? {
        if wants_upgrade(&head) {
            stream.write_all(switching().as_bytes()).await?;
            return echo(stream, buffer).await;
        }
        stream.write_all(answer().as_bytes()).await?;
    }
    Ok(())
}

fn switching() -> String {
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {ACCEPT}\r\n\r\n"
    )
}

fn answer() -> String {
    let length = BODY.len();
    format!("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\n\r\n{BODY}")
}

/// Takes the next request's head off `buffer`; `None` at the end of the stream.
async fn read_head(stream: &mut UnixStream, buffer: &mut Vec<u8>) -> io::Result<Option<Vec<u8>>> {
    const END: &[u8] = b"\r\n\r\n";
    loop {
        if let Some(at) = buffer.windows(END.len()).position(|window| window == END) {
            return Ok(Some(buffer.drain(..at + END.len()).collect()));
        }
        buffer.reserve(1024);
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
}

fn wants_upgrade(head: &[u8]) -> bool {
    head.to_ascii_lowercase().windows(18).any(|window| window == b"upgrade: websocket")
}

/// Sends each message back when it is complete, as WebSocket servers do; after a Close, the end.
async fn echo(mut stream: UnixStream, mut buffer: Vec<u8>) -> io::Result<()> {
    loop {
        while let Some(total) = complete(&mut buffer) {
            let closing = buffer.first().is_some_and(|first| first & 0x0f == 8);
            unmask_header(&mut buffer);
            stream.write_all(buffer.get(KEY_LENGTH..total).unwrap_or_default()).await?;
            if closing {
                return stream.shutdown().await;
            }
            buffer.drain(..total);
        }
        if stream.read_buf(&mut buffer).await? == 0 {
            return Ok(());
        }
    }
}

/// The length of the frame that `buffer` starts with, once all of it is there; makes room for it
/// otherwise.
fn complete(buffer: &mut Vec<u8>) -> Option<usize> {
    let wanted = Header::read(buffer).map(|header| header.length + header.payload);
    let total = wanted.unwrap_or(256);
    buffer.reserve(total.saturating_sub(buffer.len()));
    wanted.filter(|total| buffer.len() >= *total)
}

/// Moves the frame's header to where its masking key stands: the key is zero, the payload stays.
fn unmask_header(frame: &mut [u8]) {
    if let Some(header) = Header::read(frame) {
        frame.copy_within(..header.length - KEY_LENGTH, KEY_LENGTH);
        if let Some(second) = frame.get_mut(KEY_LENGTH + 1) {
            *second &= !MASKED;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Message;

    #[tokio::test]
    async fn messages_come_back_however_they_were_cut() {
        let (mut client, stream) = UnixStream::pair().unwrap();
        let exchange = async {
            for size in [8, 125, 126, 70_000] {
                let message = Message::new(3, size);
                for part in message.sent().chunks(size.div_ceil(3)) {
                    client.write_all(part).await.unwrap();
                }
                let mut echo = vec![0; message.echo().len()];
                client.read_exact(&mut echo).await.unwrap();
                assert!(echo == message.echo(), "{size}");
            }
            client.write_all(&[0x88, 0x80, 0, 0, 0, 0]).await.unwrap();
            let mut rest = Vec::new();
            client.read_to_end(&mut rest).await.unwrap();
            assert_eq!(rest, [0x88, 0]);
        };
        let (served, ()) = tokio::join!(echo(stream, Vec::new()), exchange);
        served.unwrap();
    }
}
