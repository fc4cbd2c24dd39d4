//! What a level says about WebSocket.

use super::super::model::{Lifetime, MessageRate, WebSocket, WebSocketLog, WebSocketPing};
use super::or;

/// `None` is not said; `Some(None)` is `off`.
#[derive(Debug, Default, Clone)]
pub(in super::super) struct WebSocketDraft {
    pub(in super::super) close: Option<bool>,
    pub(in super::super) ping: Option<Option<WebSocketPing>>,
    pub(in super::super) log: Option<WebSocketLog>,
    pub(in super::super) max_message: Option<Option<u32>>,
    pub(in super::super) max_lifetime: Option<Option<Lifetime>>,
    pub(in super::super) message_rate: Option<Option<MessageRate>>,
    pub(in super::super) origins: Option<Vec<String>>,
    pub(in super::super) verify: Option<bool>,
}

impl WebSocketDraft {
    /// Takes over from the level around this one what this one does not say.
    pub(super) fn inherit(&mut self, outer: &Self) {
        or(&mut self.close, &outer.close);
        or(&mut self.ping, &outer.ping);
        or(&mut self.log, &outer.log);
        or(&mut self.max_message, &outer.max_message);
        or(&mut self.max_lifetime, &outer.max_lifetime);
        or(&mut self.message_rate, &outer.message_rate);
        or(&mut self.origins, &outer.origins);
        or(&mut self.verify, &outer.verify);
    }

    /// The defaults for what no level said.
    pub(super) fn settle(&self) -> WebSocket {
        WebSocket {
            close: self.close.unwrap_or(true),
            ping: self.ping.flatten(),
            log: self.log.unwrap_or(WebSocketLog { open: false, close: true }),
            max_message: self.max_message.flatten(),
            max_lifetime: self.max_lifetime.flatten(),
            message_rate: self.message_rate.flatten(),
            origins: self.origins.clone().unwrap_or_default(),
            verify: self.verify.unwrap_or(false),
        }
    }
}
