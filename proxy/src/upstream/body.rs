//! A server's body on its way to the client, a piece at a time.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Sleep, sleep};

use super::connection::Connection;
use super::failure::{Failure, Phase};
use super::{Lease, pool::Shelf};

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
