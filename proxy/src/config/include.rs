//! The only file reader: opens what `-c` and `include` name, and keeps every text that was read.

use std::io;
use std::path::{Path, PathBuf};

use glob::MatchOptions;

use super::parse::Word;
use super::problem::Fault;
use super::source::{SourceFile, Sources};

/// As libc's `glob`, which nginx uses.
const LIKE_LIBC: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: true,
};

/// The texts so far, and what relative names of `include` are relative to.
#[derive(Debug, Default)]
pub(super) struct Files {
    pub(super) sources: Sources,
    /// nginx's "conf prefix": the directory of the main file.
    pub(super) base: PathBuf,
}

impl Files {
    /// Keeps a text that did not come from a file; its number comes back.
    pub(super) fn add(&mut self, name: &str, text: &[u8]) -> usize {
        self.sources.files.push(SourceFile { path: PathBuf::from(name), text: text.to_vec() });
        self.sources.files.len() - 1
    }

    /// Opens the main file, which later includes are relative to.
    pub(super) fn open_main(&mut self, path: &Path) -> Result<usize, Fault> {
        self.base = path.parent().map(Path::to_path_buf).unwrap_or_default();
        self.open(path).map_err(Fault::nowhere)
    }

    /// Opens what one `include` names: every match of a pattern in order (none is fine), or the
    /// one file. Each is read only when it is its turn, as nginx does.
    pub(super) fn matches(&self, name: &Word) -> Result<Vec<PathBuf>, Fault> {
        let full = self.base.join(&name.value);
        if !is_pattern(&name.value) {
            return Ok(vec![full]);
        }
        let Some(pattern) = full.to_str() else { return Ok(Vec::new()) };
        let found = glob::glob_with(pattern, LIKE_LIBC).map_err(|error| {
            Fault::at(name.span, format!("glob() \"{pattern}\" failed ({error})"))
        })?;
        Ok(found.filter_map(Result::ok).map(|path| as_named(&full, path)).collect())
    }

    /// Opens one file that an `include` names.
    pub(super) fn open_included(&mut self, path: &Path, name: &Word) -> Result<usize, Fault> {
        self.open(path).map_err(|message| Fault::at(name.span, message))
    }

    fn open(&mut self, path: &Path) -> Result<usize, String> {
        let shown = path.display();
        match std::fs::read(path) {
            Ok(text) => {
                self.sources.files.push(SourceFile { path: path.to_path_buf(), text });
                Ok(self.sources.files.len() - 1)
            }
            Err(error) if error.kind() == io::ErrorKind::IsADirectory => {
                Err(format!("pread() \"{shown}\" failed ({})", os_words(&error)))
            }
            Err(error) => Err(format!("open() \"{shown}\" failed ({})", os_words(&error))),
        }
    }
}

/// The glob crate drops a leading `./`, which nginx's messages keep.
fn as_named(pattern: &Path, found: PathBuf) -> PathBuf {
    if pattern.starts_with(".") && !found.starts_with(".") {
        return Path::new(".").join(found);
    }
    found
}

/// nginx's `2: No such file or directory` for an error of the system.
fn os_words(error: &io::Error) -> String {
    let words = error.to_string();
    match error.raw_os_error() {
        Some(code) => {
            let words = words.trim_end_matches(&format!(" (os error {code})")).to_owned();
            format!("{code}: {words}")
        }
        None => words,
    }
}

/// Whether a pattern of `--upstream` matches anything yet: one that does not is mostly a mistake.
pub(super) fn socket_is_there(address: &str) -> Result<(), String> {
    let Some(pattern) = address.strip_prefix("unix:").filter(|path| is_pattern(path)) else {
        return Ok(());
    };
    let wrong = |error| format!("glob() \"{pattern}\" failed ({error})");
    let mut found = glob::glob_with(pattern, LIKE_LIBC).map_err(wrong)?;
    if found.any(|path| path.is_ok()) {
        return Ok(());
    }
    Err(format!(
        "no socket matches \"{pattern}\": start the servers first, or name their sockets one by \
         one, which then need not be there yet"
    ))
}

fn is_pattern(path: &str) -> bool {
    path.contains(['*', '?', '['])
}
