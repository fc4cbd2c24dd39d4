//! Lines of access logs that are written but for what only the end of their tunnel tells.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::escape::{Escape, render_part};
use super::facts;
use super::record::Record;
use super::tries;
use super::values::seconds;
use crate::observe::{self, LogFile};
use crate::route::{Fact, Part, Variable};
use crate::tunnel::Summary;

/// A line of one access log.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Line {
    /// Where it goes; nothing until it is opened here.
    #[serde(skip)]
    file: Option<Arc<LogFile>>,
    /// Standard error without one.
    path: Option<PathBuf>,
    pieces: Vec<Piece>,
    /// What stands for a value that there is not.
    absent: String,
    /// When it was written so far.
    #[serde(skip, default = "Instant::now")]
    since: Instant,
}

/// A piece of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum Piece {
    /// As it is.
    Text(Vec<u8>),
    /// So many bytes, and those that the client took.
    ToClient(u64),
    /// So many bytes, and those that the server took.
    ToServer(u64),
    /// So many milliseconds, and those since then.
    Elapsed(u64),
    /// Whether all of it went well.
    Completion,
    /// The time of the end.
    Msec,
    /// The same, in the Common Log Format.
    TimeLocal,
    /// The same, by ISO 8601.
    TimeIso8601,
    /// What the tunnel tells of itself.
    Fact(Fact),
}

/// The lines that a tunnel's request is going to have, one for each log that wants one.
pub(super) fn lines(record: &Record) -> Vec<Line> {
    let logs = record.rules().map_or(&[][..], |rules| &rules.logs.access);
    let wanted = logs.iter().filter(|log| log.wants(record));
    let line = |log: &super::AccessLog| {
        let mut pieces = Vec::new();
        for part in log.format.parts() {
            match part {
                Part::Variable(variable) if push_open(record, variable, &mut pieces) => {}
                part => text(&mut pieces, |out| {
                    render_part(record, part, log.escape, &mut Vec::new(), out);
                }),
            }
        }
        text(&mut pieces, |out| out.push(b'\n'));
        let file = log.file.file().clone();
        let path = file.path().map(Path::to_owned);
        let absent = if log.escape == Escape::Default { "-" } else { "" };
        Line { file: Some(file), path, pieces, absent: absent.into(), since: Instant::now() }
    };
    wanted.map(line).collect()
}

impl Line {
    /// Opens its file.
    pub(super) fn open(&mut self, open: impl Fn(Option<&Path>) -> Option<Arc<LogFile>>) {
        self.file = open(self.path.as_deref());
    }

    /// Writes it, whole.
    pub(super) fn write(&self, summary: &Summary) {
        let mut line = Vec::with_capacity(256);
        for piece in &self.pieces {
            self.render(piece, summary, &mut line);
        }
        if let Some(file) = &self.file {
            file.write(&line);
        }
    }

    fn render(&self, piece: &Piece, summary: &Summary, out: &mut Vec<u8>) {
        // Writing to a Vec cannot fail.
        let _ = match piece {
            Piece::Text(text) => out.write_all(text),
            Piece::ToClient(before) => write!(out, "{}", before + summary.down.bytes),
            Piece::ToServer(before) => write!(out, "{}", before + summary.up.bytes),
            Piece::Completion => out.write_all(if summary.complete { b"OK" } else { b"" }),
            Piece::Elapsed(before) => {
                seconds(std::time::Duration::from_millis(*before) + self.since.elapsed(), out);
                Ok(())
            }
            Piece::Msec => {
                let millis = observe::unix_millis();
                write!(out, "{}.{:03}", millis / 1000, millis % 1000)
            }
            Piece::TimeLocal => {
                observe::local(out);
                Ok(())
            }
            Piece::TimeIso8601 => {
                observe::iso8601(out);
                Ok(())
            }
            Piece::Fact(fact) if facts::write(summary, *fact, out) => Ok(()),
            Piece::Fact(_) => out.write_all(self.absent.as_bytes()),
        };
    }
}

/// Adds text to the last piece, or begins one.
fn text(pieces: &mut Vec<Piece>, write: impl FnOnce(&mut Vec<u8>)) {
    if !matches!(pieces.last(), Some(Piece::Text(_))) {
        pieces.push(Piece::Text(Vec::new()));
    }
    if let Some(Piece::Text(text)) = pieces.last_mut() {
        write(text);
    }
}

/// Adds a variable that is not known before the end; false for all others.
fn push_open(record: &Record, variable: &Variable, pieces: &mut Vec<Piece>) -> bool {
    let tries = record.tries.borrow();
    let elapsed = |since: Instant| Piece::Elapsed(millis(since));
    let piece = match (variable, tries.last()) {
        (Variable::BodyBytesSent, _) => Piece::ToClient(record.body_sent.get()),
        (Variable::BytesSent, _) => Piece::ToClient(record.head_length() + record.body_sent.get()),
        (Variable::RequestLength, _) => Piece::ToServer(record.request_length()),
        (Variable::RequestTime, _) => elapsed(record.started),
        (Variable::ConnectionTime, _) => elapsed(record.client.since),
        (Variable::RequestCompletion, _) => Piece::Completion,
        (Variable::WebSocket(Fact::Duration), _) => match record.tunnel_since() {
            Some(begun) => elapsed(begun),
            None => return false,
        },
        (Variable::WebSocket(fact), _) => Piece::Fact(*fact),
        (Variable::Msec, _) => Piece::Msec,
        (Variable::TimeLocal, _) => Piece::TimeLocal,
        (Variable::TimeIso8601, _) => Piece::TimeIso8601,
        (Variable::UpstreamResponseTime, Some(last)) => elapsed(last.started),
        (Variable::UpstreamBytesReceived, Some(last)) => {
            Piece::ToClient(last.received + last.length)
        }
        (Variable::UpstreamBytesSent, Some(last)) => Piece::ToServer(last.sent),
        _ => return false,
    };
    if is_of_tries(variable) {
        text(pieces, |out| tries::write_before_last(&record.tries.borrow(), variable, out));
    }
    pieces.push(piece);
    true
}

/// Whether it has a value for each server that was tried; only the last is not known.
fn is_of_tries(variable: &Variable) -> bool {
    use Variable::{UpstreamBytesReceived, UpstreamBytesSent, UpstreamResponseTime};
    matches!(variable, UpstreamResponseTime | UpstreamBytesReceived | UpstreamBytesSent)
}

fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}
