//! HAProxy, as its documentation sets it up for WebSocket: one process that looks after another,
//! which has so many threads. A reload hands the listening socket over.

use super::peer::{SOCKETS, Setting};

/// Descriptors that it wants beside two for each connection.
const OTHER_FILES: u64 = 400;

pub(super) fn configuration(setting: &Setting<'_>) -> String {
    let Setting { listen, threads, generation, .. } = setting;
    let place = setting.place.display();
    let connections = setting.files.saturating_sub(OTHER_FILES) / 2;
    let servers: String = (0..)
        .zip(SOCKETS)
        .map(|(number, socket)| format!("    server worker{number} unix@{place}/{socket}\n"))
        .collect();
    format!(
        "global
    nbthread {threads}
    maxconn {connections}
    stats socket {place}/haproxy.sock mode 600 level admin expose-fd listeners
defaults
    mode http
    maxconn {connections}
    timeout connect 5s
    timeout client 1h
    timeout server 1h
    timeout tunnel 1h
    timeout http-keep-alive 1h
frontend front
    bind {listen}
    http-request set-var(txn.generation) str({generation}) if {{ path /generation }}
    http-response set-header Generation %[var(txn.generation)] if {{ var(txn.generation) -m found }}
    default_backend workers
backend workers
    balance leastconn
    http-reuse always
{servers}"
    )
}
