//! Envoy: a cluster that is fixed, and a listener in a file that it watches.

use serde_json::{Value, json};

use super::peer::{SOCKETS, Setting};

/// The file that it is started with.
pub(super) fn bootstrap(setting: &Setting<'_>) -> String {
    let endpoint = |socket: &str| {
        let path = setting.place.join(socket);
        json!({ "endpoint": { "address": { "pipe": { "path": path } } } })
    };
    // Without these it takes 1,024 connections, and answers others with 503.
    let most = json!({
        "max_connections": 1_000_000,
        "max_pending_requests": 1_000_000,
        "max_requests": 1_000_000,
    });
    let cluster = json!({
        "name": "workers",
        "type": "STATIC",
        "connect_timeout": "5s",
        "lb_policy": "LEAST_REQUEST",
        "circuit_breakers": { "thresholds": [most] },
        "load_assignment": {
            "cluster_name": "workers",
            "endpoints": [{ "lb_endpoints": SOCKETS.map(endpoint) }],
        },
    });
    let listeners = json!({
        "resource_api_version": "V3",
        "path_config_source": { "path": setting.place.join(LISTENER) },
    });
    let text = json!({
        "node": { "id": "compare", "cluster": "compare" },
        "dynamic_resources": { "lds_config": listeners },
        "static_resources": { "clusters": [cluster] },
    });
    format!("{text:#}\n")
}

/// The file with the listener, beside the workers' sockets.
pub(super) const LISTENER: &str = "envoy-listener.json";

/// What stands in it: the part that a reload replaces.
pub(super) fn listener(setting: &Setting<'_>) -> String {
    let of_type = |name: &str| format!("type.googleapis.com/envoy.{name}");
    let generation = json!({ "key": "Generation", "value": setting.generation.to_string() });
    let to_workers = json!({ "cluster": "workers", "timeout": "0s" });
    let routes = json!([
        {
            "match": { "path": "/generation" },
            "route": to_workers,
            "response_headers_to_add": [{ "header": generation }],
        },
        { "match": { "prefix": "/" }, "route": to_workers },
    ]);
    let router: Value = json!({
        "name": "envoy.filters.http.router",
        "typed_config": { "@type": of_type("extensions.filters.http.router.v3.Router") },
    });
    let manager =
        of_type("extensions.filters.network.http_connection_manager.v3.HttpConnectionManager");
    // It would hold a connection whose tunnel has ended for another second.
    let http = json!({
        "@type": manager,
        "stat_prefix": "front",
        "delayed_close_timeout": "0s",
        "stream_idle_timeout": "0s",
        "upgrade_configs": [{ "upgrade_type": "websocket" }],
        "http_filters": [router],
        "route_config": {
            "name": "front",
            "virtual_hosts": [{ "name": "front", "domains": ["*"], "routes": routes }],
        },
    });
    let manager = json!({
        "name": "envoy.filters.network.http_connection_manager",
        "typed_config": http,
    });
    let address = json!({
        "socket_address": {
            "address": setting.listen.ip().to_string(),
            "port_value": setting.listen.port(),
        },
    });
    let text = json!({
        "resources": [{
            "@type": of_type("config.listener.v3.Listener"),
            "name": "front",
            "address": address,
            "filter_chains": [{ "filters": [manager] }],
        }],
    });
    format!("{text:#}\n")
}
