//! The error log: nginx's lines, nginx's levels.

use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;

use super::clock;
use super::file::LogFile;

/// nginx's levels, most serious first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
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

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Emerg => "emerg",
            Self::Alert => "alert",
            Self::Crit => "crit",
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Notice => "notice",
            Self::Info => "info",
            Self::Debug => "debug",
        })
    }
}

/// One error log: its destinations, each with the least serious level it takes.
///
/// Cloning is cheap and shares the destinations.
#[derive(Debug, Clone)]
pub struct ErrorLog {
    sinks: Arc<[(Arc<LogFile>, Level)]>,
}

impl ErrorLog {
    /// A log with these destinations.
    pub(crate) fn new(sinks: Vec<(Arc<LogFile>, Level)>) -> Self {
        Self { sinks: sinks.into() }
    }

    /// A log on standard error.
    pub fn stderr(level: Level) -> Self {
        Self::new(vec![(Arc::new(LogFile::stderr()), level)])
    }

    /// Whether a line of this level would be written anywhere: ask before making an expensive one.
    pub fn takes(&self, level: Level) -> bool {
        self.sinks.iter().any(|(_, least)| level <= *least)
    }

    /// Writes `TIME [LEVEL] PID#TID: MESSAGE`.
    pub fn log(&self, level: Level, message: fmt::Arguments<'_>) {
        self.write(level, None, message);
    }

    /// Writes `TIME [LEVEL] PID#TID: *CONNECTION MESSAGE`.
    pub fn log_connection(&self, level: Level, connection: u64, message: fmt::Arguments<'_>) {
        self.write(level, Some(connection), message);
    }

    fn write(&self, level: Level, connection: Option<u64>, message: fmt::Arguments<'_>) {
        if !self.takes(level) {
            return;
        }
        let mut line = Vec::with_capacity(256);
        clock::error_time(&mut line);
        let (pid, tid) = (std::process::id(), nix::unistd::gettid());
        // Writing to a Vec cannot fail.
        let _ = write!(line, " [{level}] {pid}#{tid}: ");
        if let Some(connection) = connection {
            let _ = write!(line, "*{connection} ");
        }
        let _ = write!(line, "{message}");
        line.push(b'\n');
        for (file, least) in self.sinks.iter() {
            if level <= *least {
                file.write(&line);
            }
        }
    }
}

/// An I/O error as nginx prints it: `111: Connection refused`.
pub fn errno(error: &io::Error) -> String {
    let Some(code) = error.raw_os_error() else {
        return error.to_string();
    };
    let text = error.to_string();
    let words = text.split(" (os error").next().unwrap_or(&text);
    format!("{code}: {words}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_goes_only_where_its_level_is_taken() {
        let dir = tempfile::tempdir().unwrap();
        let (all, errors) = (dir.path().join("all"), dir.path().join("errors"));
        let log = ErrorLog::new(vec![
            (Arc::new(LogFile::open(&all).unwrap()), Level::Notice),
            (Arc::new(LogFile::open(&errors).unwrap()), Level::Error),
        ]);
        log.log(Level::Notice, format_args!("listening"));
        log.log_connection(Level::Error, 7, format_args!("connect() failed"));
        log.log(Level::Info, format_args!("nobody takes this"));
        let text = std::fs::read_to_string(&all).unwrap();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 2, "{text}");
        assert!(lines[0].ends_with(": listening") && lines[0].contains(" [notice] "), "{text}");
        assert!(lines[1].ends_with(": *7 connect() failed"), "{text}");
        assert_eq!(std::fs::read_to_string(&errors).unwrap().lines().count(), 1);
    }

    #[test]
    fn an_error_reads_as_nginx_prints_it() {
        assert_eq!(errno(&io::Error::from_raw_os_error(111)), "111: Connection refused");
    }
}
