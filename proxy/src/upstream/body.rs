//! A server's body on its way to the client, a piece at a time.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf as _, Bytes};
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Sleep, sleep};

use super::answer::Head;
use super::connection::Connection;
use super::failure::{Failure, Phase};
use super::sending::Sending;
use super::throttle::Throttle;
use super::trailers::Trailers;
use super::{Lease, pool::Shelf};
use crate::framing;
use crate::net::scratch;

/// A server's body on its way to the client. It reads the server's connection itself, and gives
/// it back to be kept when the answer is complete.
#[derive(Debug)]
pub(crate) struct ResponseBody {
    framing: framing::Body,
    /// What has come and was not given on yet.
    ready: Bytes,
    /// Whether the end was given on, too.
    ended: bool,
    connection: Option<(Connection, Shelf)>,
    /// What of the request is still to be sent: its server answered early.
    sending: Option<Box<Sending>>,
    /// Whether the connection may be kept.
    keep: bool,
    lease: Option<Lease>,
    patience: Patience,
    /// How fast it may be read, where that is limited.
    throttle: Option<Box<Throttle>>,
    /// Whether something came behind its end.
    excess: Option<Excess>,
    /// What of it is given on, where that is not all: so many bytes are left out, and so many
    /// follow.
    part: Option<(u64, u64)>,
    /// What comes of its trailers, where they are wanted; then their lines.
    trailers: Option<Box<Trailers>>,
    lines: Vec<u8>,
}

/// What came behind the end of a body: nobody's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Excess {
    /// Behind as many bytes as were promised.
    #[error("upstream sent more data than specified in \"Content-Length\" header")]
    Length,
    /// Behind the last chunk.
    #[error("upstream sent data after final chunk")]
    Chunked,
}

impl ResponseBody {
    /// The body behind `head`, of which `early` has come.
    pub(super) fn new(
        head: &Head,
        early: &[u8],
        connection: (Connection, Shelf),
        sending: Sending,
        read_timeout: Duration,
        trailers: Option<Trailers>,
    ) -> Result<Box<Self>, Failure> {
        let mut body = Box::new(Self {
            framing: head.body,
            ready: Bytes::new(),
            ended: false,
            connection: Some(connection),
            sending: (!sending.is_done()).then(|| Box::new(sending)),
            keep: head.keep,
            lease: None,
            patience: Patience { timeout: read_timeout, timer: None },
            throttle: None,
            excess: None,
            part: None,
            trailers: trailers.filter(|_| head.body == framing::Body::CHUNKED).map(Box::new),
            lines: Vec::new(),
        });
        body.receive(early)?;
        Ok(body)
    }

    /// Keeps the server counted as busy until the body has ended.
    pub(crate) fn hold(&mut self, lease: Lease) {
        if self.connection.is_some() {
            self.lease = Some(lease);
        }
    }

    /// Reads at most so many bytes in a second, from the next one on.
    pub(crate) fn limit(&mut self, rate: u64) {
        self.throttle = Some(Box::new(Throttle::new(rate)));
    }

    /// What came behind its end, to be told once.
    pub(crate) fn take_excess(&mut self) -> Option<Excess> {
        self.excess.take()
    }

    /// Gives on only so many bytes, behind the first ones.
    pub(crate) fn cut(&mut self, skipped: u64, length: u64) {
        self.part = Some((skipped, length));
    }

    /// Takes off a piece what belongs to the part that is given on.
    fn part_of(&mut self, mut piece: Bytes) -> Bytes {
        let Some((skipped, left)) = &mut self.part else { return piece };
        let within = |count: u64, piece: &Bytes| {
            usize::try_from(count).map_or(piece.len(), |count| count.min(piece.len()))
        };
        let before = within(*skipped, &piece);
        *skipped -= u64::try_from(before).unwrap_or_default();
        piece.advance(before);
        piece.truncate(within(*left, &piece));
        *left -= u64::try_from(piece.len()).unwrap_or_default();
        piece
    }

    /// Whether all is given on that is to be.
    fn is_cut_off(&self) -> bool {
        matches!(self.part, Some((_, 0)))
    }

    /// Whether trailers may follow that are wanted.
    pub(crate) fn awaits_trailers(&self) -> bool {
        self.trailers.is_some() || !self.lines.is_empty()
    }

    /// The lines of its trailers, once it has ended.
    pub(crate) fn take_trailers(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.lines)
    }

    /// Takes the content off bytes that have come.
    fn receive(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let mut content = Vec::new();
        let taken = match &mut self.trailers {
            None => self.framing.content(bytes, &mut content),
            Some(trailers) => trailers.take(&mut self.framing, bytes, &mut content)?,
        };
        if self.framing.is_lost() {
            self.keep = false;
            return Err(Failure::invalid_body("invalid chunked response"));
        }
        if taken < bytes.len() {
            self.keep = false;
            self.excess = Some(match self.framing {
                framing::Body::Chunked(_) => Excess::Chunked,
                _ => Excess::Length,
            });
        }
        self.ready = content.into();
        if self.framing.is_over() {
            if let Some(trailers) = self.trailers.take() {
                self.lines = trailers.finish()?;
            }
            self.finish();
        }
        Ok(())
    }

    fn finish(&mut self) {
        self.lease = None;
        if let Some((connection, shelf)) = self.connection.take()
            && self.keep
            && self.sending.is_none()
        {
            shelf.keep(connection);
        }
    }

    /// Reads until there is content, or no more of it.
    fn poll_more(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        scratch(|room| {
            while self.ready.is_empty() {
                let Some((connection, _)) = &mut self.connection else { break };
                let room = match &mut self.throttle {
                    None => &mut *room,
                    Some(throttle) => {
                        let most = match throttle.poll(cx) {
                            Poll::Ready(most) => most.min(room.len()),
                            Poll::Pending => {
                                // It is not the server that keeps the client waiting.
                                self.patience.reset();
                                return Poll::Pending;
                            }
                        };
                        room.get_mut(..most).unwrap_or_default()
                    }
                };
                let read = ready!(connection.poll_read(room, Phase::Body, cx))?;
                if let Some(throttle) = &mut self.throttle {
                    throttle.take(read.len());
                }
                match (read, self.framing) {
                    ([], framing::Body::UntilClose) => self.finish(),
                    ([], _) => {
                        self.connection = None;
                        return Poll::Ready(Err(Failure::Closed(Phase::Body)));
                    }
                    (read, _) => self.receive(read)?,
                }
            }
            Poll::Ready(Ok(()))
        })
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = Failure;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Failure>>> {
        let this = self.get_mut();
        if let (Some((connection, _)), Some(sending)) = (&mut this.connection, &mut this.sending) {
            connection.poll_send(sending, cx);
            this.sending.take_if(|sending| sending.is_done());
        }
        while !this.is_cut_off() {
            match this.poll_more(cx) {
                Poll::Ready(Ok(())) => {
                    this.patience.reset();
                    let piece = std::mem::take(&mut this.ready);
                    this.ended = piece.is_empty();
                    let piece = this.part_of(piece);
                    if this.ended || !piece.is_empty() {
                        return Poll::Ready((!this.ended).then(|| Ok(Frame::data(piece))));
                    }
                }
                Poll::Ready(Err(failure)) => return Poll::Ready(Some(Err(failure))),
                Poll::Pending => {
                    ready!(this.patience.poll(cx));
                    return Poll::Ready(Some(Err(Failure::Timeout(Phase::Body))));
                }
            }
        }
        Poll::Ready(None)
    }

    fn is_end_stream(&self) -> bool {
        self.ended
            || self.is_cut_off()
            || (self.ready.is_empty() && self.framing == framing::Body::Length(0))
    }

    fn size_hint(&self) -> SizeHint {
        if let Some((_, left)) = self.part {
            return SizeHint::with_exact(left);
        }
        match self.framing {
            framing::Body::Length(left) => {
                let ready = u64::try_from(self.ready.len()).unwrap_or(u64::MAX);
                SizeHint::with_exact(left.saturating_add(ready))
            }
            framing::Body::Chunked(_) | framing::Body::UntilClose => SizeHint::default(),
        }
    }
}

/// A timer that exists only while something is waited for.
#[derive(Debug)]
struct Patience {
    timeout: Duration,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Patience {
    fn reset(&mut self) {
        self.timer = None;
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let timeout = self.timeout;
        self.timer.get_or_insert_with(|| Box::pin(sleep(timeout))).as_mut().poll(cx)
    }
}
