//! A run from its beginning to its end.

use std::fs;
use std::rc::Rc;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, Signal, getrlimit, setrlimit};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tokio::time::sleep;

use crate::dice::Dice;
use crate::faults::befall;
use crate::fleet::Fleet;
use crate::ledger::Ledger;
use crate::options::Options;
use crate::report;
use crate::rest::{self, Footprint};
use crate::stage::{Stage, in_time};
use crate::{request, tunnel};

/// From one rest to the next.
const MOVEMENT: Duration = Duration::from_secs(12);

/// What the proxy may have more at the end than at the start: pipes that are kept for the next large
/// message, and memory that its allocator keeps for the next many clients, in kibibytes.
const PIPES: u64 = 40;
const KEPT: u64 = 16 << 10;

/// What clients are to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Talk.
    Play,
    /// Finish what is under way, and then nothing.
    Rest,
    /// Leave.
    Stop,
}

/// All that there is.
#[derive(Debug)]
pub(crate) struct Scene {
    pub(crate) stage: Stage,
    pub(crate) fleet: Fleet,
    pub(crate) ledger: Rc<Ledger>,
    /// Since when.
    pub(crate) start: Instant,
}

/// Plays, and says whether every promise was kept.
pub(crate) async fn run(options: &Options) -> bool {
    allow_many_files();
    let (seed, dice) = (options.seed(), Dice::new(options.seed()));
    let events = if dice.fork(0).draw().is_multiple_of(2) { "use epoll;" } else { "" };
    let place = Stage::place();
    let fleet = Fleet::start(place.path()).await;
    let stage = Stage::start(place, events);
    let scene = Rc::new(Scene { stage, fleet, ledger: Rc::default(), start: Instant::now() });
    report::begin(options, seed, events);

    // Who answers has started.
    scene.stage.status().await.unwrap();
    let before = Footprint::of(&scene);
    let (phase, phases) = watch::channel(Phase::Play);
    let mut clients = start_clients(options, &scene, &dice, &phases);
    let mut progress = JoinSet::new();
    progress.spawn_local(report::progress(scene.clone()));
    play(options, &scene, dice.fork(1), &phase).await;
    phase.send_replace(Phase::Stop);
    while let Some(ended) = clients.join_next().await {
        note(&scene, "a client", ended);
    }
    finish(&scene, before).await;
    progress.abort_all();
    if let Some(file) = &options.log {
        fs::write(file, scene.stage.log()).unwrap();
    }
    report::end(&scene, seed)
}

fn start_clients(
    options: &Options,
    scene: &Rc<Scene>,
    dice: &Dice,
    phases: &watch::Receiver<Phase>,
) -> JoinSet<()> {
    let mut clients = JoinSet::new();
    let port = scene.stage.port;
    for number in 0..options.tunnels {
        let (dice, ledger) = (dice.fork(1000 + u64::from(number)), scene.ledger.clone());
        let client = tunnel::Client { number, port, dice, ledger, phase: phases.clone() };
        clients.spawn_local(client.run());
    }
    for number in 0..options.clients {
        let (dice, ledger) = (dice.fork(100_000 + u64::from(number)), scene.ledger.clone());
        let (keeps, phase) = (number.is_multiple_of(2), phases.clone());
        let client = request::Client { number, port, keeps, dice, ledger, phase };
        clients.spawn_local(client.run());
    }
    clients
}

/// Faults, one every few hundred milliseconds, with rests between.
async fn play(options: &Options, scene: &Rc<Scene>, mut dice: Dice, phase: &watch::Sender<Phase>) {
    let (kinds, mut deck) = (options.kinds(), Vec::new());
    let end = scene.start + options.time();
    let is_over = || Instant::now() >= end || scene.stage.exited().is_some();
    while !is_over() {
        let rest = Instant::now() + MOVEMENT;
        let mut faults = JoinSet::new();
        while Instant::now() < rest && !is_over() {
            sleep(dice.millis(150, 500)).await;
            if deck.is_empty() {
                deck.clone_from(&kinds);
            }
            // Each kind comes once before any comes again.
            let kind = deck.swap_remove(dice.below(deck.len()));
            let (shared, name) = (scene.clone(), dice.draw());
            let dice = dice.fork(name);
            faults.spawn_local(async move { befall(&shared, kind, dice).await });
            while let Some(ended) = faults.try_join_next() {
                note(scene, "a fault", ended);
            }
        }
        while let Some(ended) = faults.join_next().await {
            note(scene, "a fault", ended);
        }
        phase.send_replace(Phase::Rest);
        rest::compare(scene, u64::from(options.tunnels)).await;
        phase.send_replace(Phase::Play);
    }
}

/// One that has panicked has found something that must not be.
fn note(scene: &Scene, who: &str, ended: Result<(), JoinError>) {
    if let Err(error) = ended {
        scene.ledger.broken(format!("{who}: {error}"));
    }
}

/// Nobody is there any more: the proxy has let go of everything, and ends.
async fn finish(scene: &Scene, before: Footprint) {
    if let Some(status) = scene.stage.exited() {
        let what = format!("the proxy has ended ({status}); it is not to be another process");
        return scene.ledger.broken(what);
    }
    rest::compare(scene, 0).await;
    let small = |now: Footprint| {
        now.descriptors <= before.descriptors + PIPES && now.memory <= before.memory + KEPT
    };
    in_time(Duration::from_secs(10), || small(Footprint::of(scene))).await;
    let now = Footprint::of(scene);
    report::footprint(before, now);
    if !small(now) {
        scene.ledger.broken(format!("at the end {now:?}, at the start {before:?}"));
    }
    let log = scene.stage.log();
    let is_wrong = |line: &&str| {
        // That descriptors are scarce is for whoever runs it to know.
        let scarce = ["are not enough", "(24: Too many open files)"];
        let is_of_scarcity = scarce.iter().any(|words| line.contains(words));
        line.contains("panic") || line.contains("[alert]") && !is_of_scarcity
    };
    log.lines().filter(is_wrong).for_each(|line| scene.ledger.broken(format!("logged: {line}")));
    scene.stage.signal(Signal::QUIT);
    in_time(Duration::from_secs(10), || scene.stage.exited().is_some()).await;
    match scene.stage.exited() {
        Some(status) if status.success() => {}
        other => scene.ledger.broken(format!("told to quit, the proxy: {other:?}")),
    }
}

/// As many as may be.
fn allow_many_files() {
    let maximum = getrlimit(Resource::Nofile).maximum;
    // Where it may not be, what is there has to do.
    let _refused = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
}
