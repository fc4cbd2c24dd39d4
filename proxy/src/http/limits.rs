//! How much is let in, made live, and what became of a request by it.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;

use crate::limit::{ConnectionZone, Counted, Rate, RequestZone};
use crate::observe::Level;
use crate::route::Template;

/// What limits how much comes in; rules without such limits have none of it.
#[derive(Debug)]
pub(crate) struct Limits {
    /// How many requests in a time.
    pub(crate) requests: Limited<RequestLimit>,
    /// How many at once.
    pub(crate) connections: Limited<ConnectionLimit>,
}

/// Limits, and how what is over them is refused.
#[derive(Debug)]
pub(crate) struct Limited<L> {
    /// All of them must let a request in.
    pub(crate) limits: Box<[L]>,
    /// What is answered.
    pub(crate) status: StatusCode,
    /// How it is told.
    pub(crate) level: Level,
    /// Whether it is only told.
    pub(crate) dry_run: bool,
}

/// What both kinds of limits have.
#[derive(Debug)]
pub(crate) struct Zone<Z> {
    /// What is counted.
    pub(crate) counts: Arc<Z>,
    /// Its name, for the log.
    pub(crate) name: Arc<str>,
    /// What is counted apart.
    pub(crate) key: Arc<Template>,
    /// The key as it is written.
    pub(crate) written: Arc<str>,
}

impl<Z> Clone for Zone<Z> {
    fn clone(&self) -> Self {
        Self {
            counts: self.counts.clone(),
            name: self.name.clone(),
            key: self.key.clone(),
            written: self.written.clone(),
        }
    }
}

/// A limit of requests in a time.
#[derive(Debug)]
pub(crate) struct RequestLimit {
    /// Where they are counted.
    pub(crate) zone: Zone<RequestZone>,
    /// How fast they may come.
    pub(crate) rate: Rate,
    /// How many may come early, in thousandths.
    pub(crate) burst: u64,
    /// How many of those need not wait, in thousandths.
    pub(crate) delay: u64,
}

impl RequestLimit {
    /// How long a request waits that fills the bucket up to there.
    pub(super) fn wait(&self, excess: u64) -> Duration {
        self.rate.time_for(excess.saturating_sub(self.delay))
    }
}

/// A limit of what is under way at once.
#[derive(Debug)]
pub(crate) struct ConnectionLimit {
    /// Where they are counted.
    pub(crate) zone: Zone<ConnectionZone>,
    /// How many there may be.
    pub(crate) most: u16,
}

/// What limits made of a request: `$limit_req_status` and `$limit_conn_status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Passed,
    Delayed,
    Rejected,
    DelayedDryRun,
    RejectedDryRun,
}

impl Verdict {
    /// As nginx writes it.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Passed => "PASSED",
            Self::Delayed => "DELAYED",
            Self::Rejected => "REJECTED",
            Self::DelayedDryRun => "DELAYED_DRY_RUN",
            Self::RejectedDryRun => "REJECTED_DRY_RUN",
        }
    }
}

/// What limits have made of one request. Each kind looks at it once, wherever it is sent on to.
#[derive(Debug, Default)]
pub(crate) struct Standing {
    /// By how many come in a time.
    pub(super) requests: Cell<Option<Verdict>>,
    /// By how many there are at once.
    pub(super) connections: Cell<Option<Verdict>>,
    /// What keeps it counted.
    pub(super) counted: RefCell<Vec<Counted>>,
}
