//! `client bench`, which knows how to measure time: a schedule that waits for nobody.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use tests::process::Running;

use crate::load::Target;
use crate::problem::Problem;

/// How often its end is looked for.
const AGAIN: Duration = Duration::from_millis(5);
/// How long it may take beyond its time.
const PATIENCE: Duration = Duration::from_secs(30);

/// The load generator, to be run for so long.
pub(super) struct Generator<'a> {
    pub(super) program: &'a Path,
    pub(super) time: Duration,
}

/// What it found, times in microseconds.
#[derive(Debug)]
pub(super) struct Figures(Value);

impl Generator<'_> {
    /// Echoes of 125 bytes over so many connections: at a rate, or as fast as it goes.
    pub(super) async fn echo(
        &self,
        target: &Target,
        connections: u32,
        rate: Option<f64>,
    ) -> Result<Figures, Problem> {
        let mut command = Command::new(self.program);
        command.args(["bench", "--json", "--quiet", "--size", "125"]);
        command.args(["--connections", &connections.to_string()]);
        command.args(["--duration", &self.time.as_secs_f64().to_string()]);
        if let Some(rate) = rate {
            command.args(["--rate", &rate.to_string()]);
        }
        command.args(target.urls());
        let mut running = Running::start("client bench", command);
        running.close_stdin();
        let ended = async {
            while running.exited().is_none() {
                tokio::time::sleep(AGAIN).await;
            }
        };
        let ended = tokio::time::timeout(self.time + PATIENCE, ended).await;
        let said = match ended {
            Ok(()) => {
                // For the last of what it printed.
                running.wait_exit(PATIENCE);
                running.stdout()
            }
            Err(_) => "it does not end".to_owned(),
        };
        let figures = serde_json::from_str(&said).map(Figures);
        figures.map_err(|_| Problem::NoFigures {
            program: self.program.to_owned(),
            said: format!("{said}{}", running.stderr()),
        })
    }
}

impl Figures {
    /// A figure of its latency.
    pub(super) fn latency(&self, name: &str) -> f64 {
        self.of("/latency", name)
    }

    /// Messages per second.
    pub(super) fn rate(&self) -> f64 {
        self.of("", "rate")
    }

    /// How many failures there were, and of which kinds.
    pub(super) fn failures(&self) -> (u32, String) {
        let Some(kinds) = self.0.get("failures").and_then(Value::as_object) else {
            return (0, String::new());
        };
        let counts = kinds.values().filter_map(Value::as_u64);
        let all = u32::try_from(counts.sum::<u64>()).unwrap_or(u32::MAX);
        (all, kinds.keys().cloned().collect::<Vec<_>>().join(", "))
    }

    fn of(&self, part: &str, name: &str) -> f64 {
        let value = self.0.pointer(part).and_then(|part| part.get(name));
        value.and_then(Value::as_f64).unwrap_or(0.0)
    }
}
