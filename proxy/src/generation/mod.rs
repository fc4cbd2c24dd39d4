//! The sole translator: a typed configuration becomes live parts.
//!
//! [`build`] has no effect on the world but opening log files: nothing is bound, nobody is asked
//! anything but the resolver. What is wrong with the configuration shows here at the latest.

mod addresses;
mod logs;
mod site;
mod templates;
mod upstreams;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::balance::Zone;
use crate::config::model::Server;
use crate::config::{Config, Problem};
use crate::http::Site;
use crate::net::Addr;
use crate::observe::ErrorLog;
use crate::upstream::SharedUpstream;

pub(crate) use logs::{LogFiles, main_log};

/// A configuration made live.
#[derive(Debug)]
pub(crate) struct Generation {
    /// Where to listen, and what answers there.
    pub(crate) doors: Vec<Listening>,
    /// The upstreams, for the counts.
    pub(crate) upstreams: Vec<SharedUpstream>,
    /// Where errors of no request go.
    pub(crate) error_log: ErrorLog,
}

/// One listening address.
#[derive(Debug)]
pub(crate) struct Listening {
    /// The address.
    pub(crate) addr: Addr,
    /// The length of its queue.
    pub(crate) backlog: u32,
    /// Whether an IPv6 socket takes IPv6 only.
    pub(crate) ipv6only: bool,
    /// How long a new connection may stay silent.
    pub(crate) patience: Duration,
    /// Whether small writes go out at once.
    pub(crate) nodelay: bool,
    /// What answers.
    pub(crate) site: Arc<Site>,
}

/// Makes a configuration live. Counts of servers that the zone knows already go on.
///
/// # Errors
/// What only shows now: names that do not resolve, patterns and variables that do not compile,
/// logs that cannot be opened.
pub(crate) fn build(
    config: &Config,
    zone: &Zone<Addr>,
    files: &LogFiles,
) -> Result<Generation, Problem> {
    let error_log = main_log(config, files)?;
    let Some(http) = &config.http else {
        return Ok(Generation { doors: Vec::new(), upstreams: Vec::new(), error_log });
    };
    let names = templates::names(config, http)?;
    let mut upstreams = upstreams::Upstreams::build(config, http, zone)?;
    let mut builder = site::Builder::new(config, http, &names, files, &error_log, &mut upstreams)?;
    let mut listening: Vec<(Listening, Vec<(usize, bool)>)> = Vec::new();
    let mut known: HashMap<Addr, usize> = HashMap::new();
    let servers =
        http.servers.iter().map(|server| builder.server(server)).collect::<Result<Vec<_>, _>>()?;
    for (position, server) in http.servers.iter().enumerate() {
        for (listen, addr) in addresses::listening(config, server)? {
            let at = *known.entry(addr.clone()).or_insert_with(|| {
                listening.push((empty_door(addr, server, builder.nothing()), Vec::new()));
                listening.len() - 1
            });
            let Some((door, members)) = listening.get_mut(at) else { continue };
            door.backlog = listen.backlog.unwrap_or(door.backlog);
            door.ipv6only &= listen.ipv6only;
            if !members.iter().any(|(member, _)| *member == position) {
                members.push((position, listen.default_server));
            }
        }
    }
    let mut doors = Vec::with_capacity(listening.len());
    for (mut door, members) in listening {
        door.site = builder.site(&members, &http.servers, &servers)?;
        doors.push(door);
    }
    Ok(Generation { doors, upstreams: upstreams.into_all(), error_log })
}

/// nginx's queue length on Linux.
const BACKLOG: u32 = 511;

fn empty_door(addr: Addr, server: &Server, site: Arc<Site>) -> Listening {
    Listening {
        addr,
        backlog: BACKLOG,
        ipv6only: true,
        patience: server.settings.client_header_timeout,
        nodelay: server.settings.tcp_nodelay,
        site,
    }
}
