//! The log that `-e` names, for as long as no configuration says where errors go.

use std::path::Path;

use super::proxy::Error;
use crate::observe::{ErrorLog, Level, LogFile};

/// Opened before anything is read, so that it is there whatever comes.
#[derive(Debug)]
pub(crate) struct StartLog(ErrorLog);

impl StartLog {
    /// Opens it.
    ///
    /// # Errors
    /// What opening it said.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let file = LogFile::open(path)
            .map_err(|error| Error::system(&format!("open() \"{}\"", path.display()), error))?;
        Ok(Self(ErrorLog::new(vec![(file.into(), Level::Notice)])))
    }

    /// Says why there is no start.
    pub(crate) fn emerg(&self, why: &dyn std::fmt::Display) {
        self.0.log(Level::Emerg, format_args!("{why}"));
    }
}
