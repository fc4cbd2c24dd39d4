//! callgrind: a program run under it, and how many instructions that took.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Why there are no figures.
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
    /// No such function.
    #[error("there is no function \"{0}\"")]
    NoFunction(String),
    /// callgrind has written no sum.
    #[error("callgrind has counted nothing; it said:\n{0}")]
    NoCount(String),
    /// An answer is not what it should be.
    #[error("{0}")]
    Answer(String),
}

impl Problem {
    /// For `map_err`: names what was being done when the system said no.
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { what: what.into(), source }
    }
}

/// The program under callgrind, which writes its count into `out`.
pub(crate) fn command(program: &Path, out: &Path) -> Command {
    let mut command = Command::new("valgrind");
    let mut file = std::ffi::OsString::from("--callgrind-out-file=");
    file.push(out);
    command.args(["--tool=callgrind", "--error-exitcode=9"]).arg(file).arg(program);
    command
}

/// The count in `out`, once the program has ended.
pub(crate) fn counted(out: &PathBuf, said: &str) -> Result<u64, Problem> {
    let text = fs::read_to_string(out).unwrap_or_default();
    let sum = text.lines().find_map(|line| line.strip_prefix("totals:")?.trim().parse().ok());
    sum.ok_or_else(|| Problem::NoCount(said.to_owned()))
}
