//! What the variables of a tunnel are worth.

use super::values::{seconds, show};
use crate::route::Fact;
use crate::tunnel::{By, Side, Summary};

/// How far the request's tunnel is.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) enum Stage {
    /// There is none, or its beginning is not told.
    #[default]
    None,
    /// It has begun.
    Open,
    /// It has ended like this.
    Closed(Summary),
}

impl Stage {
    /// Appends what a fact comes to; false where it is not known.
    pub(super) fn write(&self, fact: Fact, out: &mut Vec<u8>) -> bool {
        match (self, fact) {
            (Self::Open, Fact::Event) => out.extend_from_slice(b"open"),
            (Self::Closed(summary), fact) => return write(summary, fact, out),
            _ => return false,
        }
        true
    }
}

/// Appends what a fact comes to at the end.
pub(super) fn write(summary: &Summary, fact: Fact, out: &mut Vec<u8>) -> bool {
    let time = match fact {
        Fact::IdleTime => Some(summary.idle),
        Fact::PingTime => summary.ping,
        _ => None,
    };
    let number = match fact {
        Fact::MessagesReceived => Some(summary.up.messages.into()),
        Fact::MessagesSent => Some(summary.down.messages.into()),
        Fact::BytesReceived => Some(summary.up.bytes),
        Fact::BytesSent => Some(summary.down.bytes),
        Fact::CloseCode => Some(summary.code.into()),
        _ => None,
    };
    let word = match fact {
        Fact::Event => Some("close"),
        Fact::ClosedBy => summary.by.map(|by| match by {
            By::Side(Side::Client) => "client",
            By::Side(Side::Server) => "server",
            By::Proxy => "proxy",
        }),
        _ => None,
    };
    match (time, number, word) {
        (Some(time), ..) => seconds(time, out),
        (_, Some::<u64>(number), _) => show(out, format_args!("{number}")),
        (.., Some(word)) => out.extend_from_slice(word.as_bytes()),
        (None, None, None) => return false,
    }
    true
}
