//! What a level says of how clients are served.

use std::time::Duration;

use super::super::model::{self, Amount, Endings, Heads, Linger, Pace};
use super::or;

/// `None` is not said.
#[derive(Debug, Default, Clone)]
pub(in super::super) struct Clients {
    pub(in super::super) header_buffer: Option<usize>,
    pub(in super::super) large_buffers: Option<(u32, usize)>,
    pub(in super::super) max_headers: Option<usize>,
    pub(in super::super) ignore_invalid: Option<bool>,
    pub(in super::super) underscores: Option<bool>,
    pub(in super::super) linger: Option<Linger>,
    pub(in super::super) linger_time: Option<Duration>,
    pub(in super::super) linger_timeout: Option<Duration>,
    /// For old MSIE, and for Safari.
    pub(in super::super) keepalive_disable: Option<(bool, bool)>,
    pub(in super::super) rate: Option<Amount>,
    pub(in super::super) rate_after: Option<Amount>,
    pub(in super::super) kept_body: Option<usize>,
}

impl Clients {
    /// Takes over from the level around this one what this one does not say.
    pub(super) fn inherit(&mut self, outer: &Self) {
        or(&mut self.header_buffer, &outer.header_buffer);
        or(&mut self.large_buffers, &outer.large_buffers);
        or(&mut self.max_headers, &outer.max_headers);
        or(&mut self.ignore_invalid, &outer.ignore_invalid);
        or(&mut self.underscores, &outer.underscores);
        or(&mut self.linger, &outer.linger);
        or(&mut self.linger_time, &outer.linger_time);
        or(&mut self.linger_timeout, &outer.linger_timeout);
        or(&mut self.keepalive_disable, &outer.keepalive_disable);
        or(&mut self.rate, &outer.rate);
        or(&mut self.rate_after, &outer.rate_after);
        or(&mut self.kept_body, &outer.kept_body);
    }

    /// nginx's defaults for what no level said.
    pub(super) fn settle(&self) -> model::Clients {
        let (number, large) = self.large_buffers.unwrap_or((4, 8 << 10));
        let (not_for_msie6, not_for_safari) = self.keepalive_disable.unwrap_or((true, false));
        model::Clients {
            heads: Heads {
                first: self.header_buffer.unwrap_or(1 << 10),
                number,
                large,
                fields: self.max_headers.unwrap_or(100),
                ignore_invalid: self.ignore_invalid.unwrap_or(true),
                underscores: self.underscores.unwrap_or(false),
            },
            endings: Endings {
                linger: self.linger.unwrap_or(Linger::IfSending),
                linger_time: self.linger_time.unwrap_or(Duration::from_secs(30)),
                linger_timeout: self.linger_timeout.unwrap_or(Duration::from_secs(5)),
                not_for_msie6,
                not_for_safari,
            },
            pace: Pace { rate: self.rate.clone(), after: self.rate_after.clone() },
            kept_body: self.kept_body.unwrap_or(16 << 10),
        }
    }
}
