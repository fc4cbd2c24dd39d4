//! A handshake that finds all servers away is held for the time in which the next one may be tried:
//! a worker that is started anew is back in a moment.

use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::forward::Forwarded;
use super::websocket::is_to_websocket;
use crate::observe::Level;
use crate::upstream::{Connection, Lease};

/// How soon one looks for the first time whether somebody is back.
const SOON: Duration = Duration::from_millis(20);

/// How often one looks in the end.
const OFTEN: Duration = Duration::from_millis(250);

impl Forwarded<'_> {
    /// Waits until a server takes a connection, where waiting makes sense: one was away, or all have
    /// gone, the request is a handshake, and there is a time in which others may be tried. Looking is no try: nobody
    /// is blamed, and the log says nothing of it.
    pub(super) async fn held(&mut self) -> Option<(Lease, Option<Connection>)> {
        let is_nobody_there = self.absent || self.upstream.balance.is_empty();
        if !(is_nobody_there && self.upgrade && self.asks_for_websocket()) {
            return None;
        }
        let mut left = self.budget.time_left(Instant::now())?;
        let what = format_args!("no live upstreams, waiting for one while connecting to upstream");
        self.record.log(Level::Notice, Some(&*self.upstream.name), what);
        let mut pause = SOON;
        loop {
            sleep(pause.min(left)).await;
            left = self.budget.time_left(Instant::now())?;
            self.upstream = self.group.current();
            self.tried.restart();
            while let Some(lease) = self.upstream.balance.pick(&mut self.tried, Instant::now()) {
                let limit = self.forwarding.times.connect.min(left);
                let written = self.written(lease.peer());
                let opened =
                    Connection::open(lease.address(), written, self.dialing(), limit).await;
                if let Ok(connection) = opened {
                    return Some((lease, Some(connection)));
                }
            }
            pause = (pause * 2).min(OFTEN);
        }
    }

    /// Whether the request is a WebSocket handshake.
    pub(super) fn asks_for_websocket(&self) -> bool {
        is_to_websocket(&self.record.head.headers)
    }
}
