//! While nothing happens: what the proxy says of itself is what clients and the system say of it.

use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::time::sleep;

use crate::outside;
use crate::run::Scene;

/// How long it may take until all has come to rest: the clients of workers that have died are let go
/// one after another, and come back.
const PATIENCE: Duration = Duration::from_secs(25);

/// Waits until so many tunnels are open and calm and nobody else is connected, and compares.
pub(crate) async fn compare(scene: &Scene, tunnels: u64) {
    let end = Instant::now() + PATIENCE;
    loop {
        let calm = scene.ledger.calm.get() == tunnels && scene.ledger.held() == tunnels;
        let mistakes = if calm { differences(scene).await } else { vec![waiting(scene, tunnels)] };
        if mistakes.is_empty() {
            return;
        }
        if Instant::now() > end {
            let what = format!("at rest: {}", mistakes.join("; "));
            return scene.ledger.broken(what);
        }
        sleep(Duration::from_millis(50)).await;
    }
}

fn waiting(scene: &Scene, tunnels: u64) -> String {
    let (held, calm) = (scene.ledger.held(), scene.ledger.calm.get());
    format!("of {tunnels} tunnels {held} are there and {calm} calm")
}

/// Where the two differ.
async fn differences(scene: &Scene) -> Vec<String> {
    let ledger = &scene.ledger;
    let status = match scene.stage.status().await {
        Ok(status) => status,
        Err(error) => return vec![format!("status: {error}")],
    };
    let mut found = Vec::new();
    let mut same = |what: &str, said: &Value, seen: u64| {
        if said != seen {
            found.push(format!("{what}: the proxy says {said}, the truth is {seen}"));
        }
    };
    let held = ledger.held();
    same("tunnels", &status["tunnels"]["tunnels"], held);
    same("opened tunnels", &status["tunnels"]["opened"], ledger.opened.get());
    same("closed tunnels", &status["tunnels"]["closed"], ledger.opened.get() - held);
    // Whoever asks for the status is there, too.
    same("connections", &status["connections"]["active"], held + 1);
    same("descriptors", &status["process"]["descriptors"], descriptors(scene));
    let outside = outside::connections(scene.stage.place.path());
    for worker in scene.fleet.workers() {
        let path = worker.socket.display().to_string();
        let address = format!("unix:{path}");
        let server = server(&status, &address);
        let open = ledger.open[worker.number].get();
        same(&format!("tunnels of {address}"), &server["tunnels"], open);
        same(&format!("connections of {address}"), &server["active"], open);
        let sockets = outside.get(&path).copied().unwrap_or(0);
        same(&format!("sockets of {address}"), &server["active"], sockets);
    }
    found
}

/// The proxy's descriptors, without the connection over which it was asked.
fn descriptors(scene: &Scene) -> u64 {
    outside::descriptors(scene.stage.pid().as_raw_nonzero().get()) + 1
}

fn server<'a>(status: &'a Value, address: &str) -> &'a Value {
    let servers = status["upstreams"][0]["servers"].as_array().map(Vec::as_slice);
    let mut servers = servers.unwrap_or_default().iter();
    servers.find(|server| server["address"] == address).unwrap_or(&Value::Null)
}

/// What the proxy takes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Footprint {
    pub(crate) descriptors: u64,
    /// In kibibytes.
    pub(crate) memory: u64,
}

impl Footprint {
    /// Now.
    pub(crate) fn of(scene: &Scene) -> Self {
        let pid = scene.stage.pid().as_raw_nonzero().get();
        Self { descriptors: outside::descriptors(pid), memory: outside::memory(pid) }
    }
}
