//! Where the programs are, and which version they have.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::problem::Problem;

/// The program itself, or the first of its name in `tools`, on `PATH` or in Debian's `/usr/sbin`.
pub(super) fn find(program: &Path, tools: Option<&Path>) -> Option<PathBuf> {
    if program.components().count() > 1 {
        return program.canonicalize().ok().filter(|path| path.is_file());
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let tools = tools.map(|tools| tools.join("bin"));
    tools
        .into_iter()
        .chain(env::split_paths(&path))
        .chain([PathBuf::from("/usr/sbin")])
        .map(|dir| dir.join(program))
        .find(|path| path.is_file())
}

/// The Envoy that a Python package carries. What it puts beside Python is a script that starts this.
pub(super) fn envoy(tools: Option<&Path>) -> Option<PathBuf> {
    let packaged = tools.and_then(|tools| {
        let versions = fs::read_dir(tools.join("lib")).ok()?;
        let inside = "site-packages/envoy/_bin/envoy";
        versions.flatten().map(|python| python.path().join(inside)).find(|path| path.is_file())
    });
    packaged.or_else(|| find(Path::new("envoy"), None))
}

/// The line of what it answers to this flag that has a version in it.
pub(super) fn version(program: &Path, flag: &str) -> Result<String, Problem> {
    let what = format!("cannot run {} {flag}", program.display());
    let output = Command::new(program).arg(flag).output().map_err(Problem::io(what))?;
    let text = [output.stderr, output.stdout].concat();
    let text = String::from_utf8_lossy(&text);
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    Ok(lines.next().unwrap_or("unknown").to_owned())
}

/// The first words of it that look like a version: `1.22.1` of `nginx version: nginx/1.22.1`.
pub(super) fn number(version: &str) -> String {
    let starts = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
    let words = version.split([' ', '/', ',']).map(|word| word.trim_start_matches('v'));
    words
        .filter(|word| starts(word) && word.matches('.').count() >= 2)
        .map(|word| word.split(['-', '+']).next().unwrap_or(word).to_owned())
        .next()
        .unwrap_or_else(|| version.to_owned())
}

/// How much of an ELF file for 64 bits is loaded into memory: the segments of the type `LOAD`.
pub(super) fn loaded(file: &[u8]) -> Option<u64> {
    const LOAD: u64 = 1;
    let number = |at: usize, length: usize| {
        let bytes = file.get(at..at.checked_add(length)?)?;
        Some(bytes.iter().rev().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte)))
    };
    // Magic, 64 bits, little-endian; all figures by the ELF specification's tables.
    file.starts_with(b"\x7fELF\x02\x01").then_some(())?;
    let (table, each, count) = (number(32, 8)?, number(54, 2)?, number(56, 2)?);
    let mut sum = 0;
    for entry in 0..count {
        let at = usize::try_from(table + entry * each).ok()?;
        if number(at, 4)? == LOAD {
            sum += number(at + 32, 8)?;
        }
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_found_among_other_words() {
        for (said, number_of) in [
            ("nginx version: nginx/1.22.1", "1.22.1"),
            ("HAProxy version 2.6.12-1+deb12u4 2026/01/02 - https://haproxy.org/", "2.6.12"),
            ("envoy  version: 6eb0d2d97489/1.39.3/Clean/RELEASE/BoringSSL", "1.39.3"),
            ("v2.11.7 h1:yj0Y4fYZGPkSvibBJ1sTWE33xC0fxztVyXEW5iIdUT4=", "2.11.7"),
            ("Version:      3.7.15", "3.7.15"),
            ("proxy version: proxy/0.1.0", "0.1.0"),
            ("something else", "something else"),
        ] {
            assert_eq!(number(said), number_of);
        }
    }

    #[test]
    fn what_is_loaded_of_a_program_is_not_more_than_its_file() {
        let file = fs::read(env::current_exe().unwrap()).unwrap();
        let loaded = usize::try_from(loaded(&file).unwrap()).unwrap();
        assert!(loaded > 100_000 && loaded < file.len(), "{loaded} of {}", file.len());
        assert_eq!(super::loaded(b"#!/bin/sh"), None);
    }
}
