//! Descriptors run out. Tunnels go on; who is new waits, or gets an error; afterwards all is well.

use std::net::Ipv4Addr;

use rustix::process::{Resource, Rlimit, getrlimit, prlimit};
use tokio::net::TcpStream;
use tokio::time::sleep;

use crate::dice::Dice;
use crate::ledger::Pardon;
use crate::outside::descriptors;
use crate::run::Scene;

/// The system takes them away behind the proxy's back.
pub(super) async fn exhaust(scene: &Scene, dice: &mut Dice) {
    let _pardon = scene.ledger.pardon(Pardon::Scarce);
    let shortage = Shortage::of(scene, u64::try_from(dice.below(12)).unwrap());
    sleep(dice.millis(200, 1200)).await;
    drop(shortage);
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
    if let Err(why) = scene.stage.reload(&variant).await {
        scene.ledger.broken(format!("a reload after a shortage: {why}"));
    }
}

/// The proxy may have no more than this until it is dropped.
#[derive(Debug)]
struct Shortage<'a> {
    scene: &'a Scene,
    before: Rlimit,
}

impl<'a> Shortage<'a> {
    /// It has so many more than now.
    fn of(scene: &'a Scene, more: u64) -> Self {
        let pid = scene.stage.pid();
        let now = descriptors(pid.as_raw_nonzero().get());
        // The hard limit stays: it is ours, as the proxy was started with it.
        let maximum = getrlimit(Resource::Nofile).maximum;
        let few = Rlimit { current: Some(now + more), maximum };
        let before = prlimit(Some(pid), Resource::Nofile, few).unwrap();
        Self { scene, before }
    }
}

impl Drop for Shortage<'_> {
    fn drop(&mut self) {
        let _gone = prlimit(Some(self.scene.stage.pid()), Resource::Nofile, self.before.clone());
    }
}
