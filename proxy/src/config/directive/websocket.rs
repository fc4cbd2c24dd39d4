//! `websocket_...`: what WebSocket peers are told and asked by the proxy itself, and what they may do.

use std::time::Duration;

use super::super::inherit::Level;
use super::super::model::{Lifetime, MessageRate, WebSocketLog, WebSocketPing};
use super::super::parse::{Statement, Word};
use super::super::problem::Fault;
use super::super::value;
use super::table::{Arity, Context, Directive, Done, Effect};
use super::walk::{Walk, argument_says, once, switch};

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
        |_, level, s| once(&mut level.websocket.close, s, switch),
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
    row(
        "websocket_log",
        Arity(1, 2),
        log,
        "websocket_log open close;",
        "When the access logs get a line of a WebSocket tunnel: when it begins, when it ends, or both. \
         `$websocket_event` tells which. Default `close`, as in nginx. Not in nginx.",
    ),
    row(
        "websocket_max_message",
        Arity::ONE,
        |_, level, s| once(&mut level.websocket.max_message, s, max_message),
        "websocket_max_message 1m;",
        "The longest message that a client may send, all of its frames together. One whose frames' headers \
         announce more ends the tunnel (1009) before the server has seen that frame. Default `off`. Not in nginx.",
    ),
    row(
        "websocket_max_lifetime",
        Arity(1, 2),
        lifetime,
        "websocket_max_lifetime 24h jitter=10%;",
        "How long a WebSocket tunnel may last, give or take so much of it by chance. Then it ends (1012), and \
         clients that come back are balanced anew. Default `off`. Not in nginx.",
    ),
    row(
        "websocket_message_rate",
        Arity(1, 2),
        rate,
        "websocket_message_rate 100/s burst=200;",
        "How many messages a client may send in a second, and at once (`burst=`, by default as many). One that \
         sends more is let go (1008). Default `off`. Not in nginx.",
    ),
    row(
        "websocket_origin",
        Arity::SOME,
        origin,
        "websocket_origin self https://app.example.com *.example.org;",
        "Which pages may open a WebSocket, by their `Origin`: `self` is that of the request's own Host; \
         without a scheme any will do. Others are refused (403), before `allow` and `deny` are asked. \
         A request without `Origin` comes from no browser and passes. Default `off`. Not in nginx.",
    ),
    row(
        "websocket_verify",
        Arity::ONE,
        |_, level, s| once(&mut level.websocket.verify, s, switch),
        "websocket_verify on;",
        "Whether a server's answer to a WebSocket handshake must fit it: the right `Sec-WebSocket-Accept`, a \
         subprotocol and extensions that the client offers. One that does not is a 502. Default `off`. Not in nginx.",
    ),
];

fn invalid(word: &Word) -> Fault {
    Fault::at(word.span, format!("invalid parameter \"{}\"", word.value))
}

fn is_off(statement: &Statement) -> bool {
    matches!(&*statement.args, [word] if word.value == "off")
}

fn log(_: &mut Walk, level: &mut Level, statement: &Statement) -> Done {
    once(&mut level.websocket.log, statement, |s| {
        let mut log = WebSocketLog { open: false, close: false };
        for word in &s.args {
            match word.value.as_str() {
                "open" => log.open = true,
                "close" => log.close = true,
                _ => return Err(invalid(word)),
            }
        }
        Ok(log)
    })
}

fn max_message(statement: &Statement) -> Result<Option<u32>, Fault> {
    if is_off(statement) {
        return Ok(None);
    }
    let size = value::offset(&statement.arg(0).value).filter(|size| *size > 0);
    let size = size.ok_or_else(|| argument_says(statement, "invalid value"))?;
    let size = u32::try_from(size).ok().filter(|size| *size < u32::MAX);
    size.map(Some).ok_or_else(|| argument_says(statement, "must be less than 4g"))
}

fn lifetime(_: &mut Walk, level: &mut Level, statement: &Statement) -> Done {
    once(&mut level.websocket.max_lifetime, statement, |s| {
        let [first, more @ ..] = &*s.args else { return Ok(None) };
        if is_off(s) {
            return Ok(None);
        }
        let time = value::time(&first.value).filter(|time| !time.is_zero());
        let time = time.ok_or_else(|| argument_says(s, "invalid value"))?;
        let mut jitter = 0;
        for word in more {
            let text = word.value.strip_prefix("jitter=").and_then(|text| text.strip_suffix('%'));
            let percent = text.and_then(|text| text.parse().ok()).filter(|percent| *percent <= 100);
            jitter = percent.ok_or_else(|| invalid(word))?;
        }
        Ok(Some(Lifetime { time, jitter }))
    })
}

fn rate(_: &mut Walk, level: &mut Level, statement: &Statement) -> Done {
    once(&mut level.websocket.message_rate, statement, |s| {
        let [first, more @ ..] = &*s.args else { return Ok(None) };
        if is_off(s) {
            return Ok(None);
        }
        let some = |text: &str| text.parse().ok().filter(|number| *number > 0);
        let per_second = first.value.strip_suffix("/s").and_then(some);
        let per_second = per_second.ok_or_else(|| argument_says(s, "invalid value"))?;
        let mut burst = per_second;
        for word in more {
            let text = word.value.strip_prefix("burst=").and_then(some);
            burst = text.ok_or_else(|| invalid(word))?;
        }
        Ok(Some(MessageRate { per_second, burst }))
    })
}

fn origin(_: &mut Walk, level: &mut Level, statement: &Statement) -> Done {
    once(&mut level.websocket.origins, statement, |s| {
        if is_off(s) {
            return Ok(Vec::new());
        }
        let all = s.args.iter().map(|word| match word.value.rsplit_once('*') {
            // A star stands for the beginning of a name, and nowhere else.
            Some(("", end)) if end.starts_with('.') => Ok(word.value.clone()),
            Some(_) => Err(invalid(word)),
            None if word.value == "off" || word.value.is_empty() => Err(invalid(word)),
            None => Ok(word.value.clone()),
        });
        all.collect()
    })
}

fn ping(_: &mut Walk, level: &mut Level, statement: &Statement) -> Done {
    once(&mut level.websocket.ping, statement, |s| {
        let [first, more @ ..] = &*s.args else { return Ok(None) };
        if first.value == "off" && more.is_empty() {
            return Ok(None);
        }
        let some = |time: Option<Duration>| time.filter(|time| !time.is_zero());
        let every = some(value::time(&first.value))
            .ok_or_else(|| Fault::at(first.span, "\"websocket_ping\" directive invalid value"))?;
        let mut ping = WebSocketPing { every, timeout: Duration::from_secs(20), both: false };
        for word in more {
            match word.value.split_once('=') {
                Some(("timeout", text)) => {
                    ping.timeout = some(value::time(text)).ok_or_else(|| invalid(word))?;
                }
                None if word.value == "both" => ping.both = true,
                _ => return Err(invalid(word)),
            }
        }
        Ok(Some(ping))
    })
}
