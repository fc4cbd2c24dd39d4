//! What follows the address in `listen`: which server is the default, and options of the socket.

use super::super::model::{SocketKeepalive, SocketOptions};
use super::super::parse::Word;
use super::super::problem::Fault;
use super::super::value;
use super::table::Done;
use super::walk::Walk;

/// The parameters of one `listen`, as far as they are read.
#[derive(Default)]
pub(super) struct Options {
    pub(super) default_server: bool,
    pub(super) socket: SocketOptions,
}

impl Options {
    /// Reads one parameter.
    pub(super) fn take(&mut self, walk: &mut Walk, word: &Word) -> Done {
        let invalid = |what: String| Err(Fault::at(word.span, what));
        let (name, value) = match word.value.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (word.value.as_str(), None),
        };
        let socket = &mut self.socket;
        match (name, value) {
            ("default_server" | "default", None) => {
                self.default_server = true;
                return Ok(());
            }
            ("bind", None) => {}
            ("reuseport", None) => socket.reuseport = true,
            ("backlog", Some(text)) => match value::number(text).map(u32::try_from) {
                Some(Ok(backlog)) if backlog > 0 => socket.backlog = Some(backlog),
                _ => return invalid(format!("invalid backlog \"{}\"", word.value)),
            },
            ("rcvbuf", Some(text)) => socket.rcvbuf = Some(size(text, word)?),
            ("sndbuf", Some(text)) => socket.sndbuf = Some(size(text, word)?),
            ("so_keepalive", Some(text)) => {
                let Some(keepalive) = keepalive(text) else {
                    return invalid(format!("invalid so_keepalive value: \"{text}\""));
                };
                socket.keepalive = Some(keepalive);
            }
            ("ipv6only", Some(text)) if text.starts_with('o') => match text {
                "on" => socket.ipv6only = true,
                "off" => socket.ipv6only = false,
                _ => return invalid(format!("invalid ipv6only flags \"{text}\"")),
            },
            ("deferred", None) => no_effect(walk, word),
            ("fastopen", Some(text)) => {
                if value::number(text).is_none() {
                    return invalid(format!("invalid fastopen \"{}\"", word.value));
                }
                no_effect(walk, word);
            }
            ("accept_filter", Some(_)) => {
                let what = "are not supported on this platform, ignored";
                return invalid(format!("accept filters \"{}\" {what}", word.value));
            }
            ("ssl" | "http2" | "quic" | "proxy_protocol", None) => {
                let what = "of \"listen\" is not supported by this proxy yet";
                return invalid(format!("\"{name}\" {what}"));
            }
            _ => return invalid(format!("invalid parameter \"{}\"", word.value)),
        }
        self.socket.bind = true;
        Ok(())
    }
}

fn size(text: &str, word: &Word) -> Result<usize, Fault> {
    let size = value::size(text).and_then(|size| usize::try_from(size).ok());
    let parameter = word.value.split('=').next().unwrap_or_default();
    size.ok_or_else(|| Fault::at(word.span, format!("invalid {parameter} \"{}\"", word.value)))
}

/// `on`, `off`, or `[IDLE]:[INTERVAL]:[COUNT]`, of which one at least says something.
fn keepalive(text: &str) -> Option<SocketKeepalive> {
    match text {
        "on" => return Some(SocketKeepalive::On),
        "off" => return Some(SocketKeepalive::Off),
        _ => {}
    }
    let mut parts = text.splitn(3, ':');
    let mut next = || parts.next().filter(|part| !part.is_empty());
    let time = |part: Option<&str>| part.map_or(Some(None), |part| value::seconds(part).map(Some));
    let idle = time(next())?.filter(|time| !time.is_zero());
    let interval = time(next())?.filter(|time| !time.is_zero());
    let count = match next() {
        Some(count) => Some(u32::try_from(value::number(count)?).ok()?).filter(|count| *count > 0),
        None => None,
    };
    let says_something = idle.is_some() || interval.is_some() || count.is_some();
    says_something.then_some(SocketKeepalive::Times { idle, interval, count })
}

fn no_effect(walk: &mut Walk, word: &Word) {
    let why = "the system's own setting holds";
    walk.note(word.span, format!("\"{}\" of \"listen\" has no effect here: {why}", word.value));
}
