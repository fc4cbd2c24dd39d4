//! What is being served.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::survey::Survey;
use super::worker::Plan;
use crate::config::Config;
use crate::generation::{Chores, Generation};
use crate::listen::{Door, Limits, Parcels};
use crate::net::Bound;
use crate::observe::{ErrorLog, Level};
use crate::upstream::Group;

/// What is being served.
#[derive(Debug)]
pub(super) struct Current {
    pub(super) bound: Vec<Arc<Bound>>,
    pub(super) upstreams: Vec<Group>,
    pub(super) retired: CancellationToken,
    pub(super) error_log: ErrorLog,
    pub(super) shutdown_timeout: Option<Duration>,
    doors: Vec<Door>,
    chores: Arc<Chores>,
}

impl Current {
    /// A generation, at these sockets.
    pub(super) fn new(
        config: &Config,
        generation: Generation,
        bound: Vec<Arc<Bound>>,
        survey: &Arc<Survey>,
        limits: &Limits,
    ) -> Self {
        let retired = CancellationToken::new();
        let doors = generation.doors.iter().zip(&bound).map(|(listening, bound)| Door {
            bound: bound.clone(),
            site: listening.site.clone(),
            inside: listening.inside.clone(),
            patience: listening.door.patience,
            nodelay: listening.door.nodelay,
            retired: retired.clone(),
            counters: survey.counters.clone(),
            source: survey.clone(),
            listener: survey.counters.listener(&bound.asked().to_string()),
            limits: limits.clone(),
        });
        let doors = doors.collect();
        let addrs = |bound: &Arc<Bound>| (bound.asked().clone(), bound.addr().clone());
        survey.serve(bound.iter().map(addrs).collect(), generation.upstreams.clone());
        Self {
            doors,
            bound,
            upstreams: generation.upstreams,
            retired,
            error_log: generation.error_log,
            shutdown_timeout: config.worker_shutdown_timeout,
            chores: generation.chores,
        }
    }

    /// What so many threads are to do, and with which connections they go on.
    pub(super) fn plan(&self, parcels: Parcels) -> Plan {
        let upstreams = self.upstreams.clone();
        let numbers = upstreams.iter().map(|upstream| upstream.current().keepalive.id());
        Plan::Serve {
            doors: self.doors.clone(),
            first: numbers.min().unwrap_or_default(),
            upstreams,
            chores: self.chores.clone(),
            parcels: Arc::new(parcels),
        }
    }

    /// Nobody serves it any more: it keeps no socket open.
    pub(super) fn leave(&mut self) -> Vec<Arc<Bound>> {
        self.doors.clear();
        std::mem::take(&mut self.bound)
    }

    /// Says where it listens and to what it balances.
    pub(super) fn announce(&self) {
        let log = &self.error_log;
        for bound in &self.bound {
            log.log(Level::Notice, format_args!("listening on {}", bound.addr()));
        }
        for upstream in self.upstreams.iter().map(Group::shared) {
            let servers = upstream.written.join(", ");
            log.log(Level::Notice, format_args!("balancing \"{}\" over {servers}", upstream.name));
        }
    }
}
