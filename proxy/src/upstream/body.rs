//! The two bodies that pass through, each a piece at a time.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep, sleep};

use super::connection::Connection;
use super::failure::{Failure, Phase};
use super::{Lease, pool::Shelf};

/// A client's body on its way to a server.
#[derive(Debug)]
pub(crate) struct RequestBody(Option<Streamed>);

#[derive(Debug)]
struct Streamed {
    incoming: Incoming,
    /// Bytes that may still come.
    left: u64,
    sent: Rc<Sent>,
}

/// How far a request's body is, as its sender sees it.
#[derive(Debug)]
pub(crate) struct Sent {
    /// Whether the server's connection has asked for any of it: it cannot be sent again then.
    pub(crate) started: Cell<bool>,
    /// Whether all of it is gone.
    pub(crate) ended: Cell<bool>,
    /// When a piece of it came last.
    pub(crate) last: Cell<Instant>,
}

/// Why a client's body broke off.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Broken {
    /// Its connection or its framing did.
    #[error(transparent)]
    Client(hyper::Error),
    /// It grew past the limit.
    #[error("too large")]
    TooLarge,
}

impl RequestBody {
    /// No body.
    pub(crate) fn none() -> Self {
        Self(None)
    }

    /// A client's body of at most `limit` bytes.
    pub(crate) fn streamed(incoming: Incoming, limit: u64) -> (Self, Rc<Sent>) {
        let sent = Rc::new(Sent {
            started: Cell::new(false),
            ended: Cell::new(false),
            last: Cell::new(Instant::now()),
        });
        (Self(Some(Streamed { incoming, left: limit, sent: sent.clone() })), sent)
    }
}

impl RequestBody {
    /// The body itself, when the request was not sent.
    pub(crate) fn into_incoming(self) -> Option<Incoming> {
        self.0.map(|body| body.incoming)
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let Some(body) = &mut self.get_mut().0 else { return Poll::Ready(None) };
        body.sent.started.set(true);
        let frame = ready!(Pin::new(&mut body.incoming).poll_frame(cx));
        body.sent.last.set(Instant::now());
        if frame.is_none() || body.incoming.is_end_stream() {
            body.sent.ended.set(true);
        }
        Poll::Ready(frame.map(|frame| {
            let frame = frame.map_err(Broken::Client)?;
            let length = frame.data_ref().map_or(0, Bytes::len);
            let length = u64::try_from(length).unwrap_or(u64::MAX);
            body.left = body.left.checked_sub(length).ok_or(Broken::TooLarge)?;
            Ok(frame)
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(|body| body.incoming.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        self.0.as_ref().map_or(SizeHint::with_exact(0), |body| body.incoming.size_hint())
    }
}

/// A server's body on its way to the client. It drives the server's connection itself, and gives
/// it back to be kept when the answer is complete.
#[derive(Debug)]
pub(crate) struct ResponseBody {
    incoming: Incoming,
    connection: Option<(Connection, Shelf)>,
    lease: Option<Lease>,
    patience: Patience,
}

impl ResponseBody {
    pub(super) fn new(
        incoming: Incoming,
        connection: Connection,
        shelf: Shelf,
        read_timeout: Duration,
    ) -> Self {
        let patience = Patience { timeout: read_timeout, timer: None };
        let connection = Some((connection, shelf));
        let mut body = Self { incoming, connection, lease: None, patience };
        if body.incoming.is_end_stream() {
            body.finish();
        }
        body
    }

    /// Keeps the server counted as busy until the body has ended.
    pub(crate) fn hold(&mut self, lease: Lease) {
        if self.connection.is_some() {
            self.lease = Some(lease);
        }
    }

    fn finish(&mut self) {
        self.lease = None;
        if let Some((connection, shelf)) = self.connection.take() {
            shelf.keep(connection);
        }
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
        let mut closed = false;
        if let Some((connection, _)) = &mut this.connection {
            // What goes wrong here reaches us through the body, which knows how far it was.
            closed = connection.poll_drive(cx).is_ready();
        }
        if closed {
            this.connection = None;
        }
        match Pin::new(&mut this.incoming).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                this.patience.reset();
                if this.incoming.is_end_stream() {
                    this.finish();
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => {
                Poll::Ready(Some(Err(Failure::from_hyper(&error, Phase::Body))))
            }
            Poll::Ready(None) => {
                this.finish();
                Poll::Ready(None)
            }
            Poll::Pending => {
                ready!(this.patience.poll(cx));
                Poll::Ready(Some(Err(Failure::Timeout(Phase::Body))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
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
