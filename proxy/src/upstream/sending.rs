//! A request on its way out: its head, then its body, as the server's socket takes them.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use http_body::Body as _;
use tokio::io::AsyncWrite;

use super::failure::{Failure, Phase};
use super::request_body::{Broken, RequestBody};
use crate::net::Stream;

/// What ends a chunked body.
const LAST: &[u8] = b"0\r\n\r\n";

/// A request to be sent.
#[derive(Debug)]
pub(crate) struct Outgoing {
    /// Its head, to the empty line.
    pub(crate) head: Vec<u8>,
    /// What follows.
    pub(crate) body: RequestBody,
    /// Whether the body goes in chunks, as the head says then.
    pub(crate) chunked: bool,
}

/// How far it is.
#[derive(Debug)]
pub(super) struct Sending {
    /// The bytes to be written next: these, the piece of the body, and what ends the piece.
    front: Bytes,
    piece: Bytes,
    behind: &'static [u8],
    body: RequestBody,
    chunked: bool,
    /// Whether the body has given all.
    drained: bool,
    /// Whether a byte has been taken by the socket.
    begun: bool,
}

impl Sending {
    pub(super) fn new(request: Outgoing) -> Self {
        let Outgoing { head, body, chunked } = request;
        let drained = body.is_end_stream();
        let front = head.into();
        Self { front, piece: Bytes::new(), behind: b"", body, chunked, drained, begun: false }
    }

    /// Whether all of it is gone.
    pub(super) fn is_done(&self) -> bool {
        self.drained && self.left() == 0
    }

    /// The body, when nothing of the request was sent.
    pub(super) fn into_unsent(self) -> Option<RequestBody> {
        (!self.begun).then_some(self.body)
    }

    /// Writes what can be written now; ready when all is gone, or when the server will hear no
    /// more: it may have answered already.
    pub(super) fn poll(
        &mut self,
        stream: &mut Stream,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Failure>> {
        loop {
            if self.piece.is_empty() && self.behind.is_empty() && !self.drained {
                match self.poll_piece(cx)? {
                    Poll::Ready(()) => continue,
                    // The head does not wait for the client.
                    Poll::Pending if self.front.is_empty() => return Poll::Pending,
                    Poll::Pending => {}
                }
            }
            if self.left() == 0 {
                return Poll::Ready(Ok(()));
            }
            match ready!(self.poll_write(stream, cx)) {
                Ok(()) => {}
                Err(error) if self.begun && is_deaf(&error) => {
                    self.give_up();
                    return Poll::Ready(Ok(()));
                }
                Err(error) => return Poll::Ready(Err(Failure::Socket(Phase::Send, error))),
            }
        }
    }

    /// Nothing more of it is sent.
    fn give_up(&mut self) {
        (self.front, self.piece, self.behind) = (Bytes::new(), Bytes::new(), b"");
        self.drained = true;
    }

    fn left(&self) -> usize {
        self.front.len() + self.piece.len() + self.behind.len()
    }

    /// Takes the next piece off the body.
    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx)).transpose();
        let frame = frame.map_err(|broken| match broken {
            Broken::Client(_) => Failure::Client,
            Broken::TooLarge => Failure::TooLarge,
        })?;
        let ended = frame.is_none() || self.body.is_end_stream();
        let piece = frame.and_then(|frame| frame.into_data().ok()).unwrap_or_default();
        self.drained = ended;
        if self.chunked && !piece.is_empty() {
            let size = format!("{:x}\r\n", piece.len());
            self.front = [&*self.front, size.as_bytes()].concat().into();
            self.behind = if ended { b"\r\n0\r\n\r\n" } else { b"\r\n" };
        } else if self.chunked && ended {
            self.behind = LAST;
        }
        self.piece = piece;
        Poll::Ready(Ok(()))
    }

    fn poll_write(&mut self, stream: &mut Stream, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let stream = Pin::new(stream);
        let written = if self.piece.is_empty() && self.behind.is_empty() {
            ready!(stream.poll_write(cx, &self.front))?
        } else {
            let all = [&*self.front, &*self.piece, self.behind].map(IoSlice::new);
            ready!(stream.poll_write_vectored(cx, &all))?
        };
        if written == 0 {
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        self.begun = true;
        let mut rest = written;
        for part in [&mut self.front, &mut self.piece] {
            let taken = rest.min(part.len());
            part.advance(taken);
            rest -= taken;
        }
        self.behind = self.behind.get(rest..).unwrap_or_default();
        Poll::Ready(Ok(()))
    }
}

/// A server that answers before it has read a request to its end, and closes, breaks the pipe. Its
/// answer waits to be read all the same.
fn is_deaf(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset)
}
