//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

/// Everything on the command line.
#[derive(Debug, Parser)]
#[command(name = "compare", version, about = "Measures proxy beside other proxies, side by side.")]
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
        /// The address to listen on besides.
        tcp: SocketAddr,
    },
}

/// The comparison's settings.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Rows to measure, by name; without it all of them
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    pub(crate) rows: Vec<String>,
    /// Whom to compare: nginx, proxy, haproxy, envoy, caddy, traefik, direct (no proxy); without it
    /// all that are there. The first is the one that the others are compared with
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    pub(crate) peers: Vec<String>,
    /// Rounds at most; better an even number, as the fronts start in turn [default: 6]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    rounds: Option<u32>,
    /// Seconds of measuring per row, round and front [default: 1]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    seconds: Option<Duration>,
    /// At most three minutes: 2 rounds of 0.25 s
    #[arg(long)]
    pub(crate) quick: bool,
    /// Begin nothing new after so many minutes [default: 15, with --quick 3]
    #[arg(long, value_name = "MINUTES", value_parser = clap::value_parser!(u32).range(1..=1440))]
    minutes: Option<u32>,
    /// Worker threads or processes of each front; several are measured one after the other
    #[arg(long, value_name = "N,...", value_delimiter = ',', default_value = "1,2", value_parser = clap::value_parser!(u32).range(1..=64))]
    pub(crate) threads: Vec<u32>,
    /// At most so many connections per row, for a small machine or a first look
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) connections: Option<u32>,
    /// The nginx to compare with
    #[arg(long, value_name = "PATH", default_value = "nginx")]
    pub(crate) nginx: PathBuf,
    /// The proxy to measure; without it the one beside this program
    #[arg(long, value_name = "PATH")]
    pub(crate) proxy: Option<PathBuf>,
    /// A second proxy in nginx's place, to compare two builds; without --peers only these two
    #[arg(long, value_name = "PATH")]
    pub(crate) vs: Option<PathBuf>,
    /// A Python environment with other proxies in it
    #[arg(long, value_name = "DIRECTORY")]
    pub(crate) tools: Option<PathBuf>,
    /// The load generator `client`; without it the one beside this program
    #[arg(long, value_name = "PATH")]
    pub(crate) client: Option<PathBuf>,
    /// Writes report.html and report.json into this directory
    #[arg(long, value_name = "DIRECTORY")]
    pub(crate) out: Option<PathBuf>,
}

impl Options {
    /// Rounds at most.
    pub(crate) fn rounds(&self) -> u32 {
        self.rounds.unwrap_or(if self.quick { 2 } else { 6 })
    }

    /// How long one round measures one front.
    pub(crate) fn window(&self) -> Duration {
        self.seconds.unwrap_or(Duration::from_millis(if self.quick { 250 } else { 1000 }))
    }

    /// When nothing new is begun any more.
    pub(crate) fn budget(&self) -> Duration {
        let minutes = self.minutes.unwrap_or(if self.quick { 3 } else { 15 });
        Duration::from_secs(60) * minutes
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
        assert_eq!((quick.rounds(), quick.window()), (2, Duration::from_millis(250)));
        assert_eq!(quick.budget(), Duration::from_secs(180));
        let both = options("compare --quick --rounds 7 --seconds 0.5 --minutes 9").unwrap();
        assert_eq!((both.rounds(), both.window()), (7, Duration::from_millis(500)));
        assert_eq!(both.budget(), Duration::from_secs(540));
    }

    #[test]
    fn a_window_without_end_is_refused() {
        for seconds in ["0", "-1", "inf", "NaN", "1e9", "x"] {
            assert!(options(&format!("compare --seconds={seconds}")).is_err(), "{seconds}");
        }
    }

    #[test]
    fn threads_are_a_list() {
        assert_eq!(options("compare").unwrap().threads, [1, 2]);
        assert_eq!(options("compare --threads 2").unwrap().threads, [2]);
    }
}
