//! Other configurations, good and bad, and another binary.

use std::time::Instant;

use tokio::time::sleep;

use crate::dice::Dice;
use crate::fleet::Worker;
use crate::ledger::Pardon;
use crate::run::Scene;
use crate::stage::Variant;

/// Ways to choose a server among clients who all come from one address.
const METHODS: [&str; 4] = ["least_conn;", "", "random two least_conn;", "hash $connection;"];

/// What is no configuration, in ways that are found at different times.
const BAD: [&str; 5] = [
    "events {} http { server { listen 1; ",
    "events {} http { servr {} }",
    "events {} http { server { listen 127.0.0.1:0; location / { proxy_pass http://nobody; } }",
    "events {} http { server { listen unix:/nowhere/at-all.sock; } }",
    "",
];

/// Another configuration, and nobody notices.
pub(super) async fn reload(scene: &Scene, dice: &mut Dice) {
    let since = Instant::now();
    let _pardon = scene.ledger.pardon(Pardon::Turn);
    let variant =
        Variant { method: dice.of(&METHODS), second: dice.once_in(2), ..Variant::default() };
    told(scene, "a reload", since, scene.stage.reload(&variant).await);
}

/// One that is wrong: all goes on as it was.
pub(super) async fn reload_badly(scene: &Scene, dice: &mut Dice) {
    let since = Instant::now();
    let text = dice.of(&BAD);
    told(scene, "a bad reload", since, scene.stage.reload_badly(text).await);
}

/// One in which a server takes nobody, or is listed no more; then it is back.
pub(super) async fn drain(scene: &Scene, worker: &Worker, dice: &mut Dice) {
    let since = Instant::now();
    let _pardons =
        [Pardon::Turn, Pardon::Worker(worker.number)].map(|pardon| scene.ledger.pardon(pardon));
    let before = scene.stage.variant();
    let drained =
        Variant { drained: Some(worker.number), listed: dice.once_in(2), ..before.clone() };
    told(scene, "a reload that drains", since, scene.stage.reload(&drained).await);
    sleep(dice.millis(100, 1800)).await;
    told(scene, "a reload that fills again", since, scene.stage.reload(&before).await);
}

/// The binary that is there takes over.
pub(super) async fn upgrade(scene: &Scene) {
    let since = Instant::now();
    let _pardon = scene.ledger.pardon(Pardon::Turn);
    told(scene, "an upgrade", since, scene.stage.upgrade().await);
}

/// Without descriptors nothing of it is promised, but that all goes on as it was.
fn told(scene: &Scene, what: &str, since: Instant, done: Result<(), String>) {
    match done {
        Err(why) if !scene.ledger.is_pardoned(Pardon::Scarce, since) => {
            scene.ledger.broken(format!("{what}: {why}"));
        }
        _ => {}
    }
}
