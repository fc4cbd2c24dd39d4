//! A generation, and how it is put together.

use std::net::IpAddr;
use std::sync::Arc;

use super::addresses::{self, Doorway, Entrance, Members};
use super::chores::Chores;
use super::logs::{LogFiles, main_log};
use super::upstreams::Upstreams;
use super::{site, templates};
use crate::balance::Zone;
use crate::config::{Config, Problem};
use crate::http::Site;
use crate::limit::Zones;
use crate::net::Addr;
use crate::observe::ErrorLog;
use crate::upstream::Group;

/// A configuration made live.
#[derive(Debug)]
pub(crate) struct Generation {
    /// Where to listen, and what answers there.
    pub(crate) doors: Vec<Listening>,
    /// The upstreams, for the counts.
    pub(crate) upstreams: Vec<Group>,
    /// What is to be done again and again.
    pub(crate) chores: Arc<Chores>,
    /// Where errors of no request go.
    pub(crate) error_log: ErrorLog,
}

/// One listening address, and what answers there.
#[derive(Debug)]
pub(crate) struct Listening {
    /// The address and the options of its socket.
    pub(crate) door: Doorway,
    /// What answers.
    pub(crate) site: Arc<Site>,
    /// What answers to those who connect to one of these addresses.
    pub(crate) inside: Arc<[(IpAddr, Arc<Site>)]>,
}

/// Makes a configuration live. Counts of servers that the zone knows already go on, and
/// so does what limits have counted.
///
/// # Errors
/// What only shows now: names that do not resolve, patterns and variables that do not compile,
/// logs that cannot be opened.
pub(crate) fn build(
    config: &Config,
    zone: &Zone<Addr>,
    limits: &Zones,
    files: &LogFiles,
) -> Result<Generation, Problem> {
    let error_log = main_log(config, files)?;
    let Some(http) = &config.http else {
        let chores = Arc::new(Chores::new(Vec::new(), &[], files.clone(), &error_log));
        return Ok(Generation { doors: Vec::new(), upstreams: Vec::new(), chores, error_log });
    };
    let names = templates::names(config, http)?;
    let mut upstreams = Upstreams::build(config, http, &names, zone, &error_log)?;
    let mut builder =
        site::Builder::new(config, http, names, files, &error_log, limits, &mut upstreams)?;
    let live =
        http.servers.iter().map(|server| builder.server(server)).collect::<Result<Vec<_>, _>>()?;
    let mut doors = Vec::new();
    for Entrance { door, members, inside, .. } in addresses::doors(config, &http.servers)? {
        let mut site = |members: &Members| builder.site(members, &http.servers, &live);
        let Some(all) = site(&members)? else { continue };
        let mut own = Vec::with_capacity(inside.len());
        for (ip, members) in inside {
            own.extend(site(&members)?.map(|site| (ip, site)));
        }
        doors.push(Listening { door, site: all, inside: own.into() });
    }
    let (upstreams, watches) = upstreams.into_all();
    let chores = Arc::new(Chores::new(watches, &upstreams, files.clone(), &error_log));
    Ok(Generation { doors, upstreams, chores, error_log })
}
