//! What servers did for a request, and how its answer went out: for the logs.

use std::time::{Duration, Instant};

use super::values::{seconds, show};
use crate::observe::now;
use crate::route::Variable;

/// One server that was asked.
#[derive(Debug, Clone)]
pub(crate) struct Try {
    /// Its address, as the configuration writes it; where there was none to ask, the upstream's name.
    pub(crate) addr: Box<str>,
    /// When it was picked.
    pub(crate) started: Instant,
    /// Whether it was the first that was asked after an internal redirect.
    pub(crate) redirected: bool,
    /// Its answer's status, or what its failure amounts to.
    pub(crate) status: u16,
    /// How long connecting took.
    pub(crate) connect: Option<Duration>,
    /// How long the head of the answer took.
    pub(crate) header: Option<Duration>,
    /// How long all of it took.
    pub(crate) response: Option<Duration>,
    /// How many bytes of its body have come.
    pub(crate) length: u64,
    /// How many bytes were sent to it until its answer came, but for the framing of chunks.
    pub(crate) sent: u64,
    /// How many bytes came from it besides its body: its head, and what a tunnel carried.
    pub(crate) received: u64,
}

impl Try {
    /// One that is asked now, and has done nothing yet. Unless it does, it counts as a bad gateway.
    pub(super) fn new(addr: &str, redirected: bool) -> Self {
        Self {
            addr: addr.into(),
            started: now(),
            redirected,
            status: 502,
            connect: None,
            header: None,
            response: None,
            length: 0,
            sent: 0,
            received: 0,
        }
    }

    /// Nothing more comes from it.
    pub(super) fn ended(&mut self) {
        self.response = Some(now() - self.started);
    }
}

/// How hyper says where an answer's body ends, where its fields do not.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) enum Framing {
    /// The fields say it, there is no body, or it ends with the connection.
    #[default]
    Itself,
    /// By a `Content-Length` that hyper adds.
    Length(u64),
    /// In chunks.
    Chunked,
}

/// What a variable is worth that has a value for each server that was tried; false for all others,
/// and where there was none.
pub(super) fn write(tries: &[Try], variable: &Variable, out: &mut Vec<u8>) -> bool {
    let before = out.len();
    for (position, one) in tries.iter().enumerate() {
        if position > 0 {
            one.separate(out);
        }
        if !one.write(variable, out) {
            out.truncate(before);
            return false;
        }
    }
    !tries.is_empty()
}

/// The same up to where the last server's value begins.
pub(super) fn write_before_last(tries: &[Try], variable: &Variable, out: &mut Vec<u8>) {
    if let [before @ .., last] = tries
        && write(before, variable, out)
    {
        last.separate(out);
    }
}

impl Try {
    /// What stands between its value and the one before.
    fn separate(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(if self.redirected { b" : " } else { b", " });
    }

    fn write(&self, variable: &Variable, out: &mut Vec<u8>) -> bool {
        let time = |time: Option<Duration>, out: &mut Vec<u8>| match time {
            Some(time) => seconds(time, out),
            None => out.push(b'-'),
        };
        match variable {
            Variable::UpstreamAddr => out.extend_from_slice(self.addr.as_bytes()),
            Variable::UpstreamStatus => show(out, format_args!("{}", self.status)),
            Variable::UpstreamConnectTime => time(self.connect, out),
            Variable::UpstreamHeaderTime => time(self.header, out),
            Variable::UpstreamResponseTime => time(self.response.or(self.header), out),
            Variable::UpstreamResponseLength => show(out, format_args!("{}", self.length)),
            Variable::UpstreamBytesReceived => {
                show(out, format_args!("{}", self.received + self.length));
            }
            Variable::UpstreamBytesSent => show(out, format_args!("{}", self.sent)),
            _ => return false,
        }
        true
    }
}
