//! The texts that a configuration was read from, and places in them.

use std::path::PathBuf;

/// A place in one of the [`Sources`]: a byte range, and its line for nginx's `in FILE:LINE`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Span {
    /// Which text: a position in [`Sources::files`].
    pub file: usize,
    /// The line on which it starts, from 1.
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
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// The file's name as nginx prints it, `command line` for `-g`, `built-in` for ours.
    pub path: PathBuf,
    /// The text, byte for byte.
    pub text: String,
}

/// Every text that was read, in the order of opening.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The texts.
    pub files: Vec<SourceFile>,
}
