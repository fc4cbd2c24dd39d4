//! Getting a server, and waiting for one while all of them are full (nginx: `queue`).

use std::future::poll_fn;
use std::time::Duration;

use tokio::time::timeout;

use super::Lease;
use super::group::{Current, Group};
use crate::balance::Tried;
use crate::observe::now;

/// How requests wait for a server.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Queue {
    /// How many wait at most.
    pub(crate) requests: usize,
    /// How long each waits.
    pub(crate) timeout: Duration,
}

/// Why there is no server for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unavailable {
    /// All of them were tried, or must not be.
    #[error("no live upstreams while connecting to upstream")]
    None,
    /// All of them are full, and so is the queue.
    #[error("upstream queue is full while connecting to upstream")]
    QueueFull,
    /// None became free in time.
    #[error("upstream queue timed out while connecting to upstream")]
    QueueTimeout,
}

impl Group {
    /// Takes a server for a request; where there is a queue, waits in it while all are full or gone. When
    /// servers come or go meanwhile, `current` becomes what there is then, and nobody counts as
    /// tried.
    pub(crate) async fn lease<'a>(
        &'a self,
        current: &mut Current<'a>,
        tried: &mut Tried,
    ) -> Result<Lease, Unavailable> {
        let balance = &current.balance;
        let Some(queue) = current.queue else {
            return balance.pick(tried, now()).ok_or(Unavailable::None);
        };
        // Nobody passes those that wait already.
        if !balance.is_awaited()
            && let Some(lease) = balance.pick(tried, now())
        {
            return Ok(lease);
        }
        // Where there is nobody, somebody may come.
        if !(balance.has_untried(tried) || balance.is_empty()) {
            return Err(Unavailable::None);
        }
        let mut turn = balance.queue(queue.requests).ok_or(Unavailable::QueueFull)?;
        let free = poll_fn(|cx| {
            loop {
                let polled = turn.poll(tried, now(), cx.waker());
                // It is asked once the waker is in its place: who replaces, replaces and then wakes.
                if polled.is_ready() || !current.is_replaced() {
                    return polled;
                }
                *current = self.current();
                turn.follow(&current.balance);
                tried.restart();
            }
        });
        timeout(queue.timeout, free).await.map_err(|_| Unavailable::QueueTimeout)
    }
}
