//! Descriptors run out. Tunnels go on; who is new waits, or gets an error; afterwards all is well.

use std::fs;
use std::net::Ipv4Addr;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use rustix::process::{Resource, getrlimit};
use tokio::net::TcpStream;
use tokio::time::sleep;

use crate::dice::Dice;
use crate::ledger::Pardon;
use crate::outside::descriptors;
use crate::run::Scene;

/// The system takes them away behind the proxy's back, which may be loading another configuration or
/// becoming another binary meanwhile.
pub(super) async fn exhaust(scene: &Scene, dice: &mut Dice) {
    let _pardons = [Pardon::Scarce, Pardon::Turn].map(|pardon| scene.ledger.pardon(pardon));
    let shortage = Shortage::of(scene, u64::try_from(dice.below(12)).unwrap());
    sleep(dice.millis(200, 1200)).await;
    drop(shortage);
    let _turn = scene.stage.turn.lock().await;
    know_better(scene).await;
}

/// It knows how many it may have, and others take all that are left, idly.
pub(super) async fn limit(scene: &Scene, dice: &mut Dice) {
    let _pardons = [Pardon::Scarce, Pardon::Turn].map(|pardon| scene.ledger.pardon(pardon));
    let shortage = Shortage::of(scene, 60);
    let variant = scene.stage.variant();
    // It may be that there are not even enough left for that.
    let _known = scene.stage.reload(&variant).await;
    let mut idle = Vec::new();
    for _ in 0..100 {
        idle.push(TcpStream::connect((Ipv4Addr::LOCALHOST, scene.stage.port)).await);
    }
    sleep(dice.millis(200, 1200)).await;
    drop(shortage);
    drop(idle);
    know_better(scene).await;
}

/// The limit counts that there is when a configuration is loaded.
async fn know_better(scene: &Scene) {
    if let Err(why) = scene.stage.reload(&scene.stage.variant()).await {
        scene.ledger.broken(format!("a reload after a shortage: {why}"));
    }
}

/// The proxy may have no more than this until it is dropped.
#[derive(Debug)]
struct Shortage<'a>(&'a Scene);

impl<'a> Shortage<'a> {
    /// It has so many more than now.
    fn of(scene: &'a Scene, more: u64) -> Self {
        let now = descriptors(scene.stage.pid().as_raw_nonzero().get());
        limit_to(scene, &(now + more).to_string());
        Self(scene)
    }
}

impl Drop for Shortage<'_> {
    fn drop(&mut self) {
        // It raises its limit to what it may, which it has from us.
        let maximum = getrlimit(Resource::Nofile).maximum;
        limit_to(self.0, &maximum.map_or("unlimited".to_owned(), |most| most.to_string()));
    }
}

/// Sets the proxy's soft limit. That is for its own user to do: not even root may, in a container.
fn limit_to(scene: &Scene, most: &str) {
    let pid = scene.stage.pid().as_raw_nonzero().get();
    let Ok(owner) = fs::metadata(format!("/proc/{pid}")) else { return };
    let mut command = Command::new("prlimit");
    command.uid(owner.uid()).gid(owner.gid());
    command.args(["--pid", &pid.to_string(), &format!("--nofile={most}:")]);
    match command.status() {
        Ok(status) if status.success() || scene.stage.exited().is_some() => {}
        other => panic!("prlimit: {other:?}"),
    }
}
