//! A client whose server has gone away without a word: it is held for a while, so that not all
//! clients of a dead server come back at once.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, ReadBuf};
use tokio::time::{Instant, sleep_until};

use super::ending::Ending;
use super::frames::Tracker;
use super::outcome::Outcome;
use super::relay::Relay;
use crate::net::{Stream, scratch};

impl Relay {
    /// Holds the client until its time has come; what it sends meanwhile goes nowhere. It may leave
    /// before, and the proxy may end.
    pub(crate) async fn release(&mut self) -> Outcome {
        let wait = Duration::from(self.limits.orphaned);
        let ending = if wait.is_zero() { Ending::Lost } else { Ending::Orphaned };
        let due = Instant::now() + wait;
        let mut timer = pin!(sleep_until(due));
        poll_fn(|cx| {
            if let Some(order) = self.reins.order()
                && Instant::from_std(order.due) < due
            {
                timer.as_mut().reset(order.due.into());
            }
            if timer.as_mut().poll(cx).is_ready() {
                let order = self.reins.order().filter(|order| Instant::from_std(order.due) < due);
                let ending = match order {
                    // There is nothing of it that could go on in another image, nor could it here.
                    Some(order) if order.ending != Ending::Replaced => order.ending,
                    _ => ending,
                };
                return Poll::Ready(Outcome::Ended(ending));
            }
            poll_waste(&mut self.client, &mut self.up.frames, cx).map(|()| Outcome::Finished)
        })
        .await
    }
}

/// Ready when no more comes.
fn poll_waste(from: &mut Stream, frames: &mut Tracker, cx: &mut Context<'_>) -> Poll<()> {
    scratch(|buffer| {
        loop {
            let mut read = ReadBuf::new(buffer);
            match Pin::new(&mut *from).poll_read(cx, &mut read) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(())) if !read.filled().is_empty() => frames.see(read.filled()),
                Poll::Ready(_) => return Poll::Ready(()),
            }
        }
    })
}
