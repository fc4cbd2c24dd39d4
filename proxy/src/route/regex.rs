//! Patterns, as nginx's users write them, and what they capture.

use std::sync::Arc;

use fancy_regex::{BytesMode, RegexBuilder};

use super::names::{NameError, Names};

/// How many steps back a pattern may take before its match is given up. Patterns without
/// look-around and back-references take none.
const BACKTRACK_LIMIT: usize = 100_000;

/// A compiled pattern. It matches bytes, as nginx's PCRE does: `.` is one byte and `\w` is ASCII.
#[derive(Debug, Clone)]
pub struct Regex {
    inner: fancy_regex::Regex,
    named: Arc<[Named]>,
}

/// Whether letters of either case are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Case {
    /// `~`
    Sensitive,
    /// `~*`
    Insensitive,
}

/// A named group and the variable that it sets.
#[derive(Debug, Clone, Copy)]
struct Named {
    group: usize,
    variable: usize,
}

/// Why a pattern is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegexError {
    /// It cannot be compiled; modelled on nginx's `pcre2_compile() failed`.
    #[error("regex compile failed: {reason} in \"{pattern}\"")]
    Syntax {
        /// What is wrong.
        reason: String,
        /// The pattern.
        pattern: Box<str>,
        /// Where in the pattern, in bytes, when that is known.
        offset: Option<usize>,
    },
    /// A group has a name that is taken.
    #[error(transparent)]
    Name(#[from] NameError),
}

/// A match that was given up: the pattern took too many steps over this subject. nginx answers 500.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("regex match failed: {reason} on \"{subject}\" using \"{pattern}\"")]
pub struct MatchError {
    reason: String,
    subject: String,
    pattern: Box<str>,
}

impl Regex {
    /// Compiles a pattern; its named groups become variables.
    ///
    /// # Errors
    /// The pattern is malformed, or a group's name is nginx's own.
    pub fn compile(pattern: &str, case: Case, names: &mut Names) -> Result<Self, RegexError> {
        let inner = RegexBuilder::new(pattern)
            .bytes_mode(BytesMode::Ascii)
            .case_insensitive(case == Case::Insensitive)
            .backtrack_limit(BACKTRACK_LIMIT)
            .build()
            .map_err(|error| syntax_error(pattern, &error))?;
        let named = inner
            .capture_names()
            .enumerate()
            .filter_map(|(group, name)| Some((group, name?)))
            .map(|(group, name)| Ok(Named { group, variable: names.capture(name)? }))
            .collect::<Result<_, NameError>>()?;
        Ok(Self { inner, named })
    }

    /// The pattern as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.inner.as_str()
    }

    /// Looks for the pattern anywhere in the subject.
    ///
    /// # Errors
    /// The search took too many steps.
    pub fn captures(&self, subject: &[u8]) -> Result<Option<Captures>, MatchError> {
        if self.inner.captures_len() <= 1 {
            let matched = self.inner.is_match(subject).map_err(|e| self.failed(subject, &e))?;
            return Ok(matched.then(Captures::default));
        }
        let found = self.inner.captures(subject).map_err(|error| self.failed(subject, &error))?;
        Ok(found.map(|found| Captures {
            groups: (0..found.len())
                .map(|group| found.get(group).map(|group| group.as_bytes().into()))
                .collect(),
            named: Arc::clone(&self.named),
        }))
    }

    fn failed(&self, subject: &[u8], error: &fancy_regex::Error) -> MatchError {
        MatchError {
            reason: error.to_string(),
            subject: subject.escape_ascii().to_string(),
            pattern: self.as_str().into(),
        }
    }
}

fn syntax_error(pattern: &str, error: &fancy_regex::Error) -> RegexError {
    let (reason, offset) = match error {
        fancy_regex::Error::ParseError(position, error) => (error.to_string(), Some(*position)),
        fancy_regex::Error::CompileError(error) => (error.to_string(), None),
        other => (other.to_string(), None),
    };
    RegexError::Syntax { reason, pattern: pattern.into(), offset }
}

/// What the groups of a pattern matched.
#[derive(Debug, Clone, Default)]
pub struct Captures {
    groups: Box<[Option<Box<[u8]>>]>,
    named: Arc<[Named]>,
}

impl Captures {
    /// The group `$1` to `$9`; `None` when the pattern has no such group or it took no part.
    #[must_use]
    pub fn get(&self, group: u8) -> Option<&[u8]> {
        self.groups.get(usize::from(group))?.as_deref()
    }

    /// What a named group's variable was set to: `None` when this pattern does not set it,
    /// `Some(None)` when its group took no part.
    #[must_use]
    pub fn variable(&self, variable: usize) -> Option<Option<&[u8]>> {
        // A later group of the same name counts only when it took part.
        let mut named = self.named().filter(|(set, _)| *set == variable).map(|(_, value)| value);
        let first = named.next()?;
        Some(named.flatten().last().or(first))
    }

    /// The variables that named groups set, by their [`NamedCapture`] positions. One whose group
    /// took no part has no value.
    ///
    /// [`NamedCapture`]: super::Variable::NamedCapture
    pub fn named(&self) -> impl Iterator<Item = (usize, Option<&[u8]>)> {
        self.named
            .iter()
            .map(|named| (named.variable, self.groups.get(named.group).and_then(Option::as_deref)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compile(pattern: &str) -> Regex {
        Regex::compile(pattern, Case::Sensitive, &mut Names::new()).unwrap()
    }

    #[test]
    fn groups_are_captured_by_number_and_by_name() {
        let mut names = Names::new();
        let regex =
            Regex::compile(r"^/(\w+)/(?<id>\d+)(/x)?", Case::Sensitive, &mut names).unwrap();
        let captures = regex.captures(b"/room/42").unwrap().unwrap();
        assert_eq!(captures.get(1), Some(&b"room"[..]));
        assert_eq!(captures.get(2), Some(&b"42"[..]));
        assert_eq!((captures.get(3), captures.get(9)), (None, None));
        assert_eq!(captures.named().collect::<Vec<_>>(), [(0, Some(&b"42"[..]))]);
        assert!(regex.captures(b"/room/x").unwrap().is_none());
    }

    #[test]
    fn patterns_match_bytes_of_any_kind() {
        assert!(compile("^/.$").captures(b"/\xff").unwrap().is_some());
        assert!(compile("^/é$").captures("/é".as_bytes()).unwrap().is_some());
        assert!(compile(r"^\w$").captures(b"\xe9").unwrap().is_none());
        let captures = compile("^/(.*)$").captures(b"/a\xfe\xff").unwrap().unwrap();
        assert_eq!(captures.get(1), Some(&b"a\xfe\xff"[..]));
    }

    #[test]
    fn case_matters_only_when_asked() {
        let insensitive = Regex::compile(r"\.PNG$", Case::Insensitive, &mut Names::new()).unwrap();
        assert!(insensitive.captures(b"/a.png").unwrap().is_some());
        assert!(compile(r"\.PNG$").captures(b"/a.png").unwrap().is_none());
    }

    #[test]
    fn look_around_works_and_runaway_patterns_are_stopped() {
        assert!(compile("^/(?!admin)").captures(b"/admin").unwrap().is_none());
        assert!(compile("^/(?!admin)").captures(b"/user").unwrap().is_some());
        let runaway = compile(r"^(a|aa)+\1b$");
        let error = runaway.captures(&[b'a'; 64]).unwrap_err();
        assert!(error.to_string().starts_with("regex match failed: "), "{error}");
    }

    #[test]
    fn a_bad_pattern_is_refused_with_the_place() {
        let error = Regex::compile("^/(a", Case::Sensitive, &mut Names::new()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "regex compile failed: Opening parenthesis without closing parenthesis in \"^/(a\""
        );
        let error = Regex::compile("(?<host>a)", Case::Sensitive, &mut Names::new()).unwrap_err();
        assert_eq!(error.to_string(), "the duplicate \"host\" variable");
    }
}
