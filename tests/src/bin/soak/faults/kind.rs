//! The faults that there are, and a place for one that is to come.

use crate::dice::Dice;
use crate::faults::{crowds, shortage, sockets, turns, workers};
use crate::fleet::{WORKERS, Worker};
use crate::run::Scene;

/// A kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Killed,
    Ended,
    Stopped,
    Slowed,
    Away,
    Removed,
    Replaced,
    Directory,
    Closed,
    Reloaded,
    Refused,
    Drained,
    Upgraded,
    Descriptors,
    Limit,
    Idle,
    Deaf,
}

impl Kind {
    /// All of them. What stands twice comes twice as often.
    pub(crate) const ALL: [Self; 22] = [
        Self::Killed,
        Self::Killed,
        Self::Ended,
        Self::Stopped,
        Self::Stopped,
        Self::Slowed,
        Self::Away,
        Self::Removed,
        Self::Replaced,
        Self::Directory,
        Self::Closed,
        Self::Reloaded,
        Self::Reloaded,
        Self::Refused,
        Self::Drained,
        Self::Upgraded,
        Self::Upgraded,
        Self::Descriptors,
        Self::Limit,
        Self::Idle,
        Self::Deaf,
        Self::Deaf,
    ];

    /// Its name in the table.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Killed => "worker-killed",
            Self::Ended => "worker-ended",
            Self::Stopped => "worker-stopped",
            Self::Slowed => "worker-slowed",
            Self::Away => "all-workers-killed",
            Self::Removed => "socket-removed",
            Self::Replaced => "socket-replaced",
            Self::Directory => "socket-a-directory",
            Self::Closed => "socket-not-permitted",
            Self::Reloaded => "reloaded",
            Self::Refused => "reloaded-badly",
            Self::Drained => "worker-drained",
            Self::Upgraded => "upgraded",
            Self::Descriptors => "descriptors-exhausted",
            Self::Limit => "descriptors-limited",
            Self::Idle => "idle-flood",
            Self::Deaf => "deaf-clients",
        }
    }
}

/// Has a fault of this kind befall somebody, from its beginning to its end; it begins when those
/// have no other fault whom it befalls.
pub(crate) async fn befall(scene: &Scene, kind: Kind, mut dice: Dice) {
    let (stage, ledger) = (&scene.stage, &scene.ledger);
    match kind {
        Kind::Descriptors => {
            let _limit = stage.limit.lock().await;
            ledger.fault(kind.name());
            shortage::exhaust(scene, &mut dice).await;
        }
        Kind::Reloaded | Kind::Refused | Kind::Upgraded | Kind::Limit => {
            let _limit = match kind {
                Kind::Limit => Some(stage.limit.lock().await),
                _ => None,
            };
            let _turn = stage.turn.lock().await;
            ledger.fault(kind.name());
            match kind {
                Kind::Reloaded => turns::reload(scene, &mut dice).await,
                Kind::Refused => turns::reload_badly(scene, &mut dice).await,
                Kind::Upgraded => turns::upgrade(scene).await,
                _ => shortage::limit(scene, &mut dice).await,
            }
        }
        Kind::Idle => {
            ledger.fault(kind.name());
            crowds::idle(scene, &mut dice).await;
        }
        Kind::Deaf => {
            ledger.fault(kind.name());
            crowds::deaf(scene, &mut dice).await;
        }
        Kind::Away => {
            let _faulty = scene.fleet.whole().await;
            ledger.fault(kind.name());
            workers::away(scene, &mut dice).await;
        }
        of_a_worker => {
            let worker = scene.fleet.worker(dice.below(WORKERS));
            let _faulty = scene.fleet.faulty.acquire().await;
            let _slot = worker.slot.lock().await;
            befall_worker(scene, worker, of_a_worker, &mut dice).await;
        }
    }
}

async fn befall_worker(scene: &Scene, worker: &Worker, kind: Kind, dice: &mut Dice) {
    if kind == Kind::Drained {
        let _turn = scene.stage.turn.lock().await;
        scene.ledger.fault(kind.name());
        return turns::drain(scene, worker, dice).await;
    }
    scene.ledger.fault(kind.name());
    match kind {
        Kind::Killed => workers::kill(scene, worker, dice).await,
        Kind::Ended => workers::end(scene, worker, dice).await,
        Kind::Stopped => workers::stop(worker, dice).await,
        Kind::Slowed => workers::slow(worker, dice).await,
        Kind::Removed => sockets::remove(worker, dice).await,
        Kind::Replaced => sockets::replace(worker, dice).await,
        Kind::Directory => sockets::make_directory(worker, dice).await,
        _ => sockets::forbid(worker, dice).await,
    }
}
