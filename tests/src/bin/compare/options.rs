//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

/// Everything on the command line.
#[derive(Debug, Parser)]
#[command(name = "compare", version, about = "Measures proxy beside nginx, side by side.")]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Invocation {
    /// The comparison's own settings.
    #[command(flatten)]
    pub(crate) options: Options,
    /// What else this program can be.
    #[command(subcommand)]
    pub(crate) mode: Option<Mode>,
}

/// What this program can be besides the comparison.
#[derive(Debug, Subcommand)]
pub(crate) enum Mode {
    /// The lean worker behind the fronts; started by the comparison itself.
    #[command(hide = true)]
    Worker {
        /// The unix socket to listen on.
        socket: PathBuf,
    },
}

/// The comparison's settings.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Rows to measure, by name; without it all of them
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    pub(crate) rows: Vec<String>,
    /// Rounds per row; better an even number, as the fronts start in turn [default: 6]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    rounds: Option<u32>,
    /// Seconds of measuring per round and front [default: 2]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    seconds: Option<Duration>,
    /// 4 rounds of 1 second
    #[arg(long)]
    quick: bool,
    /// Worker threads or processes of each front
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub(crate) threads: u32,
    /// At most so many connections per row, for a small machine or a first look
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) connections: Option<u32>,
    /// The nginx to compare with
    #[arg(long, value_name = "PATH", default_value = "nginx")]
    pub(crate) nginx: PathBuf,
    /// The proxy to measure; without it the one beside this program
    #[arg(long, value_name = "PATH")]
    pub(crate) proxy: Option<PathBuf>,
    /// A second proxy in nginx's place, to compare two builds
    #[arg(long, value_name = "PATH")]
    pub(crate) vs: Option<PathBuf>,
    /// Writes every reading to this file as well
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
}

impl Options {
    /// Rounds per row.
    pub(crate) fn rounds(&self) -> u32 {
        self.rounds.unwrap_or(if self.quick { 4 } else { 6 })
    }

    /// How long one round measures one front.
    pub(crate) fn window(&self) -> Duration {
        self.seconds.unwrap_or(Duration::from_secs(if self.quick { 1 } else { 2 }))
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds".to_owned())?;
    match Duration::try_from_secs_f64(seconds) {
        Ok(window) if (0.05..=600.0).contains(&seconds) => Ok(window),
        _ => Err("must be between 0.05 and 600 seconds".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(line: &str) -> Result<Options, clap::Error> {
        Invocation::try_parse_from(line.split(' ')).map(|invocation| invocation.options)
    }

    #[test]
    fn quick_is_a_default_that_a_flag_still_overrides() {
        let quick = options("compare --quick").unwrap();
        assert_eq!((quick.rounds(), quick.window()), (4, Duration::from_secs(1)));
        let both = options("compare --quick --rounds 7 --seconds 0.5").unwrap();
        assert_eq!((both.rounds(), both.window()), (7, Duration::from_millis(500)));
    }

    #[test]
    fn a_window_without_end_is_refused() {
        for seconds in ["0", "-1", "inf", "NaN", "1e9", "x"] {
            assert!(options(&format!("compare --seconds={seconds}")).is_err(), "{seconds}");
        }
    }
}
