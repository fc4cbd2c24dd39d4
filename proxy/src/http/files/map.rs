//! From the path of a request to the path of a file.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use super::super::record::Record;
use super::fresh::ModifiedSince;
use crate::observe::Level;
use crate::route::{Template, Variable};

/// Where files are, and how they answer.
#[derive(Debug)]
pub(crate) struct Files {
    /// `root` or `alias`.
    pub(crate) root: Template,
    /// Which of the two, and what of the path an `alias` takes the place of.
    pub(crate) alias: Aliased,
    /// What answers for a directory.
    pub(crate) index: Box<[Template]>,
    /// Whether a file has an ETag.
    pub(crate) etag: bool,
    /// How If-Modified-Since is compared.
    pub(crate) modified_since: ModifiedSince,
    /// How many ranges one request may ask for.
    pub(crate) max_ranges: usize,
    /// Whether the log is told of files that are not there.
    pub(crate) log_not_found: bool,
}

/// What of a path is left out before it is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Aliased {
    /// Nothing: `root`.
    Not,
    /// The location's prefix, of this length.
    Prefix(usize),
    /// All of it: an `alias` in a location with a pattern.
    Whole,
}

impl Files {
    /// `$document_root`
    pub(in super::super) fn root(&self, record: &Record) -> Vec<u8> {
        let mut root = Vec::new();
        self.root.render(record, &mut root);
        root
    }

    /// The file that the request's path stands for. None where the path was rewritten away from
    /// the prefix that an `alias` takes the place of.
    pub(in super::super) fn map(&self, record: &Record) -> Option<Mapped> {
        let path = record.path();
        let behind = match self.alias {
            Aliased::Not => path,
            Aliased::Whole if record.course.aliased.get() => path,
            Aliased::Whole => b"",
            Aliased::Prefix(_) if !record.course.located.get() => {
                let what = format_args!("\"alias\" cannot be used where URI was rewritten");
                record.log(Level::Alert, None, what);
                return None;
            }
            Aliased::Prefix(length) => path.get(length..).unwrap_or_default(),
        };
        Some(Mapped::under(self.root(record), behind))
    }
}

/// The path of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Mapped(OsString);

impl Mapped {
    /// What stands behind a directory's path.
    pub(in super::super) fn under(mut root: Vec<u8>, behind: &[u8]) -> Self {
        root.extend_from_slice(behind);
        Self(OsString::from_vec(root))
    }

    /// The path with more behind it.
    pub(super) fn with(&self, more: &[u8]) -> Self {
        let mut path = self.0.clone();
        path.push(OsStr::from_bytes(more));
        Self(path)
    }

    pub(in super::super) fn as_path(&self) -> &Path {
        Path::new(&self.0)
    }

    pub(in super::super) fn into_bytes(self) -> Vec<u8> {
        self.0.into_vec()
    }
}

impl fmt::Display for Mapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_string_lossy())
    }
}

impl Record {
    /// The directory of files, or the file that the path stands for.
    pub(in super::super) fn write_file(&self, variable: &Variable, out: &mut Vec<u8>) -> bool {
        let Some(rules) = self.rules() else { return false };
        let path = match variable {
            Variable::DocumentRoot => Some(rules.files.root(self)),
            _ => rules.files.map(self).map(Mapped::into_bytes),
        };
        path.inspect(|path| out.extend_from_slice(path)).is_some()
    }
}
