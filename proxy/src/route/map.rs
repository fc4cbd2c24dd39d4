//! nginx's `map`: a variable whose value depends on another text.

use super::names::{NameError, Names};
use super::regex::{Captures, Case, MatchError, Regex, RegexError};
use super::template::{Template, TemplateError};
use super::variable::Variable;
use super::wildcard::HostTable;

/// What a `map` block says.
#[derive(Debug, Clone, Copy)]
pub struct MapSettings<'a> {
    /// The text to look up, with variables.
    pub source: &'a str,
    /// `default`; "" when not written.
    pub default: &'a str,
    /// `hostnames`: keys may have a wildcard at either end.
    pub hostnames: bool,
    /// Keys and values in the order written. A key is text, a pattern after `~` or `~*`, or text
    /// after a `\` that keeps its first byte from meaning something.
    pub entries: &'a [(&'a str, &'a str)],
}

/// A `map`, compiled. Keys are compared without regard to case, as in nginx.
#[derive(Debug, Clone)]
pub struct Map {
    source: Template,
    default: Template,
    hostnames: bool,
    table: HostTable<Template>,
    regexes: Vec<(Regex, Template)>,
}

/// Why a `map` is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MapError {
    /// The source.
    #[error("{0}")]
    Source(TemplateError),
    /// The default value.
    #[error("{0}")]
    Default(TemplateError),
    /// One of the entries.
    #[error("{problem}")]
    Entry {
        /// Which one.
        position: usize,
        /// What is wrong with it.
        problem: EntryProblem,
    },
}

/// What can be wrong with an entry of a `map`, in nginx's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntryProblem {
    /// Its key is a pattern that cannot be compiled.
    #[error(transparent)]
    Regex(#[from] RegexError),
    /// Its value.
    #[error("{0}")]
    Value(TemplateError),
    /// Its key stands there already.
    #[error("conflicting parameter \"{0}\"")]
    Conflict(Box<str>),
    /// Its key has a wildcard elsewhere than at one end.
    #[error("invalid hostname or wildcard \"{0}\"")]
    Wildcard(Box<str>),
}

impl Map {
    /// Declares what a map defines: its variable (without `$`), and the named groups of its
    /// patterns. To be done for every map before anything is compiled.
    ///
    /// # Errors
    /// A name is invalid or nginx's own.
    pub fn declare(
        variable: &str,
        position: usize,
        settings: &MapSettings<'_>,
        names: &mut Names,
    ) -> Result<(), NameError> {
        names.declare_map(variable, position)?;
        let patterns = settings.entries.iter().filter_map(|(key, _)| key.strip_prefix('~'));
        for pattern in patterns {
            names.declare_captures(pattern)?;
        }
        Ok(())
    }

    /// Compiles a map.
    ///
    /// # Errors
    /// A text is no template, a pattern malformed, a key there twice.
    pub fn compile(settings: &MapSettings<'_>, names: &mut Names) -> Result<Self, MapError> {
        let mut map = Self {
            source: Template::compile(settings.source, names).map_err(MapError::Source)?,
            default: Template::compile(settings.default, names).map_err(MapError::Default)?,
            hostnames: settings.hostnames,
            table: HostTable::default(),
            regexes: Vec::new(),
        };
        for (position, (key, value)) in settings.entries.iter().enumerate() {
            map.add(key, value, names).map_err(|problem| MapError::Entry { position, problem })?;
        }
        Ok(map)
    }

    /// The text to look up.
    #[must_use]
    pub fn source(&self) -> &Template {
        &self.source
    }

    /// The value for a rendered source: the exact key, the longest wildcard, the first pattern
    /// that matches, the default. What a pattern captured is for `$1` to `$9` in the value.
    ///
    /// # Errors
    /// A pattern took too many steps; nginx answers 500.
    pub fn lookup(&self, source: &[u8]) -> Result<(&Template, Option<Captures>), MatchError> {
        let key = match source.strip_suffix(b".") {
            Some(without) if self.hostnames => without,
            _ => source,
        };
        let found = if key.iter().any(u8::is_ascii_uppercase) {
            self.table.find(&key.to_ascii_lowercase())
        } else {
            self.table.find(key)
        };
        if let Some(value) = found {
            return Ok((value, None));
        }
        for (regex, value) in &self.regexes {
            if let Some(captures) = regex.captures(key)? {
                return Ok((value, Some(captures)));
            }
        }
        Ok((&self.default, None))
    }

    /// A map whose source is, by way of other maps' sources, its own value: it can never be
    /// evaluated (nginx starts, then fails every request with "cycle while evaluating variable").
    /// The position of one of them.
    #[must_use]
    pub fn source_cycle(maps: &[Self]) -> Option<usize> {
        let sources = |map: usize| {
            let variables = maps.get(map).into_iter().flat_map(|map| map.source.variables());
            variables.filter_map(|variable| match variable {
                Variable::Map(source) => Some(*source),
                _ => None,
            })
        };
        (0..maps.len()).find(|start| {
            let mut seen = vec![false; maps.len()];
            let mut open: Vec<usize> = sources(*start).collect();
            while let Some(map) = open.pop() {
                if map == *start {
                    return true;
                }
                if let Some(seen) = seen.get_mut(map).filter(|seen| !**seen) {
                    *seen = true;
                    open.extend(sources(map));
                }
            }
            false
        })
    }

    fn add(&mut self, key: &str, value: &str, names: &mut Names) -> Result<(), EntryProblem> {
        let value = Template::compile(value, names).map_err(EntryProblem::Value)?;
        if let Some(pattern) = key.strip_prefix('~') {
            let (case, pattern) = match pattern.strip_prefix('*') {
                Some(pattern) => (Case::Insensitive, pattern),
                None => (Case::Sensitive, pattern),
            };
            self.regexes.push((Regex::compile(pattern, case, names)?, value));
            return Ok(());
        }
        let name = key.strip_prefix('\\').unwrap_or(key);
        let added = if !self.hostnames {
            self.table.exact(name, value)
        } else if let Some(name) = name.strip_prefix("*.").filter(|name| is_host(name)) {
            self.table.leading(name, value)
        } else if let Some(name) = name.strip_suffix(".*").filter(|name| is_host(name)) {
            self.table.trailing(name, value)
        } else if let Some(name) = name.strip_prefix('.').filter(|name| is_host(name)) {
            let exact = self.table.exact(name, value.clone());
            self.table.leading(name, value) && exact
        } else if name.contains('*') || name.contains("..") || name.starts_with('.') {
            return Err(EntryProblem::Wildcard(name.into()));
        } else {
            self.table.exact(name, value)
        };
        if added { Ok(()) } else { Err(EntryProblem::Conflict(name.into())) }
    }
}

/// Whether a name can stand beside a wildcard.
fn is_host(name: &str) -> bool {
    !name.is_empty() && !name.contains('*') && !name.contains("..") && !name.starts_with('.')
}
