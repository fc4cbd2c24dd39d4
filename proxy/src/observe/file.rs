//! Where log lines are written: standard error, or a file that can be reopened.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::fchown;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};

/// One destination; a line goes out in one `write`, so that lines of several threads never mix.
#[derive(Debug)]
pub(crate) struct LogFile {
    path: Option<PathBuf>,
    file: RwLock<Option<File>>,
}

impl LogFile {
    /// Standard error.
    pub(crate) fn stderr() -> Self {
        Self { path: None, file: RwLock::new(None) }
    }

    /// A file, created when missing and always appended to.
    ///
    /// # Errors
    /// What opening it said.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let file = append(path)?;
        Ok(Self { path: Some(path.to_owned()), file: RwLock::new(Some(file)) })
    }

    /// Its path; none for standard error.
    pub(crate) fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Closes the file and opens its path anew, as log rotation wants it (nginx: USR1).
    ///
    /// # Errors
    /// What opening it said; the old file then stays in use.
    pub(crate) fn reopen(&self) -> io::Result<()> {
        if let Some(path) = &self.path {
            let file = append(path)?;
            *self.file.write().unwrap_or_else(PoisonError::into_inner) = Some(file);
        }
        Ok(())
    }

    /// Gives the file to a user; a device such as `/dev/null` is everybody's.
    pub(crate) fn give_to(&self, uid: u32) {
        let file = self.file.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = file.as_ref().filter(|f| f.metadata().is_ok_and(|m| m.is_file())) {
            let _ = fchown(file, Some(uid), None);
        }
    }

    /// Writes one line. A log that can't be written must not stop the service: errors are dropped.
    pub(crate) fn write(&self, line: &[u8]) {
        let file = self.file.read().unwrap_or_else(PoisonError::into_inner);
        let _ = match file.as_ref() {
            Some(mut file) => file.write_all(line),
            None => io::stderr().write_all(line),
        };
    }
}

fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).open(path)
}
