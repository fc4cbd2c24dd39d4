//! Caddy: a Caddyfile, which `caddy reload` has it read again.

use super::peer::{SOCKETS, Setting};

pub(super) fn configuration(setting: &Setting<'_>) -> String {
    let place = setting.place.display();
    let port = setting.listen.port();
    let workers = SOCKETS.map(|socket| format!(" unix/{place}/{socket}")).concat();
    // Without a delay it cuts all tunnels at a reload.
    format!(
        "{{
    admin unix/{place}/caddy.sock
    auto_https off
    persist_config off
    log {{
        level ERROR
    }}
}}
http://:{port} {{
    bind {host}
    @generation path /generation
    header @generation Generation {generation}
    reverse_proxy{workers} {{
        lb_policy least_conn
        stream_close_delay 1h
        transport http {{
            keepalive_idle_conns_per_host 64
        }}
    }}
}}
",
        host = setting.listen.ip(),
        generation = setting.generation,
    )
}
