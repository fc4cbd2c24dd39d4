//! What has become of a tunnel, for the logs.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::outcome::{Outcome, Side};
use super::reins::Passed;
use super::relay::Relay;

/// What has become of a tunnel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Summary {
    /// From the client to the server.
    pub(crate) up: Carried,
    /// From the server to the client.
    pub(crate) down: Carried,
    /// The code of the first Close (RFC 6455, 7.4): 1005 where it had none, 1006 where nobody sent one.
    pub(crate) code: u16,
    /// Who ended it; nobody where that is the network's doing.
    pub(crate) by: Option<By>,
    /// For how long nothing had moved.
    pub(crate) idle: Duration,
    /// How long the client's answer to the last ping took.
    pub(crate) ping: Option<Duration>,
    /// Whether both directions ended by themselves.
    pub(crate) complete: bool,
    /// How long it lasted.
    pub(crate) age: Duration,
}

impl Summary {
    /// What has gone from the client, and to it.
    pub(crate) fn passed(&self) -> [Passed; 2] {
        [self.up, self.down]
            .map(|carried| Passed { messages: carried.messages.into(), bytes: carried.bytes })
    }

    /// In how many directions something came that is no frame.
    pub(crate) fn malformed(&self) -> u64 {
        u64::from(self.up.malformed) + u64::from(self.down.malformed)
    }
}

/// What one direction has carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Carried {
    /// Messages that have come whole.
    pub(crate) messages: u32,
    /// Bytes that were taken.
    pub(crate) bytes: u64,
    /// Whether something came that is no frame.
    pub(crate) malformed: bool,
}

/// Who has ended a tunnel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum By {
    /// One of its ends.
    Side(Side),
    /// The proxy.
    Proxy,
}

impl Relay {
    /// For how long nothing has moved.
    pub(crate) fn idle(&self) -> Duration {
        self.reins.idles(Instant::now())
    }

    /// What has become of it. It was idle for so long before it was closed.
    pub(crate) fn summary(&self, outcome: &Outcome, idle: Duration) -> Summary {
        let (code, by) = match (outcome.farewell(), self.closer) {
            (Some((code, _)), _) => (code, Some(By::Proxy)),
            (None, Some(side)) => {
                let frames = match side {
                    Side::Client => &self.up.frames,
                    Side::Server => &self.down.frames,
                };
                (frames.close_code().unwrap_or(1005), Some(By::Side(side)))
            }
            (None, None) => (1006, self.gone(outcome).map(By::Side)),
        };
        Summary {
            up: carried(&self.up, self.limits.websocket),
            down: carried(&self.down, self.limits.websocket),
            code,
            by,
            idle,
            ping: self.asked_client.as_ref().and_then(|asked| asked.round_trip()),
            complete: matches!(outcome, Outcome::Finished),
            age: self.reins.age(Instant::now()),
        }
    }

    /// Who has gone without a word.
    fn gone(&self, outcome: &Outcome) -> Option<Side> {
        match outcome {
            Outcome::Failed(side, _) => Some(*side),
            Outcome::Finished => self.first_end,
            _ => None,
        }
    }
}

fn carried(direction: &super::direction::Direction, websocket: bool) -> Carried {
    let frames = &direction.frames;
    Carried {
        messages: frames.messages(),
        bytes: direction.moved,
        malformed: websocket && frames.is_lost(),
    }
}
