//! The end of a WebSocket tunnel by the proxy: both peers are told with a Close, between two frames
//! (RFC 6455, 7.1.1), and are given a moment to answer it.

use std::future::poll_fn;
use std::mem::take;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, ReadBuf};
use tokio::time::timeout;

use super::direction::{Direction, End};
use super::frames::close;
use super::outcome::Outcome;
use super::relay::Relay;
use crate::net::{Stream, scratch};

/// How long all of it may take.
const PATIENCE: Duration = Duration::from_secs(1);

/// How far one direction is.
#[derive(Debug)]
enum Step {
    /// The frame under way goes on to its end; then this Close follows.
    Finish(Vec<u8>),
    /// The Close is on its way.
    Tell,
    /// What the source still sends goes nowhere, until its own Close has come.
    Listen,
    /// Nothing more is to come.
    Done,
}

impl Relay {
    /// Tells both peers why the tunnel ends, if it is the proxy that ends it. Whom a frame was half
    /// sent to that can have no end is told nothing.
    pub(crate) async fn close(&mut self, outcome: &Outcome) {
        let Some((code, reason)) = outcome.farewell().filter(|_| self.limits.websocket) else {
            return;
        };
        let mut upward = Step::Finish(close(code, reason, Some(rand::random())));
        let mut downward = Step::Finish(close(code, reason, None));
        let Self { client, server, up, down, .. } = self;
        let told = poll_fn(|cx| {
            let upward = up.poll_close(client, server, &mut upward, cx);
            let downward = down.poll_close(server, client, &mut downward, cx);
            if upward.is_ready() { downward } else { Poll::Pending }
        });
        // Either way the connections are closed now.
        let _ = timeout(PATIENCE, told).await;
    }
}

impl Direction {
    fn poll_close(
        &mut self,
        from: &mut Stream,
        to: &mut Stream,
        step: &mut Step,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        loop {
            match step {
                Step::Finish(close) => {
                    *step = if ready!(self.poll_finish(from, to, cx)) {
                        self.hold(&take(close));
                        Step::Tell
                    } else {
                        Step::Listen
                    };
                }
                Step::Tell => {
                    // One that cannot be told is none that answers.
                    let _ = ready!(self.poll_held(to, cx));
                    *step = Step::Listen;
                }
                Step::Listen => {
                    ready!(self.poll_listen(from, cx));
                    *step = Step::Done;
                }
                Step::Done => return Poll::Ready(()),
            }
        }
    }

    /// Moves the rest of the frame under way; ready with whether a Close may follow.
    fn poll_finish(
        &mut self,
        from: &mut Stream,
        to: &mut Stream,
        cx: &mut Context<'_>,
    ) -> Poll<bool> {
        loop {
            if ready!(self.poll_drain(to, cx)).is_err() {
                return Poll::Ready(false);
            }
            if self.is_cut || self.frames.is_between_frames() {
                return Poll::Ready(true);
            }
            if self.frames.is_lost() || self.frames.is_closed() || self.end != End::Open {
                return Poll::Ready(false);
            }
            let reached = ready!(self.poll_read(from, cx, |direction, bytes, cx| {
                let (rest, next) = bytes.split_at(direction.frames.finish(bytes));
                let reached = direction.frames.is_between_frames();
                let passed = direction.pass(rest, to, cx);
                direction.frames.see(next);
                reached && passed.is_ok()
            }));
            if reached == Some(true) {
                return Poll::Ready(true);
            }
        }
    }

    /// Ready when the source has nothing more to say.
    fn poll_listen(&mut self, from: &mut Stream, cx: &mut Context<'_>) -> Poll<()> {
        while self.end == End::Open && !self.frames.is_closed() && !self.frames.is_lost() {
            ready!(self.poll_read(from, cx, |direction, bytes, _| direction.frames.see(bytes)));
        }
        Poll::Ready(())
    }

    /// Reads once; notes an end, of whatever kind.
    fn poll_read<T>(
        &mut self,
        from: &mut Stream,
        cx: &mut Context<'_>,
        then: impl FnOnce(&mut Self, &[u8], &mut Context<'_>) -> T,
    ) -> Poll<Option<T>> {
        scratch(|buffer| {
            let mut read = ReadBuf::new(buffer);
            match ready!(Pin::new(&mut *from).poll_read(cx, &mut read)) {
                Ok(()) if !read.filled().is_empty() => {
                    Poll::Ready(Some(then(self, read.filled(), cx)))
                }
                _ => {
                    self.end = End::Read;
                    Poll::Ready(None)
                }
            }
        })
    }
}
