//! `websocket_close` and `websocket_ping`: what WebSocket peers are told and asked by the proxy itself.

use std::time::Duration;

use super::super::inherit::Level;
use super::super::model::WebSocketPing;
use super::super::parse::Statement;
use super::super::problem::Fault;
use super::super::value;
use super::table::{Arity, Context, Directive, Done, Effect};
use super::walk::{Walk, once, switch};

const fn row(
    name: &'static str,
    arity: Arity,
    effect: fn(&mut Walk, &mut Level, &Statement) -> Done,
    example: &'static str,
    means: &'static str,
) -> Directive {
    let contexts = &[Context::Http, Context::Server, Context::Location];
    Directive { name, contexts, arity, block: false, effect: Effect::Level(effect), example, means }
}

pub(super) const DIRECTIVES: &[Directive] = &[
    row(
        "websocket_close",
        Arity::ONE,
        |_, level, s| once(&mut level.proxying.websocket_close, s, switch),
        "websocket_close off;",
        "Whether the ends of a WebSocket tunnel are told with a Close frame why the proxy ends it: \
         1001 when the proxy stops, when nothing was said for `proxy_read_timeout` or a ping was not \
         answered, 1011 when one end does not take its bytes in time, 1012 or 1014 when its server is \
         away. With `off` it is cut, as nginx does, and nobody is pinged. Default `on`. Not in nginx.",
    ),
    row(
        "websocket_ping",
        Arity(1, 3),
        ping,
        "websocket_ping 20s timeout=20s;",
        "Pings the client of a WebSocket tunnel, and with `both` the server as well, when nothing has come \
         from it for this long, and ends the tunnel (1001) when nothing comes within `timeout` (20s) \
         then. Its pongs go no further. A client that answers may be silent for as long as it likes: \
         `proxy_read_timeout` does not end its tunnel. Default `off`. Not in nginx.",
    ),
];

fn ping(_: &mut Walk, level: &mut Level, statement: &Statement) -> Done {
    once(&mut level.proxying.websocket_ping, statement, |s| {
        let [first, more @ ..] = &*s.args else { return Ok(None) };
        if first.value == "off" && more.is_empty() {
            return Ok(None);
        }
        let some = |time: Option<Duration>| time.filter(|time| !time.is_zero());
        let every = some(value::time(&first.value))
            .ok_or_else(|| Fault::at(first.span, "\"websocket_ping\" directive invalid value"))?;
        let mut ping = WebSocketPing { every, timeout: Duration::from_secs(20), both: false };
        for word in more {
            let invalid = || Fault::at(word.span, format!("invalid parameter \"{}\"", word.value));
            match word.value.split_once('=') {
                Some(("timeout", text)) => {
                    ping.timeout = some(value::time(text)).ok_or_else(invalid)?;
                }
                None if word.value == "both" => ping.both = true,
                _ => return Err(invalid()),
            }
        }
        Ok(Some(ping))
    })
}
