//! Upstream blocks, and addresses that a `proxy_pass` names itself, become upstreams.

use std::sync::Arc;
use std::time::Duration;

use super::addresses;
use crate::balance::{self, Method, PeerSettings, Policy, Zone};
use crate::config::model::{self, Http, ProxyPass, ProxyTarget};
use crate::config::{Config, Problem, Spanned};
use crate::net::Addr;
use crate::upstream::{Keepalive, SharedUpstream, Upstream};

/// The upstreams of one generation.
#[derive(Debug)]
pub(super) struct Upstreams<'a> {
    config: &'a Config,
    zone: &'a Zone<Addr>,
    all: Vec<SharedUpstream>,
    /// The names of the blocks.
    blocks: Vec<Box<str>>,
}

impl<'a> Upstreams<'a> {
    pub(super) fn build(
        config: &'a Config,
        http: &Http,
        zone: &'a Zone<Addr>,
    ) -> Result<Self, Problem> {
        let mut upstreams = Self { config, zone, all: Vec::new(), blocks: Vec::new() };
        for upstream in &http.upstreams {
            let made = upstreams.block(upstream)?;
            upstreams.blocks.push(made.name.clone());
            upstreams.all.push(made);
        }
        Ok(upstreams)
    }

    pub(super) fn into_all(self) -> Vec<SharedUpstream> {
        self.all
    }

    /// The upstream that a `proxy_pass` names; what no block is called by is an address itself.
    pub(super) fn find(&mut self, pass: &ProxyPass) -> Result<SharedUpstream, Problem> {
        let name = match &pass.target.value {
            ProxyTarget::Unix(path) => format!("unix:{}", path.display()),
            ProxyTarget::Host { name, port: None } => name.clone(),
            ProxyTarget::Host { name, port: Some(port) } => format!("{name}:{port}"),
        };
        if let Some(known) =
            self.all.iter().find(|upstream| upstream.name.eq_ignore_ascii_case(&name))
        {
            return Ok(known.clone());
        }
        if let ProxyTarget::Host { name, port: Some(port) } = &pass.target.value
            && self.blocks.iter().any(|block| block.eq_ignore_ascii_case(name))
        {
            let message = format!("upstream \"{name}\" may not have port {port}");
            return Err(Problem::new(message, pass.target.span, &self.config.sources));
        }
        let server = model::UpstreamServer {
            address: Spanned { value: name.clone(), span: pass.target.span },
            weight: 1,
            max_conns: 0,
            max_fails: 1,
            fail_timeout: Duration::from_secs(10),
            backup: false,
            down: false,
        };
        let made = self.make(&name, Method::RoundRobin, &[server], &IMPLICIT)?;
        self.all.push(made.clone());
        Ok(made)
    }

    fn block(&self, upstream: &model::Upstream) -> Result<SharedUpstream, Problem> {
        let method = match upstream.method {
            model::Method::RoundRobin => Method::RoundRobin,
            model::Method::LeastConn => Method::LeastConn,
        };
        self.make(&upstream.name.value, method, &upstream.servers, &upstream.keepalive)
    }

    fn make(
        &self,
        name: &str,
        method: Method,
        servers: &[model::UpstreamServer],
        keepalive: &model::Keepalive,
    ) -> Result<SharedUpstream, Problem> {
        let mut peers = Vec::new();
        let mut written = Vec::new();
        for server in servers {
            for address in addresses::upstream(self.config, &server.address)? {
                written.push(address.to_string().into());
                peers.push(PeerSettings {
                    address,
                    weight: server.weight,
                    max_conns: server.max_conns,
                    max_fails: server.max_fails,
                    fail_timeout: server.fail_timeout,
                    backup: server.backup,
                    down: server.down,
                });
            }
        }
        let model::Keepalive { connections, requests, time, timeout } = *keepalive;
        Ok(Arc::new(Upstream {
            name: name.into(),
            balance: balance::Upstream::new(self.zone, name, Policy { method }, peers),
            written: written.into(),
            keepalive: Keepalive::new(connections, requests, time, timeout),
        }))
    }
}

/// What an address without a block keeps open: nginx keeps nothing there.
const IMPLICIT: model::Keepalive = model::Keepalive {
    connections: 0,
    requests: 1000,
    time: Duration::from_secs(3600),
    timeout: Duration::from_secs(60),
};
