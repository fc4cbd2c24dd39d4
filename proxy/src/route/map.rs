//! nginx's `map`: a variable whose value depends on another text.

use super::names::{NameError, Names};
use super::regex::{Captures, Case, MatchError, Regex, RegexError};
use super::template::{Template, TemplateError};
use super::variable::{Values, Variable};
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
    /// `volatile`: the value is worked out each time it is asked for.
    pub volatile: bool,
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
    volatile: bool,
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
            volatile: settings.volatile,
            table: HostTable::default(),
            regexes: Vec::new(),
        };
        for (position, (key, value)) in settings.entries.iter().enumerate() {
            map.add(key, value, names).map_err(|problem| MapError::Entry { position, problem })?;
        }
        Ok(map)
    }

    /// Whether a value holds only for the moment that it is asked for, rather than for a request.
    #[must_use]
    pub fn is_volatile(&self) -> bool {
        self.volatile
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

    /// Appends the variable's value in a request: renders the source, looks it up, renders what is
    /// found. False when a pattern took too many steps, and then nothing is appended.
    pub fn write(&self, values: &(impl Values + ?Sized), out: &mut Vec<u8>) -> bool {
        let found = match self.source.literal() {
            Some(text) => self.lookup(text.as_bytes()),
            None => {
                let mut source = Vec::new();
                self.source.render(values, &mut source);
                self.lookup(&source)
            }
        };
        match found {
            Ok((value, Some(captures))) => value.render(&Captured { captures, values }, out),
            Ok((value, None)) => value.render(values, out),
            Err(_) => return false,
        }
        true
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

/// A request's values while an entry's value is rendered: what the entry's pattern captured hides
/// what an earlier pattern did.
struct Captured<'a, V: ?Sized> {
    captures: Captures,
    values: &'a V,
}

impl<V: Values + ?Sized> Values for Captured<'_, V> {
    fn write(&self, variable: &Variable, out: &mut Vec<u8>) -> bool {
        let captured = match variable {
            Variable::Capture(group) => self.captures.get(*group),
            Variable::NamedCapture(name) => match self.captures.variable(*name) {
                Some(value) => value,
                None => return self.values.write(variable, out),
            },
            _ => return self.values.write(variable, out),
        };
        captured.inspect(|value| out.extend_from_slice(value)).is_some()
    }
}

/// Whether a name can stand beside a wildcard.
fn is_host(name: &str) -> bool {
    !name.is_empty() && !name.contains('*') && !name.contains("..") && !name.starts_with('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Maps, and a request whose arguments are `name=value` pairs.
    struct Request<'a> {
        maps: &'a [Map],
        args: &'a [(&'a str, &'a str)],
    }

    impl Values for Request<'_> {
        fn write(&self, variable: &Variable, out: &mut Vec<u8>) -> bool {
            match variable {
                Variable::Map(position) => self.maps[*position].write(self, out),
                Variable::Arg(name) => {
                    let mut args = self.args.iter();
                    let found = args.find(|(arg, _)| **arg == **name);
                    found.inspect(|(_, value)| out.extend_from_slice(value.as_bytes())).is_some()
                }
                _ => false,
            }
        }
    }

    fn compile(maps: &[(&str, MapSettings<'_>)]) -> Vec<Map> {
        let mut names = Names::new();
        for (position, (variable, settings)) in maps.iter().enumerate() {
            Map::declare(variable, position, settings, &mut names).unwrap();
        }
        maps.iter().map(|(_, settings)| Map::compile(settings, &mut names).unwrap()).collect()
    }

    fn settings<'a>(source: &'a str, entries: &'a [(&'a str, &'a str)]) -> MapSettings<'a> {
        MapSettings { source, default: "none", hostnames: false, volatile: false, entries }
    }

    fn value(maps: &[Map], position: usize, args: &[(&str, &str)]) -> String {
        let mut out = Vec::new();
        assert!(maps[position].write(&Request { maps, args }, &mut out));
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_usual_map_of_websocket_proxies() {
        let entries = [("", "close")];
        let upgrade = MapSettings {
            source: "$http_upgrade",
            default: "upgrade",
            hostnames: false,
            volatile: false,
            entries: &entries,
        };
        let maps = compile(&[("connection_upgrade", upgrade)]);
        assert_eq!(maps[0].lookup(b"websocket").unwrap().0.literal(), Some("upgrade"));
        assert_eq!(value(&maps, 0, &[]), "close");
    }

    #[test]
    fn keys_are_found_in_any_case_before_patterns_in_their_order() {
        let entries = [
            ("~^a", "starts with a"),
            ("~*^A", "starts with a or A"),
            ("Abc", "exact"),
            ("\\~x", "escaped"),
            ("*.b", "no wildcard without hostnames"),
        ];
        let maps = compile(&[("v", settings("$arg_x", &entries))]);
        for (source, expected) in [
            ("aBC", "exact"),
            ("abcd", "starts with a"),
            ("ABCD", "starts with a or A"),
            ("~x", "escaped"),
            ("*.b", "no wildcard without hostnames"),
            ("x.b", "none"),
            ("", "none"),
        ] {
            assert_eq!(value(&maps, 0, &[("x", source)]), expected, "{source}");
        }
    }

    #[test]
    fn hostnames_have_wildcards_at_either_end() {
        let entries = [
            ("example.com", "exact"),
            ("*.example.com", "below"),
            (".example.org", "dot"),
            ("www.*", "www"),
        ];
        let map = MapSettings { hostnames: true, ..settings("$arg_x", &entries) };
        let maps = compile(&[("v", map)]);
        for (source, expected) in [
            ("example.com.", "exact"),
            ("a.Example.com", "below"),
            ("example.org", "dot"),
            ("a.b.example.org", "dot"),
            ("www.net", "www"),
            ("net", "none"),
        ] {
            assert_eq!(value(&maps, 0, &[("x", source)]), expected, "{source}");
        }
    }

    #[test]
    fn a_value_may_use_what_its_pattern_captured_and_other_maps() {
        let rooms = [("~^/room/(?<room>[^/]+)/(\\d+)", "$room-$2-$kind")];
        let kinds = [("1", "one"), ("2", "$arg_kind!")];
        let maps = compile(&[
            ("place", settings("$arg_path", &rooms)),
            ("kind", settings("$arg_x", &kinds)),
        ]);
        let path = ("path", "/room/blue/7");
        assert_eq!(value(&maps, 0, &[path, ("x", "1")]), "blue-7-one");
        assert_eq!(value(&maps, 0, &[path, ("x", "2"), ("kind", "k")]), "blue-7-k!");
        assert_eq!(value(&maps, 0, &[path]), "blue-7-none");
        assert_eq!(value(&maps, 0, &[]), "none");
    }

    #[test]
    fn a_circle_of_sources_is_found() {
        let maps = compile(&[
            ("a", settings("$arg_x", &[])),
            ("b", settings("x$d", &[])),
            ("c", settings("$b", &[])),
            ("d", settings("$c-$a", &[])),
        ]);
        assert_eq!(Map::source_cycle(&maps), Some(1));
        assert_eq!(Map::source_cycle(&maps[..1]), None);
    }

    #[test]
    fn errors_have_nginx_words() {
        let error = |hostnames: bool, entries: &[(&str, &str)]| {
            let map = MapSettings { hostnames, ..settings("$host", entries) };
            Map::compile(&map, &mut Names::new()).unwrap_err().to_string()
        };
        assert_eq!(error(false, &[("a", "1"), ("A", "2")]), "conflicting parameter \"A\"");
        assert_eq!(error(true, &[("a.*.b", "1")]), "invalid hostname or wildcard \"a.*.b\"");
        assert_eq!(error(false, &[("a", "$foo")]), "unknown \"foo\" variable");
        assert!(error(false, &[("~(", "1")]).starts_with("regex compile failed: "));
        let source = settings("$", &[]);
        let error = Map::compile(&source, &mut Names::new()).unwrap_err();
        assert_eq!(error.to_string(), "invalid variable name");
    }
}
