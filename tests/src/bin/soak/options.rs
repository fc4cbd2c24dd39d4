//! The command line.

use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::Parser;

use crate::faults::Kind;

/// Everything on the command line.
#[derive(Debug, Parser)]
#[command(
    name = "soak",
    version,
    about = "Runs proxy under load while everything around it fails."
)]
pub(crate) struct Options {
    /// For how long faults go on; starting and the end take some seconds more
    #[arg(long, value_name = "N", default_value = "2", value_parser = minutes)]
    minutes: f64,
    /// What is drawn by chance is drawn from this; without it from the clock
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// WebSocket clients
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=5000))]
    pub(crate) tunnels: u32,
    /// HTTP clients, of which every other one keeps its connection
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(0..=1000))]
    pub(crate) clients: u32,
    /// Only these faults, by the names that the table at the end has
    #[arg(long, value_name = "NAME,...", value_delimiter = ',', value_parser = kind)]
    faults: Vec<Kind>,
    /// Where the proxy's whole log is written at the end
    #[arg(long, value_name = "FILE")]
    pub(crate) log: Option<PathBuf>,
}

impl Options {
    /// For how long faults go on.
    pub(crate) fn time(&self) -> Duration {
        Duration::from_secs_f64(self.minutes * 60.0)
    }

    /// The faults that may be, as often as each comes.
    pub(crate) fn kinds(&self) -> Vec<Kind> {
        let wanted = |kind: &Kind| self.faults.is_empty() || self.faults.contains(kind);
        Kind::ALL.into_iter().filter(wanted).collect()
    }

    /// What chance is drawn from.
    pub(crate) fn seed(&self) -> u64 {
        let clock = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs());
        self.seed.unwrap_or_else(clock)
    }
}

/// Minutes with an optional fraction, up to a day.
fn minutes(text: &str) -> Result<f64, String> {
    let minutes = text.parse().ok().filter(|minutes| (0.0..=1440.0).contains(minutes));
    minutes.ok_or_else(|| "want minutes from 0 to 1440, such as 2 or 0.5".to_owned())
}

/// A fault by its name.
fn kind(name: &str) -> Result<Kind, String> {
    let found = Kind::ALL.into_iter().find(|kind| kind.name() == name);
    found.ok_or_else(|| format!("no fault \"{name}\""))
}
