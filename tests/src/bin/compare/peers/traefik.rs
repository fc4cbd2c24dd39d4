//! Traefik: its entry point on the command line, the rest in a file that it watches. It knows no
//! unix sockets, so it asks the same workers over TCP.

use serde_json::json;

use super::peer::Setting;

/// What the command line says.
pub(super) fn arguments(setting: &Setting<'_>, file: &str) -> Vec<String> {
    vec![
        format!("--entryPoints.web.address={}", setting.listen),
        "--entryPoints.web.transport.respondingTimeouts.readTimeout=0".to_owned(),
        format!("--providers.file.filename={file}"),
        "--providers.providersThrottleDuration=10ms".to_owned(),
        "--log.level=ERROR".to_owned(),
        "--global.checkNewVersion=false".to_owned(),
        "--global.sendAnonymousUsage=false".to_owned(),
    ]
}

/// The file: JSON, which is YAML as well.
pub(super) fn configuration(setting: &Setting<'_>) -> String {
    let servers = setting.ports.map(|port| json!({ "url": format!("http://127.0.0.1:{port}") }));
    let generation = json!({ "Generation": setting.generation.to_string() });
    let text = json!({
        "http": {
            "routers": {
                "all": { "rule": "PathPrefix(`/`)", "service": "workers" },
                "generation": {
                    "rule": "Path(`/generation`)",
                    "service": "workers",
                    "middlewares": ["generation"],
                },
            },
            "middlewares": {
                "generation": { "headers": { "customResponseHeaders": generation } },
            },
            "services": {
                "workers": {
                    "loadBalancer": {
                        "strategy": "p2c",
                        "serversTransport": "kept",
                        "servers": servers,
                    },
                },
            },
            "serversTransports": { "kept": { "maxIdleConnsPerHost": 64 } },
        },
    });
    format!("{text:#}\n")
}
