//! What hyper writes, on its way to a client's socket: some heads in other words, and trailers
//! behind the last chunk, which hyper gives only to who asks for them by `TE`.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use tokio::io::AsyncWrite;

use super::mend;
use super::socket::Socket;
use crate::framing::Body;
use crate::http::Client;

/// What is to be written in the place of hyper's bytes, or between them.
#[derive(Debug)]
pub(super) struct Writing {
    client: Rc<Client>,
    /// A head of hyper's in other words, as long as it was, and how much of it is gone.
    head: Vec<u8>,
    gone: usize,
    /// The body that trailers follow.
    body: Option<Body>,
    /// What of them is not gone.
    trailers: Vec<u8>,
    /// What of interim heads is not gone.
    interim: Vec<u8>,
    /// Whether all that hyper had to write is gone.
    clean: bool,
}

impl Writing {
    pub(super) fn new(client: Rc<Client>) -> Self {
        Self {
            client,
            head: Vec::new(),
            gone: 0,
            body: None,
            trailers: Vec::new(),
            interim: Vec::new(),
            clean: true,
        }
    }

    /// Writes some of hyper's bytes, and says how many of them.
    pub(super) fn poll(
        &mut self,
        socket: &mut Socket,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_interim(socket, cx))?;
        self.clean = false;
        if self.begins(bufs.first().map_or(&[], |first| first)) {
            return self.poll_head(socket, cx, bufs);
        }
        if self.body.is_some() {
            return self.poll_body(socket, cx, bufs);
        }
        write(socket, cx, bufs)
    }

    /// hyper has nothing more to write.
    pub(super) fn poll_clean(
        &mut self,
        socket: &mut Socket,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        self.clean = true;
        self.poll_interim(socket, cx)
    }

    /// Writes interim heads, which are dropped where an earlier answer is still on its way: who
    /// does not read it has no use for hints.
    fn poll_interim(&mut self, socket: &mut Socket, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.interim.is_empty() {
            let interim = self.client.interim.take();
            self.interim = if self.clean { interim } else { Vec::new() };
        }
        while !self.interim.is_empty() {
            let written = ready!(write(socket, cx, &[IoSlice::new(&self.interim)]))?;
            self.interim.drain(..written);
        }
        Poll::Ready(Ok(()))
    }

    /// Whether these bytes of hyper's begin with a head that is written in other words, or with
    /// what is left of one.
    fn begins(&mut self, bytes: &[u8]) -> bool {
        if self.head.is_empty()
            && let Some(written) = self.client.take_written()
            && let Some(head) = mend::mend(bytes, &written)
        {
            (self.head, self.gone) = (head, 0);
            self.body = written.trailers.then_some(Body::CHUNKED);
        }
        !self.head.is_empty()
    }

    /// Writes what is left of the head in the place of as many bytes of hyper's, and what follows
    /// it, unless that is to be looked at.
    fn poll_head(
        &mut self,
        socket: &mut Socket,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let rest = self.head.get(self.gone..).unwrap_or_default();
        let mut all = vec![IoSlice::new(rest)];
        if self.body.is_none() {
            let mut bufs = bufs.iter();
            let behind = bufs.next().and_then(|first| first.get(rest.len()..)).unwrap_or_default();
            all.push(IoSlice::new(behind));
            all.extend(bufs.map(|buf| IoSlice::new(buf)));
        }
        let written = ready!(write(socket, cx, &all))?;
        self.gone += written;
        if self.gone >= self.head.len() {
            self.head = Vec::new();
        }
        Poll::Ready(Ok(written))
    }

    /// Writes as far as the last chunk; then the trailers, and what is behind them.
    fn poll_body(
        &mut self,
        socket: &mut Socket,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let Some(body) = &mut self.body else { return write(socket, cx, bufs) };
        if body.is_at_trailers() {
            if self.trailers.is_empty() {
                self.trailers = self.client.trailers.take();
            }
            while !self.trailers.is_empty() {
                let written = ready!(write(socket, cx, &[IoSlice::new(&self.trailers)]))?;
                self.trailers.drain(..written);
            }
            self.body = None;
            return write(socket, cx, bufs);
        }
        let mut ahead = *body;
        let before = bufs.iter().map(|buf| {
            let length = ahead.before_trailers(buf);
            IoSlice::new(buf.get(..length).unwrap_or_default())
        });
        let before: Vec<_> = before.collect();
        let written = ready!(write(socket, cx, &before))?;
        let mut left = written;
        for buf in before {
            let length = left.min(buf.len());
            body.before_trailers(buf.get(..length).unwrap_or_default());
            left -= length;
        }
        Poll::Ready(Ok(written))
    }
}

fn write(
    socket: &mut Socket,
    cx: &mut Context<'_>,
    bufs: &[IoSlice<'_>],
) -> Poll<io::Result<usize>> {
    match bufs {
        [buf] => Pin::new(socket).poll_write(cx, buf),
        bufs => Pin::new(socket).poll_write_vectored(cx, bufs),
    }
}
