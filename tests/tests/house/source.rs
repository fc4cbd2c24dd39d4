//! The sources as the rules see them: every file of the repository, and Rust without its comments
//! and its texts.

use std::fs;
use std::path::{Path, PathBuf};

/// The repository's root.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// A text of the repository.
pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every file that belongs to the repository, by its path from the root, in order. What is built
/// or left behind by a run is none of it.
pub(crate) fn files() -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![root().to_owned()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !is_left_over(&path) {
                open.push(path);
            } else if path.is_file() && path.file_name().is_some_and(|name| name != ".git") {
                found.push(path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}

fn is_left_over(path: &Path) -> bool {
    let name = path.file_name().unwrap();
    name == ".git"
        || name == "__pycache__"
        || path == root().join("target")
        || path == root().join("deploy/run")
}

/// The Rust files below a directory.
pub(crate) fn rust(below: &str) -> Vec<String> {
    let is_rust = |path: &String| path.starts_with(below) && path.ends_with(".rs");
    files().into_iter().filter(is_rust).collect()
}

/// A Rust file as the compiler sees it.
pub(crate) struct Source {
    /// From the repository's root.
    pub(crate) path: String,
    /// The module that the file is, from `proxy/src`: `["http", "record"]`.
    pub(crate) module: Vec<String>,
    /// Its lines, comments and texts left out.
    pub(crate) lines: Vec<String>,
    /// The line from which on it is `mod tests`, counted from 0.
    pub(crate) tests: usize,
}

impl Source {
    pub(crate) fn read(path: &str) -> Self {
        let lines: Vec<_> = code(&read(path)).lines().map(str::to_owned).collect();
        let starts = |pair: &[String]| pair[0] == "#[cfg(test)]" && pair[1] == "mod tests {";
        let tests = lines.windows(2).position(starts).unwrap_or(lines.len());
        let inside = path.strip_prefix("proxy/src/").unwrap_or(path).trim_end_matches(".rs");
        let module = inside.split('/').filter(|part| *part != "mod").map(str::to_owned).collect();
        Self { path: path.to_owned(), module, lines, tests }
    }

    /// The room that the file stands in.
    pub(crate) fn room(&self) -> &str {
        &self.module[0]
    }

    /// `FILE:LINE` of a line counted from 0.
    pub(crate) fn place(&self, line: usize) -> String {
        format!("{}:{}", self.path, line + 1)
    }

    /// The lines that are not tests, with their numbers.
    pub(crate) fn without_tests(&self) -> impl Iterator<Item = (usize, &str)> {
        self.lines.iter().map(String::as_str).enumerate().take(self.tests)
    }
}

/// The files of the proxy that only tests see: `#[cfg(test)] mod NAME;` and what is below.
pub(crate) fn test_files() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for path in rust("proxy/src/") {
        let lines: Vec<_> = read(&path).lines().map(str::trim).map(str::to_owned).collect();
        for pair in lines.windows(2).filter(|pair| pair[0] == "#[cfg(test)]") {
            if let Some(name) = pair[1].strip_prefix("mod ").and_then(|rest| rest.strip_suffix(';'))
            {
                let here = Path::new(&path);
                let directory = here.parent().unwrap();
                let stem = here.file_stem().unwrap();
                let inside =
                    if stem == "mod" { directory.to_owned() } else { directory.join(stem) };
                found.push(inside.join(name));
            }
        }
    }
    found
}

/// Rust without comments and without what stands in quotes; every line stays where it is.
fn code(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(hashes) = raw_text(rest, &out) {
            let end = format!("\"{}", "#".repeat(hashes));
            let start = hashes + 2;
            rest[start..].find(&end).map_or(rest.len(), |at| start + at + end.len())
        } else if first == '"' {
            quoted(rest, '"')
        } else if rest.starts_with("'\\") || (first == '\'' && rest.chars().nth(2) == Some('\'')) {
            quoted(rest, '\'')
        } else {
            out.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        };
        out.extend(rest[..length].chars().filter(|c| *c == '\n'));
        rest = &rest[length..];
    }
    out
}

/// How many `#` a raw text that starts here has.
fn raw_text(rest: &str, before: &str) -> Option<usize> {
    let inside_a_word = before.ends_with(|c: char| c.is_alphanumeric() && c != 'b' || c == '_');
    let hashes = rest.strip_prefix('r').filter(|_| !inside_a_word)?;
    let open = hashes.trim_start_matches('#');
    open.starts_with('"').then(|| hashes.len() - open.len())
}

/// How long a text in quotes is, quotes included.
fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

#[test]
fn comments_and_texts_are_left_out_and_lines_stay() {
    let text = "a // b\n/* c\n */ d \"e \\\" f\" 'g' '\\'' h<'i>\nr#\"j \" k\"# br\"l\" m";
    assert_eq!(code(text), "a \n\n d    h<'i>\n b m");
}
