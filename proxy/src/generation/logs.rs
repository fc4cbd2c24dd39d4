//! Log directives become open files, one for each path however often it is named.

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use crate::config::model::{self, LogLevel, LogTarget};
use crate::config::{Config, Problem, Spanned};
use crate::observe::{ErrorLog, Level, LogFile, errno};

/// The log files that are open, by path.
#[derive(Debug, Default)]
pub(crate) struct LogFiles {
    open: Mutex<HashMap<Option<PathBuf>, Arc<LogFile>>>,
}

impl LogFiles {
    /// Opens every file anew; those that could not be opened.
    pub(crate) fn reopen(&self) -> Vec<(PathBuf, io::Error)> {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let failed = open.iter().filter_map(|(path, file)| {
            let error = file.reopen().err()?;
            Some((path.clone()?, error))
        });
        failed.collect()
    }

    /// Gives every file to a user. One that cannot be given is left as it is: it stays open.
    pub(crate) fn give_to(&self, uid: u32) {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.values().for_each(|file| file.give_to(uid));
    }

    /// Whether one of them is standard error.
    pub(crate) fn uses_stderr(&self) -> bool {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).contains_key(&None)
    }

    /// The file of a log directive, opened when it is not open yet.
    pub(super) fn get(&self, target: &Spanned<LogTarget>) -> Result<Arc<LogFile>, Problem> {
        let key = match &target.value {
            LogTarget::Stderr => None,
            LogTarget::File(path) => Some(path.clone()),
        };
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = open.get(&key) {
            return Ok(file.clone());
        }
        let file = match &key {
            None => LogFile::stderr(),
            Some(path) => LogFile::open(path).map_err(|error| {
                // nginx names no line here: it opens logs when all of the file is read.
                let error = errno(&error);
                Problem::beyond_syntax(format!("open() \"{}\" failed ({error})", path.display()))
            })?,
        };
        let file = Arc::new(file);
        open.insert(key, file.clone());
        Ok(file)
    }
}

/// The main level's error log.
pub(crate) fn main_log(config: &Config, files: &LogFiles) -> Result<ErrorLog, Problem> {
    if config.error_log.is_empty() {
        return Ok(ErrorLog::stderr(Level::Notice));
    }
    error_log(&config.error_log, files)
}

/// An error log with these destinations.
pub(super) fn error_log(
    entries: &[model::ErrorLog],
    files: &LogFiles,
) -> Result<ErrorLog, Problem> {
    let sinks = entries.iter().map(|entry| {
        let file = files.get(&entry.target)?;
        Ok((file, level(entry.level)))
    });
    Ok(ErrorLog::new(sinks.collect::<Result<_, Problem>>()?))
}

fn level(level: LogLevel) -> Level {
    match level {
        LogLevel::Emerg => Level::Emerg,
        LogLevel::Alert => Level::Alert,
        LogLevel::Crit => Level::Crit,
        LogLevel::Error => Level::Error,
        LogLevel::Warn => Level::Warn,
        LogLevel::Notice => Level::Notice,
        LogLevel::Info => Level::Info,
        LogLevel::Debug => Level::Debug,
    }
}
