//! Sockets that come back: who starts a worker anew makes its socket anew, and so ends its bench.

use std::collections::HashMap;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use crate::net::Addr;
use crate::observe::{ErrorLog, Level};
use crate::upstream::{Group, SharedUpstream};

/// At how many looks a socket still counts as new: it is bound before it is listened at, and who
/// asks between is refused.
const NEW: u8 = 4;

/// The servers of one generation that are sockets.
#[derive(Debug)]
pub(super) struct Returns {
    groups: Vec<Group>,
    seen: Mutex<HashMap<Addr, Seen>>,
    /// Whether somebody is being waited for.
    waits: AtomicBool,
    log: ErrorLog,
}

/// What was seen at a path.
#[derive(Debug, Default, Clone, Copy)]
struct Seen {
    socket: Option<Socket>,
    /// At how many looks more it is new.
    new: u8,
}

/// One socket, which another one in its place is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Socket {
    device: u64,
    inode: u64,
    /// Inodes are used again.
    changed: (i64, i64),
}

impl Returns {
    pub(super) fn new(upstreams: &[Group], log: ErrorLog) -> Self {
        // One alone is never benched.
        let may_be_benched = |upstream: SharedUpstream| {
            let servers = upstream.balance.addresses();
            servers.len() > 1 && servers.iter().any(|addr| matches!(addr, Addr::Unix(_)))
        };
        let comes_and_goes = |group: &Group| matches!(group, Group::Watched(_));
        let groups = upstreams.iter();
        let groups =
            groups.filter(|group| comes_and_goes(group) || may_be_benched(group.shared())).cloned();
        let groups = groups.collect();
        let returns = Self { groups, seen: Mutex::default(), waits: AtomicBool::new(false), log };
        returns.look();
        // What is there at first is nothing new.
        returns.seen().values_mut().for_each(|seen| seen.new = 0);
        returns
    }

    /// Whether nobody is to be looked for, now and later.
    pub(super) fn is_idle(&self) -> bool {
        self.groups.is_empty()
    }

    /// Whether somebody has failed who may come back any moment.
    pub(super) fn waits(&self) -> bool {
        self.waits.load(Relaxed)
    }

    /// Looks at the sockets. That takes some microseconds for each: nobody is kept waiting.
    pub(super) fn look(&self) {
        let mut before = self.seen();
        let mut now = HashMap::with_capacity(before.len());
        let mut waits = false;
        for upstream in self.groups.iter().map(Group::shared) {
            for addr in upstream.balance.addresses() {
                if let Addr::Unix(path) = &addr {
                    let seen = before.get(&addr).copied().unwrap_or_default().next(path);
                    now.insert(addr, seen);
                }
            }
            let is_new = |addr: &Addr| now.get(addr).is_some_and(|seen| seen.new > 0);
            let name = &upstream.name;
            for addr in upstream.balance.welcome(is_new) {
                self.log.log(Level::Notice, format_args!("{addr} is back in upstream \"{name}\""));
            }
            waits |= upstream.balance.has_failed();
        }
        *before = now;
        self.waits.store(waits, Relaxed);
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, HashMap<Addr, Seen>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    /// What is seen at the path now.
    fn next(self, path: &Path) -> Self {
        let socket = Socket::at(path);
        match socket {
            Some(_) if socket != self.socket => Self { socket, new: NEW },
            _ => Self { socket, new: self.new.saturating_sub(1) },
        }
    }
}

impl Socket {
    fn at(path: &Path) -> Option<Self> {
        let metadata = path.metadata().ok().filter(|it| it.file_type().is_socket())?;
        Some(Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        })
    }
}
