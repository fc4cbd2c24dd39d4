//! The wire between a client's socket and hyper: it knows where each head begins, and hyper gets
//! no head that nginx would refuse.
//!
//! Bytes are read into hyper's own buffer and only looked at; they are held here when a head is
//! not whole, must be written anew, or when it is not known yet whether HTTP follows.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use memchr::memchr;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::head::Head;
use super::line::{self, Fault};
use super::socket::Socket;
use super::writing::Writing;
use crate::framing::Body;
use crate::http::{Client, Refused, tell_cut_off};
use crate::net::Stream;
use crate::observe::{Level, errno};

/// What is read at once while a head is not whole.
const PIECE: usize = 4096;

/// A client's connection as hyper has it.
#[derive(Debug)]
pub(super) struct Wire {
    socket: Socket,
    client: Rc<Client>,
    /// How long a head may take (nginx: `client_header_timeout`).
    patience: Duration,
    /// What the next byte belongs to that was not looked at.
    next: Next,
    /// Whether what follows the body may be another protocol.
    upgrade: bool,
    /// Bytes that hyper doesn't have yet: `held[at..at + ready]` it may read, the rest it may not.
    held: Vec<u8>,
    at: usize,
    ready: usize,
    /// How many heads hyper was given.
    heads: u64,
    /// Whether the head that is not whole came together with what is before it.
    behind: bool,
    /// What is written otherwise than hyper writes it.
    writing: Writing,
}

/// What a byte belongs to.
#[derive(Debug)]
enum Next {
    Head(Head),
    Body(Body),
    /// Whether it is HTTP is known once the request before is answered.
    Unknown,
    /// A head was refused: what follows is not read any more.
    Nothing,
    /// A body was none: hyper gets an error in its place.
    Broken,
}

/// How far bytes were followed.
#[derive(Debug)]
enum Followed {
    /// Up to here hyper may read them.
    To(usize),
    /// A head from the first position to the second has to be written anew.
    Odd(usize, usize),
    /// The head that begins here is refused.
    Bad(usize, Fault),
}

impl Wire {
    /// A wire from this socket, of which `held` has been read.
    pub(super) fn new(socket: Socket, held: Vec<u8>, client: Rc<Client>) -> Self {
        let patience = client.patience.get();
        let rules = client.site.heads;
        let writing = Writing::new(client.clone());
        Self {
            socket,
            client,
            patience,
            next: Next::Head(Head::new(rules)),
            upgrade: false,
            held,
            at: 0,
            ready: 0,
            heads: 0,
            behind: false,
            writing,
        }
    }

    /// The socket, and what was read from it but not by hyper.
    pub(super) fn into_parts(mut self) -> (Stream, Vec<u8>) {
        self.held.drain(..self.at);
        (self.socket.into_inner(), self.held)
    }

    /// After a body comes a head, unless another protocol may.
    fn settle(&mut self) {
        let over = match &self.next {
            Next::Body(body) => body.is_over(),
            Next::Unknown => self.client.is_answered(self.heads),
            Next::Head(_) | Next::Nothing | Next::Broken => false,
        };
        if over {
            let unknown = std::mem::take(&mut self.upgrade);
            self.next =
                if unknown { Next::Unknown } else { Next::Head(Head::new(self.client.site.heads)) };
        }
    }

    /// Follows bytes that begin where the last ones ended, or where a head begins that was not
    /// whole.
    fn follow(&mut self, bytes: &[u8]) -> Followed {
        let mut at = 0;
        while at < bytes.len() {
            self.settle();
            let rest = bytes.get(at..).unwrap_or_default();
            self.behind |= at > 0 && matches!(self.next, Next::Head(_) | Next::Unknown);
            match &mut self.next {
                Next::Head(head) => match head.read(rest) {
                    Ok(None) => break,
                    Ok(Some(whole)) => {
                        self.next = Next::Body(whole.body);
                        self.upgrade = whole.upgrade;
                        self.heads += 1;
                        if std::mem::take(&mut self.behind) {
                            self.client.flow.pipeline(self.heads);
                        }
                        if whole.odd {
                            let end = at + whole.length;
                            self.settle();
                            self.behind = end < bytes.len() && !matches!(self.next, Next::Body(_));
                            return Followed::Odd(at, end);
                        }
                        self.client.keep_fields(rest.get(whole.line..whole.length));
                        at += whole.length;
                    }
                    Err(fault) => return Followed::Bad(at, fault),
                },
                Next::Body(body) => {
                    let taken = body.follow(rest);
                    if body.is_lost() {
                        // hyper is less strict, and reads on where others would not.
                        self.next = Next::Broken;
                        break;
                    }
                    at += taken;
                }
                Next::Unknown | Next::Nothing | Next::Broken => break,
            }
        }
        Followed::To(at)
    }

    /// Holds these bytes, and knows how many of them hyper may read.
    fn hold(&mut self, bytes: &[u8], followed: Followed) {
        self.at = 0;
        match followed {
            Followed::To(end) => {
                self.ready = end;
                self.held = bytes.to_vec();
            }
            Followed::Odd(start, end) => {
                let (before, rest) = bytes.split_at_checked(start).unwrap_or_default();
                let (odd, after) = rest.split_at_checked(end - start).unwrap_or_default();
                let head =
                    line::rewrite(odd, &self.client.site.heads, |line| self.tell_ignored(line));
                let line = memchr(b'\n', &head).unwrap_or_default();
                self.client.keep_fields(head.get(line..));
                self.ready = before.len() + head.len();
                self.held = [before, &head, after].concat();
            }
            Followed::Bad(start, fault) => {
                let (before, bad) = bytes.split_at_checked(start).unwrap_or_default();
                let stand_in = self.refuse(bad, fault);
                self.held = [before, stand_in.as_bytes()].concat();
                self.ready = self.held.len();
            }
        }
    }

    /// Looks at what is held and not ready.
    fn follow_held(&mut self) {
        let held = std::mem::take(&mut self.held);
        let bytes = held.get(self.at..).unwrap_or_default();
        match self.follow(bytes) {
            Followed::To(end) => {
                self.ready = end;
                self.held = held;
            }
            followed => self.hold(bytes, followed),
        }
    }

    /// Leaves the refusal where the request's record will find it. Gives what hyper sees instead.
    fn refuse(&mut self, bytes: &[u8], fault: Fault) -> String {
        let next = std::mem::replace(&mut self.next, Next::Nothing);
        let Next::Head(head) = next else { return String::new() };
        self.heads += 1;
        self.client.keep_fields(None);
        let (parts, line) = head.read_so_far(bytes);
        let Fault { status, why } = fault;
        let part = if head.has_line() { "headers" } else { "line" };
        let why = format!("{why} while reading client request {part}");
        *self.client.refused.borrow_mut() = Some(Box::new(Refused {
            number: self.heads,
            status,
            why: why.into(),
            line,
            head: parts,
        }));
        head.stand_in()
    }

    /// The client has left in the middle of a head, or is let go there.
    pub(super) fn end_in_head(&mut self, status: u16, why: &str) {
        let Next::Head(head) = &self.next else { return };
        let bytes = self.held.get(self.at..).unwrap_or_default();
        if bytes.is_empty() {
            return;
        }
        let (parts, line) = head.read_so_far(bytes);
        let part = if head.has_line() { "headers" } else { "line" };
        let why = format!("{why} while reading client request {part}");
        self.next = Next::Nothing;
        tell_cut_off(&self.client, status, &why, line, parts);
    }

    fn tell_ignored(&self, line: &[u8]) {
        let Client { site, id, peer, .. } = &*self.client;
        if site.error_log.takes(Level::Info) {
            let peer = peer.map_or_else(|| "unix:".to_owned(), |peer| peer.ip().to_string());
            let line = line::show(line);
            let what = format_args!(
                "client sent invalid header line: \"{line}\" while reading client request headers, \
                 client: {peer}"
            );
            site.error_log.log_connection(Level::Info, *id, what);
        }
    }

    /// Gives hyper what it may read.
    fn give(&mut self, buf: &mut ReadBuf<'_>) {
        let most = self.ready.min(buf.remaining());
        buf.put_slice(self.held.get(self.at..self.at + most).unwrap_or_default());
        self.ready -= most;
        self.at += most;
        if self.at == self.held.len() {
            self.held = Vec::new();
            self.at = 0;
        }
    }

    /// A head has begun: it has its own time to become whole.
    fn begin_head(&self) {
        self.client.begin_head();
        self.client.patience.set(self.patience);
    }

    /// Reads more of a head that is not whole. Zero at the end.
    fn poll_more(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut piece = [0; PIECE];
        let mut piece = ReadBuf::new(&mut piece);
        ready!(Pin::new(&mut self.socket).poll_read(cx, &mut piece))?;
        self.held.drain(..self.at);
        self.at = 0;
        self.held.extend_from_slice(piece.filled());
        Poll::Ready(Ok(piece.filled().len()))
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            if this.ready > 0 {
                this.give(buf);
                return Poll::Ready(Ok(()));
            }
            this.settle();
            let holds = !this.held.is_empty();
            match this.next {
                Next::Nothing => return Poll::Pending,
                Next::Broken => return Poll::Ready(Err(io::ErrorKind::InvalidData.into())),
                Next::Unknown if holds => {
                    this.client.flow.wait_for_end(cx.waker());
                    return Poll::Pending;
                }
                _ => {}
            }
            if holds {
                this.follow_held();
                if this.ready == 0 && matches!(this.next, Next::Head(_)) {
                    if this.client.busy.get() == 0 && this.client.flow.head_since.get().is_none() {
                        // It came behind a request that is answered now.
                        this.begin_head();
                    }
                    match ready!(this.poll_more(cx)) {
                        Ok(0) => {
                            this.end_in_head(400, "client prematurely closed connection");
                            return Poll::Ready(Ok(()));
                        }
                        Ok(_) => {}
                        Err(error) => {
                            let why = format!("recv() failed ({})", errno(&error));
                            this.end_in_head(400, &why);
                            return Poll::Ready(Err(error));
                        }
                    }
                }
                continue;
            }
            let before = buf.filled().len();
            ready!(Pin::new(&mut this.socket).poll_read(cx, buf))?;
            let fresh = buf.filled().get(before..).unwrap_or_default();
            if fresh.is_empty() {
                if this.client.requests.get() < this.heads {
                    // hyper would drop a request that it has read but not begun to answer. Let
                    // it begin first: what the configuration says needs no client that stays.
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                return Poll::Ready(Ok(()));
            }
            match this.follow(fresh) {
                Followed::To(end) if end == fresh.len() => return Poll::Ready(Ok(())),
                followed => this.hold(fresh, followed),
            }
            buf.set_filled(before);
            if this.ready == 0 && matches!(this.next, Next::Head(_)) {
                this.begin_head();
            }
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.writing.poll(&mut this.socket, cx, &[IoSlice::new(buf)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.writing.poll(&mut this.socket, cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.writing.poll_clean(&mut this.socket, cx))?;
        Pin::new(&mut this.socket).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_shutdown(cx)
    }
}
