//! nginx's locations: which `location` block takes a path.

use std::collections::HashMap;

use super::regex::{Captures, MatchError, Regex};

#[cfg(test)]
mod stories;

/// What a location matches.
#[derive(Debug, Clone)]
pub enum Pattern {
    /// `/prefix`
    Prefix(String),
    /// `^~ /prefix`: no pattern of its level is tried after it.
    PrefixNoRegex(String),
    /// `= /path`
    Exact(String),
    /// `~ pattern` or `~* pattern`
    Regex(Regex),
}

impl Pattern {
    fn text(&self) -> &str {
        match self {
            Self::Prefix(text) | Self::PrefixNoRegex(text) | Self::Exact(text) => text,
            Self::Regex(regex) => regex.as_str(),
        }
    }
}

/// One location to build [`Locations`] from.
#[derive(Debug, Clone)]
pub struct Location<T> {
    /// What it matches.
    pub pattern: Pattern,
    /// What it stands for.
    pub value: T,
    /// A path that lacks only the pattern's last slash is redirected to it: nginx does so for a
    /// prefix that ends with `/` and has a `proxy_pass`.
    pub auto_redirect: bool,
    /// The locations inside it.
    pub nested: Locations<T>,
}

impl<T> Location<T> {
    /// The path that is redirected to this location's, when there is one.
    fn redirects_from(&self) -> Option<&[u8]> {
        let text = match &self.pattern {
            Pattern::Regex(_) => return None,
            pattern => pattern.text().as_bytes(),
        };
        if self.auto_redirect { text.strip_suffix(b"/") } else { None }
    }
}

/// The locations of one level.
#[derive(Debug, Clone)]
pub struct Locations<T> {
    all: Vec<Location<T>>,
    exact: HashMap<Box<[u8]>, usize>,
    /// Prefixes in byte order.
    prefixes: Vec<Prefix>,
    /// Patterns in the order written.
    regexes: Vec<usize>,
    /// Paths that lack only a slash, and the locations that they are redirected to.
    redirects: HashMap<Box<[u8]>, usize>,
}

#[derive(Debug, Clone)]
struct Prefix {
    text: Box<[u8]>,
    location: usize,
    /// The longest other prefix that this one starts with.
    parent: Option<usize>,
}

impl<T> Default for Locations<T> {
    fn default() -> Self {
        Self {
            all: Vec::new(),
            exact: HashMap::new(),
            prefixes: Vec::new(),
            regexes: Vec::new(),
            redirects: HashMap::new(),
        }
    }
}

/// Why a location is refused, in nginx's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LocationProblem {
    /// Another one of its level matches the same.
    #[error("duplicate location \"{0}\"")]
    Duplicate(String),
    /// It is inside a prefix that its own does not start with.
    #[error("location \"{inner}\" is outside location \"{outer}\"")]
    Outside {
        /// The inner location's text.
        inner: String,
        /// The outer one's.
        outer: String,
    },
    /// It is inside an exact one.
    #[error("location \"{inner}\" cannot be inside the exact location \"{outer}\"")]
    InsideExact {
        /// The inner location's text.
        inner: String,
        /// The outer one's.
        outer: String,
    },
}

/// A location that is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct LocationError {
    /// Which of the locations given.
    pub position: usize,
    /// Which of the locations inside that one, when it is one of them.
    pub nested: Option<usize>,
    /// What is wrong.
    pub problem: LocationProblem,
}

/// What a path leads to.
#[derive(Debug, Clone)]
pub enum Found<'a, T> {
    /// A location.
    Location {
        /// What it stands for.
        value: &'a T,
        /// What its pattern captured, when it is one.
        captures: Option<Captures>,
    },
    /// 301 to the location's own path, which is the request's with a `/` behind it.
    Redirect {
        /// The location whose settings hold.
        value: &'a T,
        /// Its path, not encoded.
        path: &'a [u8],
    },
}

impl<T> Locations<T> {
    /// Builds one level; the levels inside are built before it.
    ///
    /// # Errors
    /// Two locations match the same, or one is inside another where it cannot match.
    pub fn new(all: Vec<Location<T>>) -> Result<Self, LocationError> {
        let mut locations = Self { all, ..Self::default() };
        let mut prefixes = HashMap::new();
        for (position, location) in locations.all.iter().enumerate() {
            check_nested(position, location)?;
            let text = Box::from(location.pattern.text().as_bytes());
            if let Some(path) = location.redirects_from() {
                locations.redirects.entry(path.into()).or_insert(position);
            }
            let taken = match &location.pattern {
                Pattern::Exact(_) => locations.exact.insert(text, position),
                Pattern::Prefix(_) | Pattern::PrefixNoRegex(_) => prefixes.insert(text, position),
                Pattern::Regex(_) => {
                    locations.regexes.push(position);
                    None
                }
            };
            if taken.is_some() {
                let problem = LocationProblem::Duplicate(location.pattern.text().into());
                return Err(LocationError { position, nested: None, problem });
            }
        }
        locations.prefixes = sort(prefixes);
        Ok(locations)
    }

    /// Whether there is no location at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The location for a normalised path (see [`uri`](super::uri)), by nginx's rules: the exact
    /// one; else the longest prefix, and the locations inside it; else, unless that prefix is
    /// `^~`, the first pattern that matches, and the locations inside it; else that prefix.
    ///
    /// # Errors
    /// A pattern took too many steps; nginx answers 500.
    pub fn find(&self, path: &[u8]) -> Result<Option<Found<'_, T>>, MatchError> {
        Ok(self.search(path)?.map(|search| search.found))
    }

    fn search(&self, path: &[u8]) -> Result<Option<Search<'_, T>>, MatchError> {
        if let Some(location) = self.exact.get(path).and_then(|exact| self.all.get(*exact)) {
            return Ok(Some(Search::last(location, None)));
        }
        let mut best = None;
        let mut regexes = true;
        if let Some((prefix, location)) = self.longest_prefix(path) {
            if prefix.text.len() < path.len()
                && let Some(redirect) = self.redirect(path)
            {
                return Ok(Some(redirect));
            }
            regexes = !matches!(location.pattern, Pattern::PrefixNoRegex(_));
            match location.nested.search(path)? {
                Some(inner) if inner.last => return Ok(Some(inner)),
                Some(inner) => best = Some(inner),
                None => best = Some(Search { last: false, ..Search::last(location, None) }),
            }
        } else if let Some(redirect) = self.redirect(path) {
            return Ok(Some(redirect));
        }
        if regexes {
            for location in self.regexes.iter().filter_map(|regex| self.all.get(*regex)) {
                let Pattern::Regex(regex) = &location.pattern else { continue };
                if let Some(captures) = regex.captures(path)? {
                    let inner = location.nested.search(path)?;
                    let found = inner.unwrap_or_else(|| Search::last(location, Some(captures)));
                    return Ok(Some(Search { last: true, ..found }));
                }
            }
        }
        Ok(best)
    }

    fn longest_prefix(&self, path: &[u8]) -> Option<(&Prefix, &Location<T>)> {
        // The last prefix that does not sort after the path is the longest one, or shares it as an
        // ancestor.
        let after = self.prefixes.partition_point(|prefix| &*prefix.text <= path);
        let mut candidate = after.checked_sub(1);
        while let Some(prefix) = self.prefixes.get(candidate?) {
            if path.starts_with(&prefix.text) {
                return Some((prefix, self.all.get(prefix.location)?));
            }
            candidate = prefix.parent;
        }
        None
    }

    /// The location that the path lacks only a slash for.
    fn redirect(&self, path: &[u8]) -> Option<Search<'_, T>> {
        let location = self.all.get(*self.redirects.get(path)?)?;
        let path = location.pattern.text().as_bytes();
        Some(Search { found: Found::Redirect { value: &location.value, path }, last: true })
    }
}

/// What a level found, and whether an outer level may still try its patterns.
struct Search<'a, T> {
    found: Found<'a, T>,
    last: bool,
}

impl<'a, T> Search<'a, T> {
    fn last(location: &'a Location<T>, captures: Option<Captures>) -> Self {
        Self { found: Found::Location { value: &location.value, captures }, last: true }
    }
}

fn check_nested<T>(position: usize, location: &Location<T>) -> Result<(), LocationError> {
    let outer = location.pattern.text();
    for (nested, inside) in location.nested.all.iter().enumerate() {
        let inner = inside.pattern.text();
        let texts = || (inner.to_owned(), outer.to_owned());
        let problem = if matches!(location.pattern, Pattern::Exact(_)) {
            let (inner, outer) = texts();
            LocationProblem::InsideExact { inner, outer }
        } else if !matches!(inside.pattern, Pattern::Regex(_)) && !inner.starts_with(outer) {
            let (inner, outer) = texts();
            LocationProblem::Outside { inner, outer }
        } else {
            continue;
        };
        return Err(LocationError { position, nested: Some(nested), problem });
    }
    Ok(())
}

fn sort(prefixes: HashMap<Box<[u8]>, usize>) -> Vec<Prefix> {
    let mut sorted: Vec<Prefix> = prefixes
        .into_iter()
        .map(|(text, location)| Prefix { text, location, parent: None })
        .collect();
    sorted.sort_unstable_by(|one, other| one.text.cmp(&other.text));
    // In byte order the prefixes of a text stand before it: those still open make a stack.
    let mut open: Vec<(usize, Box<[u8]>)> = Vec::new();
    for (position, prefix) in sorted.iter_mut().enumerate() {
        while open.last().is_some_and(|(_, text)| !prefix.text.starts_with(text)) {
            open.pop();
        }
        prefix.parent = open.last().map(|(parent, _)| *parent);
        open.push((position, prefix.text.clone()));
    }
    sorted
}
