//! What a person sees of a run: a line each second, and tables at its end.

use std::cell::Cell;
use std::fmt::Display;
use std::io::Write as _;
use std::rc::Rc;
use std::time::Duration;

use tokio::time::interval;

use crate::options::Options;
use crate::rest::Footprint;
use crate::run::Scene;

/// How much of the log is shown when something was broken.
const TAIL: usize = 40;

/// A line on stdout. Nobody may be there to read it.
fn say(line: impl Display) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// How the run can be had again.
pub(crate) fn begin(options: &Options, seed: u64, events: &str) {
    let (tunnels, clients, time) = (options.tunnels, options.clients, options.time());
    let events = if events.is_empty() { "the kernel's best events" } else { events };
    say(format!("{tunnels} tunnels, {clients} HTTP clients, {time:?}, {events}, --seed {seed}"));
}

/// A line a second, until it is dropped.
pub(crate) async fn progress(scene: Rc<Scene>) {
    let mut seconds = interval(Duration::from_secs(1));
    loop {
        seconds.tick().await;
        let (ledger, now) = (&scene.ledger, Footprint::of(&scene));
        let faults: u64 = ledger.faults.borrow().values().sum();
        let (broken, more) = ledger.all_broken();
        say(format!(
            "{:>4} s  {faults} faults, {} tunnels, {} echoes, {} answers, {} fds, {} kB, {} broken",
            scene.start.elapsed().as_secs(),
            ledger.held(),
            ledger.echoes.get(),
            ledger.answers.get(),
            now.descriptors,
            now.memory,
            broken.len() + more,
        ));
    }
}

/// What it takes, before and after.
pub(crate) fn footprint(before: Footprint, now: Footprint) {
    say(format!(
        "\ndescriptors {} at the start, {} at the end; memory {} kB and {} kB",
        before.descriptors, now.descriptors, before.memory, now.memory
    ));
}

/// The tables; true when nothing was broken.
pub(crate) fn end(scene: &Scene, seed: u64) -> bool {
    let ledger = &scene.ledger;
    say("\nfaults");
    ledger.faults.borrow().iter().for_each(|(name, times)| row(name, times));
    say("\ntunnels");
    row("opened", ledger.opened.get());
    ledger.ends.borrow().iter().for_each(|(how, times)| row(&format!("ended {how}"), times));
    say("\nclients");
    let counts: [(&str, &Cell<u64>); 4] = [
        ("echoes, all right and in order", &ledger.echoes),
        ("HTTP answers, all right", &ledger.answers),
        ("asked again, a kept connection closed", &ledger.repeated),
        ("errors while none was promised against", &ledger.pardoned),
    ];
    counts.into_iter().for_each(|(name, count)| row(name, count.get()));
    row("the slowest echo, ms", ledger.worst_echo.get().as_millis());
    row("the slowest answer, ms", ledger.worst_answer.get().as_millis());
    let (broken, more) = ledger.all_broken();
    if broken.is_empty() {
        say("\nevery promise was kept");
        return true;
    }
    let log = scene.stage.log();
    let lines: Vec<_> = log.lines().collect();
    say("\nthe log's end");
    lines.iter().skip(lines.len().saturating_sub(TAIL)).for_each(say);
    say(format!("\n{} promises were broken, --seed {seed}", broken.len() + more));
    broken.iter().for_each(say);
    false
}

fn row(name: &str, value: impl Display) {
    say(format!("  {name:<42} {value:>10}"));
}
