//! `websocket_close`: what WebSocket tunnels are told by the proxy itself.

use super::table::{Arity, Context, Directive, Effect};
use super::walk::{once, switch};

pub(super) const DIRECTIVES: &[Directive] = &[Directive {
    name: "websocket_close",
    contexts: &[Context::Http, Context::Server, Context::Location],
    arity: Arity::ONE,
    block: false,
    effect: Effect::Level(|_, level, s| once(&mut level.proxying.websocket_close, s, switch)),
    example: "websocket_close off;",
    means: "Whether the ends of a WebSocket tunnel are told with a Close frame why the proxy ends it: \
            1001 when the proxy stops or nothing was said for `proxy_read_timeout`, 1011 when one end \
            does not take its bytes in time, 1012 or 1014 when its server is away. With `off` it is \
            cut, as nginx does. Default `on`. Not in nginx.",
}];
