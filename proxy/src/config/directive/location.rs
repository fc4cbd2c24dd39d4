//! `location`

use super::super::inherit::Place;
use super::super::model::LocationPattern;
use super::super::parse::Statement;
use super::super::problem::Fault;
use super::super::source::Spanned;
use super::table::{Arity, Context, Directive, Done, Effect};
use super::walk::{Scope, Walk};

pub(super) const DIRECTIVES: &[Directive] = &[Directive {
    name: "location",
    means: "Prefix, `= PATH`, `^~ PREFIX`, `~ REGEX`, `~* REGEX`, nested; chosen by nginx's \
            rules. `@NAME` is for what is sent there from within.",
    contexts: &[Context::Server, Context::Location],
    arity: Arity(1, 2),
    block: true,
    effect: Effect::Place(location),
    example: "location /example/ {}",
}];

fn location(walk: &mut Walk, outer: &mut Place, statement: &Statement) -> Done {
    let pattern = pattern(statement)?;
    if let Some(around) = &outer.pattern {
        check_nesting(&pattern, &around.value)?;
    }
    check_duplicate(&pattern, &outer.locations)?;
    let mut inner = Place { pattern: Some(pattern), ..Place::default() };
    walk.body(statement, Scope::Location(&mut inner))?;
    outer.locations.push(inner);
    Ok(())
}

fn pattern(statement: &Statement) -> Result<Spanned<LocationPattern>, Fault> {
    let first = statement.arg(0);
    let (modifier, text, word) = match statement.args.get(1) {
        Some(second) => (first.value.as_str(), second.value.as_str(), second),
        None => {
            let text = first.value.as_str();
            let modifier = ["=", "^~", "~*", "~"].into_iter().find(|m| text.starts_with(m));
            let modifier = modifier.unwrap_or("");
            (modifier, text.strip_prefix(modifier).unwrap_or(text), first)
        }
    };
    let text = text.to_owned();
    let value = match modifier {
        "" if statement.args.len() == 1 && text.starts_with('@') => LocationPattern::Named(text),
        "" if statement.args.len() == 1 => LocationPattern::Prefix(text),
        "=" => LocationPattern::Exact(text),
        "^~" => LocationPattern::PrefixNoRegex(text),
        "~" => LocationPattern::Regex(text),
        "~*" => LocationPattern::RegexNoCase(text),
        _ => {
            let message = format!("invalid location modifier \"{modifier}\"");
            return Err(Fault::at(first.span, message));
        }
    };
    Ok(Spanned { value, span: word.span })
}

fn check_nesting(inner: &Spanned<LocationPattern>, outer: &LocationPattern) -> Done {
    let (text, around) = (inner.value.text(), outer.text());
    if outer.is_named() {
        let message =
            format!("location \"{text}\" cannot be inside the named location \"{around}\"");
        return Err(Fault::at(inner.span, message));
    }
    if matches!(outer, LocationPattern::Exact(_)) {
        let message =
            format!("location \"{text}\" cannot be inside the exact location \"{around}\"");
        return Err(Fault::at(inner.span, message));
    }
    if inner.value.is_named() {
        let message = format!("named location \"{text}\" can be on the server level only");
        return Err(Fault::at(inner.span, message));
    }
    if !inner.value.is_regex() && !text.starts_with(around) {
        let message = format!("location \"{text}\" is outside location \"{around}\"");
        return Err(Fault::at(inner.span, message));
    }
    Ok(())
}

/// The same text twice, both exact or both prefixes; of patterns, the first one counts.
fn check_duplicate(pattern: &Spanned<LocationPattern>, others: &[Place]) -> Done {
    let exact = |p: &LocationPattern| matches!(p, LocationPattern::Exact(_));
    let same = |other: &LocationPattern| {
        !other.is_regex()
            && exact(other) == exact(&pattern.value)
            && other.text() == pattern.value.text()
    };
    let known = || others.iter().filter_map(|place| place.pattern.as_ref());
    if !pattern.value.is_regex() && known().any(|other| same(&other.value)) {
        let message = format!("duplicate location \"{}\"", pattern.value.text());
        return Err(Fault::at(pattern.span, message));
    }
    Ok(())
}
