//! Texts with variables become templates; what is wrong with one is shown at its `$`.

use crate::config::model::{
    Condition, Geo as GeoBlock, Http, Location, LocationPattern, Map as MapBlock, Matching,
    Proxying, RedirectRule, ServerName, Settings, SplitClients, Step,
};
use crate::config::{Config, Problem, Span, Spanned};
use crate::route::map::MapError;
use crate::route::template::TemplateError;
use crate::route::{Geo, GeoSettings, Map, MapSettings, Names, Split, Template};

/// The names that a configuration defines: its maps', and its patterns' groups.
pub(super) fn names(config: &Config, http: &Http) -> Result<Names, Problem> {
    let mut names = Names::new();
    for (position, map) in http.maps.iter().enumerate() {
        let entries = entries(map);
        Map::declare(&map.variable.value, position, &settings(map, &entries), &mut names)
            .map_err(|error| at(config, error, map.variable.span))?;
    }
    for (position, geo) in http.geos.iter().enumerate() {
        let declared = names.declare_geo(&geo.variable.value, position);
        declared.map_err(|error| at(config, error, geo.variable.span))?;
    }
    for (position, split) in http.splits.iter().enumerate() {
        let declared = names.declare_split(&split.variable.value, position);
        declared.map_err(|error| at(config, error, split.variable.span))?;
    }
    for server in &http.servers {
        for name in &server.names {
            if let ServerName::Regex(pattern) = &name.value {
                declare(config, pattern, name.span, &mut names)?;
            }
        }
        answers(config, &server.settings, &mut names)?;
        steps(config, &server.settings.steps, &mut names)?;
        locations(config, &server.locations, &mut names)?;
    }
    Ok(names)
}

/// What is set, and what patterns capture.
fn steps(config: &Config, all: &[Step], names: &mut Names) -> Result<(), Problem> {
    for step in all {
        match step {
            Step::Set { variable, .. } => {
                let known = names.declare_set(&variable.value);
                known.map_err(|error| at(config, error, variable.span))?;
            }
            Step::Rewrite { pattern, .. } => declare(config, &pattern.value, pattern.span, names)?,
            Step::If { condition, steps: inside, .. } => {
                if let Condition::Matches { pattern, .. } = condition {
                    declare(config, &pattern.value, pattern.span, names)?;
                }
                steps(config, inside, names)?;
            }
            Step::Break | Step::Return(_) => {}
        }
    }
    Ok(())
}

fn locations(config: &Config, all: &[Location], names: &mut Names) -> Result<(), Problem> {
    for location in all {
        if let LocationPattern::Regex(pattern) | LocationPattern::RegexNoCase(pattern) =
            &location.pattern.value
        {
            declare(config, pattern, location.pattern.span, names)?;
        }
        answers(config, &location.settings, names)?;
        steps(config, &location.settings.steps, names)?;
        locations(config, &location.locations, names)?;
    }
    Ok(())
}

/// What patterns capture that look at answers.
fn answers(config: &Config, settings: &Settings, names: &mut Names) -> Result<(), Problem> {
    let Proxying { redirect, cookie_domain, cookie_path, cookie_flags, .. } = &settings.proxying;
    let redirects = redirect.iter().filter_map(|rule| match rule {
        RedirectRule::Replace(rule) => Some(&rule.from),
        RedirectRule::Default => None,
    });
    let cookies = cookie_domain.iter().chain(cookie_path).map(|rule| &rule.from);
    let flags = cookie_flags.iter().map(|rule| &rule.cookie);
    for looked in redirects.chain(cookies).chain(flags) {
        if let Matching::Regex { pattern, .. } = looked {
            declare(config, &pattern.value, pattern.span, names)?;
        }
    }
    Ok(())
}

fn declare(config: &Config, pattern: &str, span: Span, names: &mut Names) -> Result<(), Problem> {
    names.declare_captures(pattern).map_err(|error| at(config, error, span))
}

/// The compiled `map` blocks.
pub(super) fn maps(config: &Config, http: &Http, names: &mut Names) -> Result<Vec<Map>, Problem> {
    let mut maps = Vec::with_capacity(http.maps.len());
    for map in &http.maps {
        let entries = entries(map);
        let compiled = Map::compile(&settings(map, &entries), names);
        maps.push(compiled.map_err(|error| map_problem(config, map, &error))?);
    }
    if let Some(position) = Map::source_cycle(&maps)
        && let Some(map) = http.maps.get(position)
    {
        let name = &map.variable.value;
        let message = format!("cycle while evaluating variable \"{name}\"");
        return Err(at(config, message, map.source.span));
    }
    Ok(maps)
}

/// The compiled `split_clients` blocks.
pub(super) fn splits(config: &Config, http: &Http, names: &Names) -> Result<Vec<Split>, Problem> {
    let split = |split: &SplitClients| {
        let parts: Vec<_> = split.parts.iter().map(|(share, value)| (*share, &**value)).collect();
        Ok(Split::new(compile(config, &split.key, names)?, &parts))
    };
    http.splits.iter().map(split).collect()
}

/// The compiled `geo` blocks.
pub(super) fn geos(config: &Config, http: &Http, names: &Names) -> Result<Vec<Geo>, Problem> {
    let geo = |geo: &GeoBlock| {
        let source = geo.source.as_ref().map(|source| compile(config, source, names));
        Ok(Geo::new(GeoSettings {
            source: source.transpose()?,
            volatile: geo.volatile,
            default: &geo.default,
            nets: geo.nets.iter().map(|(ip, bits, value)| (*ip, *bits, &**value)).collect(),
            ranges: geo.ranges.iter().map(|(from, to, value)| (*from, *to, &**value)).collect(),
        }))
    };
    http.geos.iter().map(geo).collect()
}

fn entries(map: &MapBlock) -> Vec<(&str, &str)> {
    map.entries.iter().map(|entry| (&*entry.key.value, &*entry.value.value)).collect()
}

fn settings<'a>(map: &'a MapBlock, entries: &'a [(&'a str, &'a str)]) -> MapSettings<'a> {
    MapSettings {
        source: &map.source.value,
        default: &map.default.value,
        hostnames: map.hostnames,
        volatile: map.volatile,
        entries,
    }
}

fn map_problem(config: &Config, map: &MapBlock, error: &MapError) -> Problem {
    let span = match error {
        MapError::Source(_) => map.source.span,
        MapError::Default(_) => map.default.span,
        MapError::Entry { position, .. } => {
            map.entries.get(*position).map_or(map.variable.span, |entry| entry.key.span)
        }
    };
    at(config, error, span)
}

/// Compiles a text.
pub(super) fn compile(
    config: &Config,
    text: &Spanned<String>,
    names: &Names,
) -> Result<Template, Problem> {
    Template::compile(&text.value, names).map_err(|error| at(config, &error, narrow(text, &error)))
}

/// The variable's own place in the text, where the text stands in the file as it is; quotes and
/// escapes make it stand otherwise.
pub(super) fn narrow(text: &Spanned<String>, error: &TemplateError) -> Span {
    let span = text.span;
    if span.end - span.start != text.value.len() {
        return span;
    }
    let start = span.start + error.offset;
    Span { start, end: start + error.length, ..span }
}

/// A problem at a place, with the words of an error.
pub(super) fn at(config: &Config, error: impl std::fmt::Display, span: Span) -> Problem {
    Problem::new(error.to_string(), span, &config.sources)
}
