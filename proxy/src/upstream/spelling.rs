//! A server's socket as hyper sees it: the spelling of field names on their way out, and a server
//! that has heard enough.
//!
//! hyper writes a name as the client spelled it, and `Like-This` when the client did not send it.
//! The names that a configuration sets go out as the configuration spells them. Names are equal
//! but for the case of letters, so the head keeps its length and its bytes are only replaced.

use std::cell::RefCell;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use memchr::memchr;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::net::Stream;

/// Field names as they are to go out.
pub(crate) type Names = Arc<[Box<str>]>;

/// Says how the next request's names are spelled.
#[derive(Debug, Clone, Default)]
pub(super) struct Speller(Rc<RefCell<Option<Names>>>);

impl Speller {
    /// The next bytes that are written are a request's head, in which these names occur.
    pub(super) fn expect(&self, names: &Names) {
        *self.0.borrow_mut() = Some(names.clone());
    }
}

/// A server's socket as hyper sees it.
#[derive(Debug)]
pub(super) struct Spelled {
    stream: Stream,
    speller: Speller,
    /// The head that goes out in hyper's place, where the two differ.
    head: Vec<u8>,
    /// How much of it has gone out.
    sent: usize,
    /// Whether the server has taken some of this request.
    begun: bool,
}

impl Spelled {
    pub(super) fn new(stream: Stream, speller: Speller) -> Self {
        Self { stream, speller, head: Vec::new(), sent: 0, begun: false }
    }

    pub(super) fn into_inner(self) -> Stream {
        self.stream
    }

    /// Looks at the first bytes of a request. hyper writes a head in one piece.
    fn look(&mut self, bytes: &[u8]) {
        let Some(names) = self.speller.0.borrow_mut().take() else { return };
        self.begun = false;
        if let Some(head) = respell(bytes, &names) {
            (self.head, self.sent) = (head, 0);
        }
    }

    /// A server that answers before it has read a request to its end, and closes, breaks the pipe.
    /// Its answer waits to be read all the same: what it will not hear is thrown away.
    fn heard(&mut self, written: Poll<io::Result<usize>>, all: usize) -> Poll<io::Result<usize>> {
        use io::ErrorKind::{BrokenPipe, ConnectionReset};
        match written {
            Poll::Ready(Err(error))
                if self.begun && matches!(error.kind(), BrokenPipe | ConnectionReset) =>
            {
                self.head = Vec::new();
                Poll::Ready(Ok(all))
            }
            written => {
                self.begun |= matches!(written, Poll::Ready(Ok(1..)));
                written
            }
        }
    }

    /// Writes what is left of our head in the place of as many bytes of hyper's.
    fn poll_head(&mut self, cx: &mut Context<'_>) -> Option<Poll<io::Result<usize>>> {
        let rest = self.head.get(self.sent..).filter(|rest| !rest.is_empty())?;
        let written = Pin::new(&mut self.stream).poll_write(cx, rest);
        if let Poll::Ready(Ok(n)) = written {
            self.sent += n;
            if self.sent >= self.head.len() {
                self.head = Vec::new();
            }
        }
        Some(written)
    }
}

/// The head with its names spelled anew; none when they are spelled so already.
fn respell(bytes: &[u8], names: &[Box<str>]) -> Option<Vec<u8>> {
    let mut copy: Option<Vec<u8>> = None;
    let mut start = 0;
    while let Some(length) = memchr(b'\n', bytes.get(start..)?) {
        let line = bytes.get(start..start + length)?;
        if line.len() < 2 {
            break;
        }
        if let Some(name) = names.iter().find(|name| is_named(line, name))
            && !line.starts_with(name.as_bytes())
        {
            let head = copy.get_or_insert_with(|| bytes.to_vec());
            head.get_mut(start..start + name.len())?.copy_from_slice(name.as_bytes());
        }
        start += length + 1;
    }
    copy.map(|mut head| {
        // What follows the head is not ours to write.
        head.truncate(start + 2);
        head
    })
}

/// Whether a line is a field of this name.
fn is_named(line: &[u8], name: &str) -> bool {
    line.get(name.len()) == Some(&b':')
        && line.get(..name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name.as_bytes()))
}

impl AsyncRead for Spelled {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Spelled {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.look(buf);
        let written = match this.poll_head(cx) {
            Some(written) => written,
            None => Pin::new(&mut this.stream).poll_write(cx, buf),
        };
        this.heard(written, buf.len())
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.look(bufs.first().map_or(&[], |first| first));
        let written = match this.poll_head(cx) {
            Some(written) => written,
            None => Pin::new(&mut this.stream).poll_write_vectored(cx, bufs),
        };
        this.heard(written, bufs.iter().map(|buf| buf.len()).sum())
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
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
    use super::*;

    fn respelled(head: &str, names: &[&str]) -> Option<String> {
        let names: Vec<Box<str>> = names.iter().map(|name| Box::from(*name)).collect();
        respell(head.as_bytes(), &names).map(|head| String::from_utf8(head).unwrap())
    }

    #[test]
    fn names_go_out_as_they_are_configured() {
        let head = "GET /x HTTP/1.1\r\nhost: a\r\nX-Real-Ip: 1\r\nx-other: 2\r\n\r\nhost: body";
        let expected = "GET /x HTTP/1.1\r\nHost: a\r\nX-Real-IP: 1\r\nx-other: 2\r\n\r\n";
        assert_eq!(respelled(head, &["X-Real-IP", "Host"]).as_deref(), Some(expected));
    }

    #[test]
    fn a_head_that_is_right_is_not_copied() {
        assert_eq!(respelled("GET / HTTP/1.1\r\nHost: a\r\n\r\n", &["Host", "TE"]), None);
    }

    #[test]
    fn only_whole_names_count() {
        let head = "GET /host: HTTP/1.1\r\nX-Host: a\r\nHosts: b\r\n\r\n";
        assert_eq!(respelled(head, &["host"]), None);
    }
}
