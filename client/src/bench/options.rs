//! The command line of `client bench`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use http::header::{HeaderName, HeaderValue};

use super::sizes::Sizes;
use crate::cli::header;

/// Puts load on a server: many connections at once, every answer verified.
///
/// Every echo must be what was sent, byte by byte. Exits with 0 when nothing went wrong, with 1 when
/// something did, and with 2 when the command line is wrong.
#[derive(Debug, Parser)]
#[command(name = "client bench", bin_name = "client bench", version)]
pub(crate) struct Options {
    #[arg(
        required = true,
        value_name = "URL",
        help = "ws://HOST[:PORT][/PATH], wss://..., ws+unix:SOCKET[:/PATH]; http:// says the same as \
                ws://. The connections are spread over all that are given"
    )]
    pub(crate) urls: Vec<String>,

    /// What each connection does
    #[arg(short, long, value_enum, default_value_t = Mode::Echo)]
    pub(crate) mode: Mode,

    /// How many connections there are
    #[arg(short, long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) connections: u32,

    /// Bytes of a message: 32, 16k, 1m; from 1 to 4k: 1..4k; three of four small: 32:3,4k:1
    #[arg(short, long, value_name = "BYTES", default_value = "32")]
    pub(crate) size: Sizes,

    /// How long to measure, in seconds
    #[arg(short, long, value_name = "SECONDS", default_value = "10", value_parser = duration)]
    pub(crate) duration: Duration,

    /// Open the connections evenly over this time before
    #[arg(long, value_name = "SECONDS", default_value = "0", value_parser = crate::cli::seconds)]
    pub(crate) ramp: Duration,

    /// Operations per second in all, due by the clock whether or not the last one is done: latency
    /// is counted from then. Without it, each connection goes on when it is answered
    #[arg(short, long, value_name = "N", value_parser = rate)]
    pub(crate) rate: Option<f64>,

    /// Threads; as many as there are cores unless said
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=256))]
    threads: Option<u32>,

    /// How long one operation may take
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = duration)]
    pub(crate) timeout: Duration,

    /// Add this header to each request; may be repeated
    #[arg(long, value_name = "NAME: VALUE", value_parser = header)]
    pub(crate) header: Vec<(HeaderName, HeaderValue)>,

    /// With wss://, believe any certificate
    #[arg(long)]
    pub(crate) insecure: bool,

    /// With wss://, trust the authorities in this PEM file besides the system's
    #[arg(long, value_name = "FILE", conflicts_with = "insecure")]
    pub(crate) ca: Option<PathBuf>,

    /// Print the figures as JSON instead of a table; times are in microseconds
    #[arg(long)]
    pub(crate) json: bool,

    /// Say nothing while it runs
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

/// What each connection does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mode {
    /// Sends a message and waits for its echo, over and over
    Echo,
    /// Connects, upgrades, closes, over and over
    Handshake,
    /// Is held, and does nothing but answer pings
    Idle,
    /// Asks with GET on a connection that is kept
    Http,
    /// Is held; some leave and come again (a tenth of them per second, or --rate)
    Churn,
}

impl Options {
    /// How many threads there are: none without a connection.
    pub(crate) fn threads(&self) -> u32 {
        let cores = std::thread::available_parallelism();
        let cores = cores.map_or(1, |cores| u32::try_from(cores.get()).unwrap_or(1));
        self.threads.unwrap_or(cores).min(self.connections)
    }

    /// Operations per second that are due; `None` in a closed loop.
    pub(crate) fn pace(&self) -> Option<f64> {
        match self.mode {
            Mode::Churn => self.rate.or(Some(f64::from(self.connections) / 10.0)),
            Mode::Idle => None,
            _ => self.rate,
        }
    }
}

fn duration(written: &str) -> Result<Duration, String> {
    match crate::cli::seconds(written)? {
        Duration::ZERO => Err("this must be more than 0".to_owned()),
        duration => Ok(duration),
    }
}

fn rate(written: &str) -> Result<f64, String> {
    let rate: f64 = written.parse().map_err(|_| "this is not a number")?;
    if (0.001..=10_000_000.0).contains(&rate) {
        Ok(rate)
    } else {
        Err("this must be between 0.001 and 10000000".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Options, clap::Error> {
        Options::try_parse_from(std::iter::once("client bench").chain(line.split(' ')))
    }

    #[test]
    fn the_command_line_is_sound() {
        use clap::CommandFactory as _;
        Options::command().debug_assert();
    }

    #[test]
    fn a_closed_loop_has_no_pace_and_churn_always_has_one() {
        assert_eq!(read("ws://x").unwrap().pace(), None);
        assert_eq!(read("ws://x -r 20").unwrap().pace(), Some(20.0));
        assert_eq!(read("ws://x -m churn -c 50").unwrap().pace(), Some(5.0));
        assert_eq!(read("ws://x -m idle -r 9").unwrap().pace(), None);
        assert_eq!(read("ws://x -c 1 -t 8").unwrap().threads(), 1);
    }

    #[test]
    fn what_has_no_end_is_refused() {
        for bad in ["-d 0", "-d inf", "-r 0", "-r NaN", "-c 0", "-s 1g", "-t 0", "--timeout 0"] {
            assert!(read(&format!("ws://x {bad}")).is_err(), "{bad}");
        }
        assert!(read("-c 1").is_err(), "a URL is wanted");
    }
}
