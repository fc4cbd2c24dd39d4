//! What can end a run early.

use std::io;
use std::path::PathBuf;

/// Why there are no figures. Every one is for the person at the terminal.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    /// The operating system said no.
    #[error("{what}: {source}")]
    Io {
        /// What was being done.
        what: String,
        /// What the system said.
        source: io::Error,
    },
    /// A binary is not where it was looked for.
    #[error("there is no program {path}: {hint}")]
    NoProgram {
        /// Where it was looked for.
        path: PathBuf,
        /// What to do about it.
        hint: &'static str,
    },
    /// No such row.
    #[error("there is no row \"{name}\"; the rows are {known}")]
    NoRow {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// No such peer.
    #[error("there is no peer \"{name}\"; they are {known}")]
    NoPeer {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// The load generator has no figures.
    #[error("{program} has no figures: {said}")]
    NoFigures {
        /// The load generator.
        program: PathBuf,
        /// What it said.
        said: String,
    },
    /// Too few files may be open at a time.
    #[error(
        "{needed} open files are needed and only {allowed} are allowed: raise the limit \
         (ulimit -Hn) or choose other --rows"
    )]
    Files {
        /// What the front needs for its largest row.
        needed: u64,
        /// The hard limit.
        allowed: u64,
    },
    /// A process of the set-up did not start.
    #[error("{name} {what}; it said:\n{said}")]
    Process {
        /// Which process.
        name: String,
        /// What is wrong with it.
        what: &'static str,
        /// What it has said so far.
        said: String,
    },
    /// The load found something wrong, or nothing came in time.
    #[error("{row} through {peer}: {fault}; {peer} said:\n{said}")]
    Load {
        /// The row that was being measured.
        row: &'static str,
        /// The front it went through.
        peer: String,
        /// What went wrong.
        fault: Fault,
        /// The front's own words so far.
        said: String,
    },
    /// Something hangs.
    #[error("the time is long over, and what was begun does not end")]
    Endless,
    /// A figure in `/proc` is missing or not a number.
    #[error("cannot read a figure from {path}")]
    Figure {
        /// The file.
        path: PathBuf,
    },
}

impl Problem {
    /// For `map_err`: names what was being done when the system said no.
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { what: what.into(), source }
    }
}

/// What a connection of the load can find wrong.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// The connection broke or could not be made.
    #[error("a connection failed: {0}")]
    Io(#[from] io::Error),
    /// The front ended the connection inside an exchange.
    #[error("the connection was closed before the answer was complete")]
    Closed,
    /// The answer's head is not the one expected.
    #[error("expected \"{expected}...\", got \"{got}\"")]
    Status {
        /// What should have come.
        expected: &'static str,
        /// The first line that came.
        got: String,
    },
    /// The echo differs from what was sent.
    #[error("an echo differs from its message, {missing} bytes before the end")]
    Differs {
        /// How many bytes were still to come at the first read that differs.
        missing: usize,
    },
    /// Nothing came for too long.
    #[error("{0} took too long")]
    Late(&'static str),
    /// The load generator saw failures.
    #[error("the load generator reports: {0}")]
    Generator(String),
    /// A round passed without one operation.
    #[error("not one operation was done")]
    Nothing,
    /// A part of the load generator has gone.
    #[error("the load generator stopped on its own")]
    Gone,
}
