//! Whom the process becomes when root has started it, and what it may do then.

use nix::unistd::{self, Gid, Group, Uid, User};
use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, configure_capability_in_ambient_set,
    set_capabilities, set_keep_capabilities,
};

use super::prepared::Prepared;
use super::proxy::Error;
use crate::config::{Config, Problem};
use crate::observe::Level;

/// Whom `user` names: only root can become somebody else; nginx ignores the directive otherwise.
pub(super) fn account(config: &Config) -> Result<Option<(User, Gid)>, Problem> {
    let Some(user) = config.user.as_ref().filter(|_| Uid::effective().is_root()) else {
        return Ok(None);
    };
    let problem = |message: String| Problem::new(message, user.span, &config.sources);
    let name = &user.value.name;
    let account = User::from_name(name)
        .ok()
        .flatten()
        .ok_or_else(|| problem(format!("getpwnam(\"{name}\") failed")))?;
    let group = match &user.value.group {
        None => account.gid,
        Some(group) => {
            Group::from_name(group)
                .ok()
                .flatten()
                .ok_or_else(|| problem(format!("getgrnam(\"{group}\") failed")))?
                .gid
        }
    };
    Ok(Some((account, group)))
}

/// Becomes the user that the configuration names, to whom the log files are given so that they can
/// be opened anew. Of what root may do, this thread, which binds what a reload adds, keeps the
/// right to bind low ports; the threads that carry requests will keep nothing, unless they are to
/// connect from addresses that are not this machine's.
///
/// Call it while there is no other thread. Gives whether the process has become somebody else.
///
/// # Errors
/// What the system refused.
pub(super) fn become_user(config: &Config, prepared: &Prepared) -> Result<bool, Error> {
    let Some((account, group)) = account(config)? else { return Ok(false) };
    let failed = |call: &'static str| move |error: nix::Error| Error::system(call, error.into());
    if account.uid.is_root() {
        return Ok(false);
    }
    prepared.give_logs_to(account.uid.as_raw());
    unistd::setgid(group).map_err(failed("setgid()"))?;
    let name = std::ffi::CString::new(account.name)
        .map_err(|error| Error::system("initgroups()", error.into()))?;
    unistd::initgroups(&name, group).map_err(failed("initgroups()"))?;
    let prctl = |error: rustix::io::Errno| Error::system("prctl(PR_SET_KEEPCAPS)", error.into());
    set_keep_capabilities(true).map_err(prctl)?;
    unistd::setuid(account.uid).map_err(failed("setuid()"))?;
    set_keep_capabilities(false).map_err(prctl)?;
    let capset = |error: rustix::io::Errno| Error::system("capset()", error.into());
    let had = capabilities(None).map_err(capset)?.permitted;
    let transparent = if config.transparent { TRANSPARENT } else { CapabilitySet::empty() };
    only(had & (CapabilitySet::NET_BIND_SERVICE | transparent)).map_err(capset)?;
    Ok(true)
}

/// Gives up every capability of the calling thread but the one that makes connections
/// `transparent`, if they are to be.
///
/// # Errors
/// What the system said.
pub(super) fn give_up_all(transparent: bool) -> std::io::Result<()> {
    let kept = if transparent {
        capabilities(None)?.permitted & TRANSPARENT
    } else {
        CapabilitySet::empty()
    };
    only(kept).map_err(Into::into)
}

/// Has the calling thread's capabilities outlast a change of the program image, which they do by
/// themselves for root alone.
///
/// # Errors
/// What the system said.
pub(super) fn keep_powers() -> std::io::Result<()> {
    let mut sets = capabilities(None)?;
    let kept = sets.permitted & (CapabilitySet::NET_BIND_SERVICE | TRANSPARENT);
    if Uid::effective().is_root() || kept.is_empty() {
        return Ok(());
    }
    sets.inheritable |= kept;
    set_capabilities(None, sets)?;
    Ok(kept.iter().try_for_each(|one| configure_capability_in_ambient_set(one, true))?)
}

/// What a socket needs that comes from an address that is not this machine's.
const TRANSPARENT: CapabilitySet = CapabilitySet::NET_RAW;

fn only(set: CapabilitySet) -> rustix::io::Result<()> {
    let inheritable = CapabilitySet::empty();
    set_capabilities(None, CapabilitySets { effective: set, permitted: set, inheritable })
}

/// Says once that nobody less powerful was named.
pub(super) fn warn_of_root(config: &Config, log: &crate::observe::ErrorLog) {
    if config.user.is_none() && Uid::effective().is_root() {
        log.log(
            Level::Notice,
            format_args!("running as root: the \"user\" directive names somebody less powerful"),
        );
    }
}
