//! A client's socket while hyper has it: what hyper knows of it and does not tell.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::http::Client;
use crate::net::Stream;
use crate::observe::now;

/// The socket, and the client whose [`Flow`](crate::http::Flow) it notes.
#[derive(Debug)]
pub(super) struct Socket {
    stream: Stream,
    client: Rc<Client>,
}

impl Socket {
    pub(super) fn new(stream: Stream, client: Rc<Client>) -> Self {
        Self { stream, client }
    }

    pub(super) fn into_inner(self) -> Stream {
        self.stream
    }

    fn wrote(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        let blocked = &self.client.flow.blocked;
        match (&written, blocked.get()) {
            (Poll::Pending, None) => blocked.set(Some(now())),
            (Poll::Ready(_), Some(_)) => blocked.set(None),
            _ => {}
        }
        written
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        self.client.flow.deaf.set(read.is_ready());
        // Whoever ignores the end goes on answering: hyper would not, if it were told.
        let is_end =
            matches!(&read, Poll::Ready(result) if result.is_err() || buf.filled().len() == before);
        if is_end && self.client.flow.ignores_end.get() {
            self.client.flow.wait_for_end(cx.waker());
            return Poll::Pending;
        }
        read
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.wrote(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.wrote(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// hyper flushes whenever it is polled and has nothing to write. It does not read while bytes
    /// of the client's wait behind a request, so it would not see that the client has gone.
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let ignores_end = self.client.flow.ignores_end.get();
        if !ignores_end && self.client.is_unheard() && self.stream.poll_end(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
