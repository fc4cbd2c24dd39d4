//! What a level says about how much is let in.

use super::super::model::{self, ConnectionLimit, LogLevel, RequestLimit};
use super::{or, or_list};

/// What `limit_req` and `limit_conn` say, each.
#[derive(Debug, Clone)]
pub(in super::super) struct Limited<L> {
    pub(in super::super) limits: Vec<L>,
    pub(in super::super) status: Option<u16>,
    pub(in super::super) level: Option<LogLevel>,
    pub(in super::super) dry_run: Option<bool>,
}

impl<L> Default for Limited<L> {
    fn default() -> Self {
        Self { limits: Vec::new(), status: None, level: None, dry_run: None }
    }
}

impl<L: Clone> Limited<L> {
    fn inherit(&mut self, outer: &Self) {
        or_list(&mut self.limits, &outer.limits);
        or(&mut self.status, &outer.status);
        or(&mut self.level, &outer.level);
        or(&mut self.dry_run, &outer.dry_run);
    }

    /// nginx's defaults for what no level said.
    fn settle(&self) -> model::Limited<L> {
        model::Limited {
            limits: self.limits.clone(),
            status: self.status.unwrap_or(503),
            level: self.level.unwrap_or(LogLevel::Error),
            dry_run: self.dry_run.unwrap_or(false),
        }
    }
}

/// `None` and empty lists are not said.
#[derive(Debug, Default, Clone)]
pub(in super::super) struct Limits {
    pub(in super::super) requests: Limited<RequestLimit>,
    pub(in super::super) connections: Limited<ConnectionLimit>,
}

impl Limits {
    /// Takes over from the level around this one what this one does not say.
    pub(super) fn inherit(&mut self, outer: &Self) {
        self.requests.inherit(&outer.requests);
        self.connections.inherit(&outer.connections);
    }

    /// nginx's defaults for what no level said.
    pub(super) fn settle(&self) -> model::Limits {
        model::Limits { requests: self.requests.settle(), connections: self.connections.settle() }
    }
}
