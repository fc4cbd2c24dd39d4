//! Log directives become open files, one for each path however often it is named.

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Instant;

use crate::config::model::{self, LogLevel, LogTarget};
use crate::config::{Config, Problem};
use crate::observe::{ErrorLog, Level, LogBuffer, LogFile, errno};

/// The log files that are open, by path. Cloning it makes another handle to the same files.
#[derive(Debug, Clone, Default)]
pub(crate) struct LogFiles {
    open: Arc<Mutex<HashMap<Option<PathBuf>, Arc<LogFile>>>>,
    /// The buffers before them, of all generations that still write.
    buffers: Arc<Mutex<Vec<Weak<LogBuffer>>>>,
}

impl LogFiles {
    /// Opens every file anew; those that could not be opened. What is kept in buffers belongs into
    /// the old ones.
    pub(crate) fn reopen(&self) -> Vec<(PathBuf, io::Error)> {
        self.each_buffer(LogBuffer::write_all);
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

    /// Whether lines are kept in buffers.
    pub(super) fn has_buffers(&self) -> bool {
        let mut any = false;
        self.each_buffer(|_| any = true);
        any
    }

    /// Writes what buffers have kept for long enough.
    pub(super) fn write_old(&self, now: Instant) {
        self.each_buffer(|buffer| buffer.write_old(now));
    }

    /// Writes all that buffers have kept: before the end.
    pub(crate) fn write_all(&self) {
        self.each_buffer(LogBuffer::write_all);
    }

    fn each_buffer(&self, mut with: impl FnMut(&LogBuffer)) {
        let mut buffers = self.buffers.lock().unwrap_or_else(PoisonError::into_inner);
        buffers.retain(|buffer| buffer.upgrade().inspect(|buffer| with(buffer)).is_some());
    }

    /// A buffer before a file.
    pub(super) fn buffer(&self, buffer: &model::LogBuffer) -> Result<Arc<LogBuffer>, Problem> {
        let file = self.get(&buffer.target)?;
        let made = Arc::new(LogBuffer::new(file, buffer.size, buffer.flush));
        let mut buffers = self.buffers.lock().unwrap_or_else(PoisonError::into_inner);
        buffers.push(Arc::downgrade(&made));
        Ok(made)
    }

    /// The file of a log directive, opened when it is not open yet.
    pub(crate) fn get(&self, target: &LogTarget) -> Result<Arc<LogFile>, Problem> {
        let key = match target {
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
        let file = files.get(&entry.target.value)?;
        Ok((file, level(entry.level)))
    });
    Ok(ErrorLog::new(sinks.collect::<Result<_, Problem>>()?))
}

pub(super) fn level(level: LogLevel) -> Level {
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
