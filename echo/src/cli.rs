//! The command line and the environment, as values.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

/// The name under which Supervisor runs this process, as it tells each of its children.
const NAME: &str = "SUPERVISOR_PROCESS_NAME";

/// Everything that the worker is told before it starts.
#[derive(Debug)]
pub(crate) struct Setup {
    pub(crate) place: Place,
    pub(crate) habits: Habits,
}

/// Where to listen.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A socket file, relative to the working directory.
    Unix(PathBuf),
    /// `HOST:PORT`; port 0 lets the kernel choose.
    Tcp(String),
}

/// How a connection is treated. The defaults are those of Python's `websockets`.
#[derive(Clone, Debug)]
pub(crate) struct Habits {
    /// The largest message, in bytes, that is taken.
    pub(crate) max_size: usize,
    /// Time from one keepalive ping to the next; `None`: no pings.
    pub(crate) ping_interval: Option<Duration>,
    /// Time to answer a ping; `None`: for ever.
    pub(crate) ping_timeout: Option<Duration>,
    /// Time for the handshake; `None`: for ever.
    pub(crate) open_timeout: Option<Duration>,
    /// Time for the peer to answer a Close, or to see that we hung up.
    pub(crate) close_timeout: Duration,
}

/// Why there is no [`Setup`].
#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    /// A flag that clap refuses, or `--help` or `--version`.
    #[error(transparent)]
    Usage(#[from] clap::Error),
    #[error(
        "nowhere to listen: give --unix PATH or --tcp ADDR, or run under Supervisor, which sets \
         ${NAME} (the socket is then $SUPERVISOR_PROCESS_NAME.sock in the working directory)"
    )]
    NoPlace,
}

/// Reads the command line and the environment of this process.
pub(crate) fn read() -> Result<Setup, Problem> {
    setup(Flags::try_parse()?, std::env::var_os(NAME))
}

/// A WebSocket echo worker: sends every message back.
///
/// Without --unix and --tcp it listens on $SUPERVISOR_PROCESS_NAME.sock in the working directory.
/// SIGTERM and SIGINT close every connection with 1001 and end it.
#[derive(Debug, Parser)]
#[command(name = "echo", version)]
struct Flags {
    /// Listen on this unix socket; a stale socket file is replaced
    #[arg(long, value_name = "PATH", conflicts_with = "tcp")]
    unix: Option<PathBuf>,
    /// Listen on this TCP address, such as 127.0.0.1:8001; port 0 takes a free one
    #[arg(long, value_name = "HOST:PORT")]
    tcp: Option<String>,
    /// Largest message; a larger one is answered with close code 1009
    #[arg(long, value_name = "BYTES", default_value_t = 1 << 20)]
    max_size: usize,
    /// Time between keepalive pings; 0 for none
    #[arg(long, value_name = "SECONDS", default_value = "20", value_parser = seconds)]
    ping_interval: Duration,
    /// Time to answer a ping before close code 1011; 0 for ever
    #[arg(long, value_name = "SECONDS", default_value = "20", value_parser = seconds)]
    ping_timeout: Duration,
    /// Time to complete the handshake; 0 for ever
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    open_timeout: Duration,
    /// Time to wait for a peer that does not answer a Close
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = seconds)]
    close_timeout: Duration,
}

fn setup(flags: Flags, name: Option<OsString>) -> Result<Setup, Problem> {
    let place = match (flags.unix, flags.tcp, name) {
        (Some(path), _, _) => Place::Unix(path),
        (None, Some(addr), _) => Place::Tcp(addr),
        (None, None, Some(mut name)) if !name.is_empty() => {
            name.push(".sock");
            Place::Unix(name.into())
        }
        (None, None, _) => return Err(Problem::NoPlace),
    };
    let unless_zero = |time: Duration| (!time.is_zero()).then_some(time);
    let habits = Habits {
        max_size: flags.max_size,
        ping_interval: unless_zero(flags.ping_interval),
        ping_timeout: unless_zero(flags.ping_timeout),
        open_timeout: unless_zero(flags.open_timeout),
        close_timeout: flags.close_timeout,
    };
    Ok(Setup { place, habits })
}

/// Seconds with an optional fraction, up to a year: any longer is a slip of the finger.
fn seconds(text: &str) -> Result<Duration, String> {
    text.parse::<f64>()
        .ok()
        .filter(|seconds| (0.0..=31_536_000.0).contains(seconds))
        .map(Duration::from_secs_f64)
        .ok_or_else(|| "want seconds from 0 to 31536000, such as 20 or 0.5".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str], name: Option<&str>) -> Result<Setup, Problem> {
        let args = std::iter::once("echo").chain(args.iter().copied());
        setup(Flags::try_parse_from(args)?, name.map(OsString::from))
    }

    #[test]
    fn the_name_given_by_supervisor_makes_the_socket() {
        let setup = parse(&[], Some("websockets-test_00")).unwrap();
        assert_eq!(setup.place, Place::Unix("websockets-test_00.sock".into()));
    }

    #[test]
    fn a_flag_goes_before_the_name() {
        let setup = parse(&["--tcp", "localhost:0"], Some("name")).unwrap();
        assert_eq!(setup.place, Place::Tcp("localhost:0".into()));
        let setup = parse(&["--unix", "a.sock"], Some("name")).unwrap();
        assert_eq!(setup.place, Place::Unix("a.sock".into()));
        assert!(parse(&["--unix", "a.sock", "--tcp", "localhost:0"], None).is_err());
    }

    #[test]
    fn an_empty_name_is_none() {
        assert!(matches!(parse(&[], Some("")), Err(Problem::NoPlace)));
        assert!(matches!(parse(&[], None), Err(Problem::NoPlace)));
    }

    #[test]
    fn the_defaults_are_those_of_python() {
        let habits = parse(&[], Some("name")).unwrap().habits;
        assert_eq!(habits.max_size, 1_048_576);
        assert_eq!(habits.ping_interval, Some(Duration::from_secs(20)));
        assert_eq!(habits.ping_timeout, Some(Duration::from_secs(20)));
        assert_eq!(habits.open_timeout, Some(Duration::from_secs(10)));
    }

    #[test]
    fn zero_turns_a_timer_off() {
        let habits =
            parse(&["--ping-interval", "0", "--open-timeout=0"], Some("n")).unwrap().habits;
        assert_eq!((habits.ping_interval, habits.open_timeout), (None, None));
    }

    #[test]
    fn times_that_make_no_sense_are_refused() {
        for text in ["-1", "nan", "inf", "1e300", "soon", ""] {
            assert!(seconds(text).is_err(), "{text}");
        }
        assert_eq!(seconds("0.25"), Ok(Duration::from_millis(250)));
    }
}
