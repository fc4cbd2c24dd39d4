//! The texts that a configuration was read from, and places in them.

use std::fmt;
use std::path::{Path, PathBuf};

/// A place in one of the [`Sources`]: a byte range, and its line for nginx's `in FILE:LINE`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Span {
    /// Which text: a position in [`Sources::files`].
    pub file: usize,
    /// The line that nginx names, from 1: where the directive's own `;` or `{` stands, which is
    /// the line of the first byte unless the directive is spread over several.
    pub line: u32,
    /// The first byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

/// A value and the place that it was read from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Its place.
    pub span: Span,
}

/// One text that was read.
#[derive(Clone)]
pub struct SourceFile {
    /// The file's name as nginx prints it, `command line` for `-g`, `built-in` for ours.
    pub path: PathBuf,
    /// The text, byte for byte: comments may be in any encoding.
    pub text: Vec<u8>,
}

impl fmt::Debug for SourceFile {
    /// The text would drown everything else.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} bytes)", self.path.display(), self.text.len())
    }
}

/// Every text that was read, in the order of opening.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The texts.
    pub files: Vec<SourceFile>,
}

/// The name under which the `-g` directives are kept.
pub(super) const COMMAND_LINE: &str = "command line";

impl Sources {
    /// nginx's words for a place: `FILE:LINE`, or `command line`.
    pub fn place(&self, span: Span) -> String {
        match self.files.get(span.file) {
            Some(file) if file.path == Path::new(COMMAND_LINE) => COMMAND_LINE.to_owned(),
            Some(file) => format!("{}:{}", file.path.display(), span.line),
            None => format!("line {}", span.line),
        }
    }

    /// What `-T` prints: each file once, byte for byte, under a line that names it.
    pub fn dump(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let mut done: Vec<&Path> = vec![Path::new(COMMAND_LINE)];
        for file in &self.files {
            if done.contains(&file.path.as_path()) {
                continue;
            }
            done.push(&file.path);
            out.extend_from_slice(
                format!("# configuration file {}:\n", file.path.display()).as_bytes(),
            );
            out.extend_from_slice(&file.text);
            out.push(b'\n');
        }
        out
    }
}
