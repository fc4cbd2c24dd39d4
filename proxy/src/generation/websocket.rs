//! What a location wants of WebSocket, made live.

use crate::config::model;
use crate::http::{Origins, Told, WebSocket};
use crate::tunnel::{Pings, Rate};

/// What holds for tunnels.
pub(super) fn websocket(said: &model::WebSocket) -> WebSocket {
    let pings = |ping: model::WebSocketPing| Pings {
        every: ping.every.into(),
        timeout: ping.timeout.into(),
        both: ping.both,
    };
    let rate = |rate: model::MessageRate| Rate { per_second: rate.per_second, burst: rate.burst };
    WebSocket {
        close: said.close,
        ping: said.ping.map(pings),
        message: said.max_message,
        rate: said.message_rate.map(rate),
        lifetime: said.max_lifetime.map(|lifetime| (lifetime.time, lifetime.jitter)),
        verify: said.verify,
    }
}

/// When the access logs are told of them.
pub(super) fn told(said: &model::WebSocket) -> Told {
    Told { open: said.log.open, close: said.log.close }
}

/// Whose pages may ask for them.
pub(super) fn origins(said: &model::WebSocket) -> Option<Box<Origins>> {
    let origins = said.origins.iter().map(|origin| origin.as_str().into());
    (!said.origins.is_empty()).then(|| Box::new(Origins(origins.collect())))
}
