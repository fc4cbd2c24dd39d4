//! A stream that stops at the end of an HTTP head, so that a handshake takes nothing of what follows.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::stream::Stream;

/// What ends a head.
const END: &[u8] = b"\r\n\r\n";
/// The most that one read of a head takes.
const READ: usize = 1024;

/// A connected stream. Until its first head has ended, no read goes beyond that.
#[derive(Debug)]
pub(crate) struct Wire {
    stream: Stream,
    /// Octets of [`END`] that were read last; `None` once all of them were.
    seen: Option<usize>,
    /// What was read beyond the head.
    ahead: Vec<u8>,
}

impl Wire {
    /// A stream on which a head is to come.
    pub(crate) fn new(stream: Stream) -> Self {
        Self { stream, seen: Some(0), ahead: Vec::new() }
    }

    /// How many of these bytes belong to the head.
    fn head_of(&mut self, bytes: &[u8]) -> usize {
        for (at, byte) in bytes.iter().enumerate() {
            let Some(seen) = self.seen else { return at };
            self.seen = match END.get(seen) {
                Some(wanted) if wanted == byte => Some(seen + 1).filter(|seen| *seen < END.len()),
                _ => Some(usize::from(*byte == b'\r')),
            };
        }
        bytes.len()
    }

    fn poll_head(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut part = [0; READ];
        let room = part.get_mut(..buf.remaining().min(READ)).unwrap_or_default();
        let mut read = ReadBuf::new(room);
        match Pin::new(&mut self.stream).poll_read(cx, &mut read) {
            Poll::Ready(Ok(())) => {
                let (head, ahead) = read.filled().split_at(self.head_of(read.filled()));
                buf.put_slice(head);
                self.ahead.extend_from_slice(ahead);
                Poll::Ready(Ok(()))
            }
            other => other,
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.seen.is_some() {
            return this.poll_head(cx, buf);
        }
        if this.ahead.is_empty() {
            return Pin::new(&mut this.stream).poll_read(cx, buf);
        }
        let count = this.ahead.len().min(buf.remaining());
        let rest = this.ahead.split_off(count);
        buf.put_slice(&std::mem::replace(&mut this.ahead, rest));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::UnixStream;

    use super::*;

    #[tokio::test]
    async fn a_head_is_read_alone_however_it_is_cut() {
        let text = b"HTTP/1.1 101 x\r\na: \r\r\n\r\n\r\nframes";
        let (head, frames) = text.split_at(text.len() - 6 - 2);
        for cut in 1..text.len() {
            let (mut peer, stream) = UnixStream::pair().unwrap();
            let mut wire = Wire::new(Stream::Unix(stream));
            let write = async {
                for part in text.chunks(cut) {
                    peer.write_all(part).await.unwrap();
                    tokio::task::yield_now().await;
                }
            };
            let read = async {
                let mut got = Vec::new();
                while got.len() < head.len() {
                    let mut room = [0; 64];
                    let count = wire.read(&mut room).await.unwrap();
                    got.extend_from_slice(&room[..count]);
                }
                got
            };
            let ((), got) = tokio::join!(write, read);
            assert_eq!(got, head, "{cut}");
            let mut rest = [0; 8];
            wire.read_exact(&mut rest).await.unwrap();
            assert_eq!(rest, frames, "{cut}");
        }
    }
}
