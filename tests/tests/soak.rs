//! The soak, for as long as a test may take: faults by seeds that were drawn once, with the kernel's
//! ring and without. `tests/soak` runs longer ones.

use std::process::Command;
use std::time::Duration;

use tests::process::run;

/// Has it run, and wants every promise kept and every kind of fault seen that it names.
fn soak(minutes: &str, seed: &str, events: &str, faults: &[&str]) {
    let mut soak = Command::new(env!("CARGO_BIN_EXE_soak"));
    soak.args(["--minutes", minutes, "--seed", seed]);
    let (status, told, said) = run("soak", soak, Duration::from_secs(240));
    assert!(status.success(), "{status}\n{told}\n{said}");
    assert!(told.contains("\nevery promise was kept\n") && told.contains(events), "{told}");
    for fault in faults {
        assert!(told.contains(&format!("\n  {fault} ")), "no {fault}:\n{told}");
    }
}

#[test]
fn every_promise_is_kept_while_everything_around_it_fails() {
    let faults = [
        "worker-killed",
        "worker-ended",
        "worker-stopped",
        "worker-slowed",
        "worker-drained",
        "all-workers-killed",
        "socket-removed",
        "socket-replaced",
        "socket-a-directory",
        "socket-not-permitted",
        "reloaded",
        "reloaded-badly",
        "upgraded",
        "descriptors-exhausted",
        "descriptors-limited",
        "idle-flood",
        "deaf-clients",
    ];
    soak("1", "3", "the kernel's best events", &faults);
}

#[test]
fn and_without_the_ring() {
    soak("0.4", "1", "use epoll;", &["worker-killed", "reloaded", "upgraded"]);
}

#[test]
fn a_fault_that_does_not_exist_is_an_error() {
    let mut soak = Command::new(env!("CARGO_BIN_EXE_soak"));
    soak.args(["--minutes", "0", "--faults", "earthquake"]);
    let (status, _, said) = run("soak", soak, Duration::from_secs(60));
    assert!(!status.success() && said.contains("no fault \"earthquake\""), "{said}");
}
