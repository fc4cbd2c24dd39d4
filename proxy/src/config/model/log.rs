//! What is written where: error logs, access logs and their formats.

use std::path::PathBuf;
use std::time::Duration;

use super::super::source::Spanned;

/// `error_log FILE|stderr [LEVEL];`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorLog {
    /// Where it goes.
    pub target: Spanned<LogTarget>,
    /// The least serious level that is written (nginx's default: error).
    pub level: LogLevel,
}

/// Where log lines go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogTarget {
    /// `stderr`
    Stderr,
    /// A file, with the prefix already applied.
    File(PathBuf),
}

/// nginx's levels, most serious first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// The process cannot go on.
    Emerg,
    /// Somebody must act now.
    Alert,
    /// A serious problem.
    Crit,
    /// A request failed.
    Error,
    /// Something odd.
    Warn,
    /// Worth knowing.
    Notice,
    /// Everyday events.
    Info,
    /// For developers.
    Debug,
}

/// `access_log PATH [FORMAT] [if=CONDITION];`
#[derive(Debug, Clone)]
pub struct AccessLog {
    /// Where it goes.
    pub target: Spanned<LogTarget>,
    /// Which of [`Http::log_formats`](super::Http::log_formats), by position.
    pub format: usize,
    /// `if=`: a line is written unless this comes to nothing or to `0`; variables not yet compiled.
    pub condition: Option<Spanned<String>>,
}

/// `buffer=` and `flush=` of an `access_log`: they hold for all that name its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogBuffer {
    /// The file.
    pub target: LogTarget,
    /// How many bytes are kept before they are written.
    pub size: usize,
    /// How long they are kept at most; `None` is until there is no room.
    pub flush: Option<Duration>,
}

/// `log_format NAME [escape=...] STRING...;`
#[derive(Debug, Clone)]
pub struct LogFormat {
    /// Its name.
    pub name: String,
    /// How values are escaped.
    pub escape: Escape,
    /// The strings joined, variables not yet compiled.
    pub text: Spanned<String>,
}

/// `log_format`'s `escape=`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Escape {
    /// `"`, `\` and bytes below 32 or above 126 as `\xXX`; an absent value is `-`.
    #[default]
    Default,
    /// JSON's rules.
    Json,
    /// As it is.
    None,
}
