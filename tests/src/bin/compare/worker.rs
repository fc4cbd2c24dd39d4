//! The lean worker behind the fronts: upgrades, echoes whole messages, answers plain requests.
//!
//! It runs as processes of its own, so that its CPU time is nobody else's, and it does no more than
//! the load needs: it believes its client. What it measures is the front, not itself.

use std::io;
use std::net::SocketAddr;
use std::path::Path;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, UnixListener};
use tokio::task::JoinSet;
use tungstenite::handshake::derive_accept_key;

use crate::frame::{Header, KEY_LENGTH, MASKED};
use crate::problem::Problem;

/// The path of the large answer; all others are answered in a few words.
pub(crate) const LARGE: &str = "/100k";
/// The length of the large answer's body.
const LARGE_LENGTH: usize = 100_000;

/// The body of the answer to a GET of this path.
pub(crate) fn body(path: &[u8]) -> Vec<u8> {
    if path == LARGE.as_bytes() {
        (b' '..=b'~').cycle().take(LARGE_LENGTH).collect()
    } else {
        b"Hello, world!".to_vec()
    }
}

/// Serves on `socket`, and on TCP for fronts that know nothing else, until stdin ends: a worker
/// does not outlive who started it.
pub(crate) async fn serve(socket: &Path, tcp: SocketAddr) -> Result<(), Problem> {
    let cannot = |where_to: &dyn std::fmt::Display| format!("worker: cannot listen on {where_to}");
    let unix = UnixListener::bind(socket).map_err(Problem::io(cannot(&socket.display())))?;
    let tcp = TcpListener::bind(tcp).await.map_err(Problem::io(cannot(&tcp)))?;
    let (gone, parent) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let _ended = io::copy(&mut io::stdin(), &mut io::sink());
        gone.send(())
    });
    tokio::select! {
        failed = accept(unix, tcp) => failed,
        _ = parent => Ok(()),
    }
}

async fn accept(unix: UnixListener, tcp: TcpListener) -> Result<(), Problem> {
    const CANNOT: &str = "worker: cannot accept";
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = unix.accept() => {
                let (stream, _) = accepted.map_err(Problem::io(CANNOT))?;
                connections.spawn(connection(stream));
            }
            accepted = tcp.accept() => {
                let (stream, _) = accepted.map_err(Problem::io(CANNOT))?;
                stream.set_nodelay(true).map_err(Problem::io(CANNOT))?;
                connections.spawn(connection(stream));
            }
            // A broken connection is the load's to report.
            Some(_) = connections.join_next() => {}
        }
    }
}

/// A connected stream of either kind.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

async fn connection(mut stream: impl Stream) -> io::Result<()> {
    let mut buffer = Vec::new();
    let (small, large) = (answer(b"/"), answer(LARGE.as_bytes()));
    while let Some(head) = read_head(&mut stream, &mut buffer).await? {
        if wants_upgrade(&head) {
            stream.write_all(switching(&head).as_bytes()).await?;
            return echo(stream, buffer).await;
        }
        let is_large = head.starts_with(b"GET /100k ");
        stream.write_all(if is_large { &large } else { &small }).await?;
    }
    Ok(())
}

fn switching(head: &[u8]) -> String {
    let accept = derive_accept_key(field(head, "sec-websocket-key").as_bytes());
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n\r\n"
    )
}

/// The value of a field; empty where there is none.
fn field(head: &[u8], name: &str) -> String {
    let head = String::from_utf8_lossy(head);
    let fields = head.lines().filter_map(|line| line.split_once(':'));
    let mut values = fields.filter(|(own, _)| own.eq_ignore_ascii_case(name));
    values.next().map_or_else(String::new, |(_, value)| value.trim().to_owned())
}

fn answer(path: &[u8]) -> Vec<u8> {
    let body = body(path);
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ";
    [format!("{head}{}\r\n\r\n", body.len()).into_bytes(), body].concat()
}

/// Takes the next request's head off `buffer`; `None` at the end of the stream.
async fn read_head(stream: &mut impl Stream, buffer: &mut Vec<u8>) -> io::Result<Option<Vec<u8>>> {
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
async fn echo(mut stream: impl Stream, mut buffer: Vec<u8>) -> io::Result<()> {
    loop {
        while let Some(total) = complete(&mut buffer) {
            let closing = buffer.first().is_some_and(|first| first & 0x0f == 8);
            unmask(buffer.get_mut(..total).unwrap_or_default());
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

/// Takes the mask off, and moves the frame's header to where its masking key stands.
fn unmask(frame: &mut [u8]) {
    let Some(header) = Header::read(frame) else { return };
    let (head, payload) = frame.split_at_mut(header.length.min(frame.len()));
    let key = head.last_chunk::<KEY_LENGTH>().copied().unwrap_or_default();
    // The load's own key is zero.
    if key != [0; KEY_LENGTH] {
        payload.iter_mut().zip(key.iter().cycle()).for_each(|(byte, key)| *byte ^= key);
    }
    head.copy_within(..header.length - KEY_LENGTH, KEY_LENGTH);
    if let Some(second) = head.get_mut(KEY_LENGTH + 1) {
        *second &= !MASKED;
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::UnixStream;

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

    #[test]
    fn other_masks_are_taken_off() {
        let mut frame = [0x82, 0x83, 1, 2, 3, 4, b'a' ^ 1, b'b' ^ 2, b'c' ^ 3];
        unmask(&mut frame);
        assert_eq!(frame[KEY_LENGTH..], [0x82, 3, b'a', b'b', b'c']);
    }

    #[test]
    fn the_key_is_answered_as_rfc_6455_has_it() {
        let head = format!("GET / HTTP/1.1\r\nSEC-websocket-Key:  {}\r\n\r\n", crate::frame::KEY);
        assert!(switching(head.as_bytes()).contains("Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
    }
}
