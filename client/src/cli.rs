//! The command line, and what the program does with it from beginning to end.

use std::env;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use http::header::{HeaderName, HeaderValue};
use tokio_tungstenite::tungstenite::Message;

use crate::address::Address;
use crate::bench;
use crate::face::{Face, say};
use crate::handshake::{self, Offer};
use crate::session::{self, Rules};
use crate::signals::Signals;
use crate::tls::Trust;
use crate::words;

/// A WebSocket client: a prompt on a terminal, lines in a pipe.
///
/// On a terminal, type a message and Enter; /help shows what else there is; Ctrl-D closes. In a
/// pipe, each line is a message, and the connection is closed when all of them are answered.
///
/// Exits with 0 when the connection ended with 1000 or 1001, with 1 when it ended otherwise or was
/// never made, and with 2 when the command line is wrong.
#[derive(Debug, Parser)]
#[command(name = "client", version)]
#[command(after_help = "`client bench URL` puts load on a server: see `client bench --help`.")]
struct Arguments {
    #[arg(help = "ws://HOST[:PORT][/PATH], wss://..., or ws+unix:SOCKET[:/PATH]")]
    url: String,

    /// Add this header to the handshake; may be repeated
    #[arg(long, value_name = "NAME: VALUE", value_parser = header)]
    header: Vec<(HeaderName, HeaderValue)>,

    /// Offer this subprotocol; may be repeated, the preferred one first
    #[arg(long, value_name = "NAME", value_parser = token)]
    subprotocol: Vec<String>,

    /// Send this Origin header, as a browser would
    #[arg(long, value_name = "ORIGIN")]
    origin: Option<HeaderValue>,

    /// With wss://, believe any certificate
    #[arg(long)]
    insecure: bool,

    /// With wss://, trust the authorities in this PEM file besides the system's
    #[arg(long, value_name = "FILE", conflicts_with = "insecure")]
    ca: Option<PathBuf>,

    /// Ping the server this often, and close when its pong takes as long; 0 for never
    #[arg(long, value_name = "SECONDS", default_value = "20", value_parser = seconds)]
    ping_interval: Duration,

    /// Send this message instead of reading any, and wait for the answer; may be repeated
    #[arg(short = 'x', long = "execute", value_name = "MESSAGE", allow_hyphen_values = true)]
    execute: Vec<String>,

    /// Once all is sent, wait this long after the last answer for missing ones
    #[arg(short, long, value_name = "SECONDS", default_value = "3", value_parser = seconds)]
    wait: Duration,

    /// Send binary messages instead of text
    #[arg(long)]
    binary: bool,
}

/// Does what the command line says.
pub(crate) fn run() -> ExitCode {
    // No URL is called so: a second command line stands behind it.
    if env::args_os().nth(1).is_some_and(|first| first == "bench") {
        return bench::run(env::args_os().skip(2));
    }
    let arguments = Arguments::parse();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("client: {}", words::os(&error))),
    };
    match runtime.block_on(talk(arguments)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(line) => fail(&line),
    }
}

/// Connects and leads the conversation: whether it ended well, or what to say about a failure.
async fn talk(arguments: Arguments) -> Result<bool, String> {
    let url = &arguments.url;
    let failed = |why: &dyn std::fmt::Display| {
        format!("Failed to connect to {}: {why}.", words::escape(url))
    };
    let address = Address::parse(url).map_err(|error| failed(&error))?;
    let offer = Offer {
        headers: arguments.header,
        subprotocols: arguments.subprotocol,
        origin: arguments.origin,
    };
    let trust = Trust { insecure: arguments.insecure, ca: arguments.ca };
    let socket = handshake::connect(&address, &offer, &trust).await.map_err(|e| failed(&e))?;

    let stopped = |error: io::Error| format!("client: {}", words::os(&error));
    let mut signals = Signals::take().map_err(stopped)?;
    say(&format!("Connected to {url}."));
    let mut face = if arguments.execute.is_empty() {
        Face::open(arguments.binary).map_err(stopped)?
    } else {
        let message = if arguments.binary { Message::binary::<String> } else { Message::text };
        Face::speaking(arguments.execute.into_iter().map(message).collect()).map_err(stopped)?
    };
    let pings = arguments.ping_interval;
    let rules = Rules { ping_interval: (!pings.is_zero()).then_some(pings), wait: arguments.wait };
    let ending = session::converse(socket, &mut face.talk, &mut signals, rules).await;
    face.finish(&format!("Connection closed: {}.", ending.close), &mut signals).await;
    Ok(ending.is_success())
}

fn fail(line: &str) -> ExitCode {
    let _ = writeln!(io::stderr(), "{line}");
    ExitCode::FAILURE
}

/// `NAME: VALUE`, as curl's `-H`.
pub(crate) fn header(written: &str) -> Result<(HeaderName, HeaderValue), String> {
    let (name, value) = written.split_once(':').ok_or("write it as 'Name: value'")?;
    let name: HeaderName = name.trim().parse().map_err(|_| "this is not a header name")?;
    let value = value.trim().parse().map_err(|_| "this is not a header value")?;
    match name.as_str() {
        "sec-websocket-protocol" => Err("use --subprotocol".to_owned()),
        "connection"
        | "upgrade"
        | "sec-websocket-key"
        | "sec-websocket-version"
        | "sec-websocket-extensions" => {
            Err(format!("{name} belongs to the handshake, which the client writes itself"))
        }
        _ => Ok((name, value)),
    }
}

/// A token (RFC 9110 section 5.6.2), as a subprotocol is. Header names happen to be the same.
fn token(written: &str) -> Result<String, String> {
    match HeaderName::from_bytes(written.as_bytes()) {
        Ok(_) => Ok(written.to_owned()),
        Err(_) => Err("a subprotocol is one word of letters, digits and punctuation".to_owned()),
    }
}

/// A number of seconds, fractions allowed, a day at most.
pub(crate) fn seconds(written: &str) -> Result<Duration, String> {
    let seconds: f64 = written.parse().map_err(|_| "this is not a number of seconds")?;
    // A day is as good as for ever, and keeps sums of times in range.
    if !(0.0..=86_400.0).contains(&seconds) {
        return Err("this must be between 0 and 86400 seconds".to_owned());
    }
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        use clap::CommandFactory as _;
        Arguments::command().debug_assert();
    }

    #[test]
    fn headers_are_read_as_curl_reads_them() {
        let (name, value) = header("X-Token:  a: b ").unwrap();
        assert_eq!((name.as_str(), value.as_bytes()), ("x-token", &b"a: b"[..]));
        for bad in
            ["X-Token", "X Token: a", ": a", "X: a\nb", "Upgrade: h2c", "Sec-WebSocket-Protocol: a"]
        {
            assert!(header(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn seconds_may_have_fractions() {
        assert_eq!(seconds("0.25"), Ok(Duration::from_millis(250)));
        assert_eq!(seconds("0"), Ok(Duration::ZERO));
        for bad in ["-1", "x", "inf", "NaN", "1e9", ""] {
            assert!(seconds(bad).is_err(), "{bad}");
        }
    }
}
