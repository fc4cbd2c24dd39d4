//! Workers that die, stand still, or are slow.

use std::time::Duration;

use rustix::process::Signal;
use tokio::time::sleep;

use crate::dice::Dice;
use crate::fleet::Worker;
use crate::ledger::Pardon;
use crate::run::Scene;

/// Dies without a word; somebody starts it anew.
pub(super) async fn kill(scene: &Scene, worker: &Worker, dice: &mut Dice) {
    let _pardon = scene.ledger.pardon(Pardon::Worker(worker.number));
    worker.signal(Signal::KILL);
    worker.ended().await;
    sleep(dice.millis(0, 900)).await;
    worker.start().await;
}

/// Is told to end, and says so to its clients; somebody starts it anew.
pub(super) async fn end(scene: &Scene, worker: &Worker, dice: &mut Dice) {
    let _pardon = scene.ledger.pardon(Pardon::Worker(worker.number));
    worker.signal(Signal::TERM);
    worker.ended().await;
    sleep(dice.millis(0, 900)).await;
    worker.start().await;
}

/// Stands still, and goes on: nobody loses anything.
pub(super) async fn stop(worker: &Worker, dice: &mut Dice) {
    worker.signal(Signal::STOP);
    sleep(dice.millis(100, 1500)).await;
    worker.signal(Signal::CONT);
}

/// Stands still three quarters of the time.
pub(super) async fn slow(worker: &Worker, dice: &mut Dice) {
    for _ in 0..10 + dice.below(30) {
        worker.signal(Signal::STOP);
        sleep(Duration::from_millis(30)).await;
        worker.signal(Signal::CONT);
        sleep(Duration::from_millis(10)).await;
    }
}

/// All die at once, and are back after a moment: handshakes wait for that.
pub(super) async fn away(scene: &Scene, dice: &mut Dice) {
    let workers = scene.fleet.workers();
    let pardons = workers.iter().map(|worker| Pardon::Worker(worker.number));
    let _pardons: Vec<_> =
        pardons.chain([Pardon::Away]).map(|pardon| scene.ledger.pardon(pardon)).collect();
    workers.iter().for_each(|worker| worker.signal(Signal::KILL));
    for worker in workers {
        worker.ended().await;
    }
    sleep(dice.millis(0, 700)).await;
    for worker in workers {
        worker.start().await;
    }
}
