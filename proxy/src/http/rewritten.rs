//! What becomes of the places and cookies that an answer names: `Location`, `Refresh`, `Set-Cookie`.

use http::header::{HeaderMap, HeaderValue, LOCATION, REFRESH, SET_COOKIE};

use super::passing::{Cookies, Flags, Looked, Passing, Replace};
use super::record::Record;
use super::target;
use crate::observe::Level;
use crate::route::{Captures, Regex};

/// Rewrites what has to be.
pub(super) fn rewrite(record: &Record, passing: &Passing, headers: &mut HeaderMap) {
    if !passing.redirects.is_empty() {
        for value in [headers.get_mut(LOCATION)].into_iter().flatten() {
            if let Some(other) = start(record, &passing.redirects, value.as_bytes()) {
                put(value, target::redirect(record, other));
            }
        }
        if let Some(value) = headers.get_mut(REFRESH)
            && let Some(other) = refresh(record, passing, value.as_bytes())
        {
            put(value, other);
        }
    }
    let Some(cookies) = &passing.cookies else { return };
    if let http::header::Entry::Occupied(mut values) = headers.entry(SET_COOKIE) {
        for value in values.iter_mut() {
            if let Some(other) = cookie(record, cookies, value.as_bytes()) {
                put(value, other);
            }
        }
    }
}

fn put(value: &mut HeaderValue, other: Vec<u8>) {
    if let Ok(other) = HeaderValue::try_from(other) {
        *value = other;
    }
}

/// The URL behind `url=` is another.
fn refresh(record: &Record, passing: &Passing, value: &[u8]) -> Option<Vec<u8>> {
    let at = value.windows(4).position(|part| part.eq_ignore_ascii_case(b"url="))? + 4;
    let (front, url) = value.split_at_checked(at)?;
    Some([front, &start(record, &passing.redirects, url)?].concat())
}

/// The first rule that fits replaces the start of the value, or all of what a pattern matches.
fn start(record: &Record, rules: &[Replace], value: &[u8]) -> Option<Vec<u8>> {
    rules.iter().find_map(|rule| {
        let mut out = Vec::new();
        let rest = match &rule.from {
            Looked::Text(text) => {
                let mut from = Vec::new();
                text.render(record, &mut from);
                value.strip_prefix(&*from)?
            }
            Looked::Regex(pattern) => {
                matches(record, pattern, value)?;
                b""
            }
        };
        rule.to.render(record, &mut out);
        out.extend_from_slice(rest);
        Some(out)
    })
}

/// The first rule that fits replaces all of a domain, but for a dot in front of a text.
fn domain(record: &Record, rules: &[Replace], value: &[u8]) -> Option<Vec<u8>> {
    let bare = value.strip_prefix(b".").unwrap_or(value);
    rules.iter().find_map(|rule| {
        let (looked, dot) = match rule.from {
            Looked::Text(_) => (bare, value.len() > bare.len()),
            Looked::Regex(_) => (value, false),
        };
        if !is(record, &rule.from, looked) {
            return None;
        }
        let mut out = if dot { b".".to_vec() } else { Vec::new() };
        rule.to.render(record, &mut out);
        Some(out)
    })
}

/// Whether this is the text in any case, or the pattern matches.
fn is(record: &Record, looked: &Looked, value: &[u8]) -> bool {
    match looked {
        Looked::Text(text) => {
            let mut from = Vec::new();
            text.render(record, &mut from);
            value.eq_ignore_ascii_case(&from)
        }
        Looked::Regex(pattern) => matches(record, pattern, value).is_some(),
    }
}

/// Whether a pattern matches; its groups are variables then.
fn matches(record: &Record, pattern: &Regex, value: &[u8]) -> Option<()> {
    let captures: Option<Captures> = pattern.captures(value).unwrap_or_else(|error| {
        record.log(Level::Alert, None, format_args!("{error}"));
        None
    });
    record.course.captures.borrow_mut().push(captures?);
    Some(())
}

/// One of the parts between the semicolons: a name, and what is behind the `=`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Attribute {
    name: Vec<u8>,
    value: Option<Vec<u8>>,
}

impl Attribute {
    fn new(name: &str, value: Option<&str>) -> Self {
        Self { name: name.into(), value: value.map(Into::into) }
    }

    fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }
}

/// A cookie with other attributes; none when nothing changes.
fn cookie(record: &Record, cookies: &Cookies, text: &[u8]) -> Option<Vec<u8>> {
    let mut parts = parse(text);
    // What has no value is no cookie.
    parts.first()?.value.as_ref()?;
    let mut changed = false;
    for part in parts.iter_mut().skip(1) {
        let Some(value) = &part.value else { continue };
        let other = if part.is("domain") {
            domain(record, &cookies.domain, value)
        } else if part.is("path") {
            start(record, &cookies.path, value)
        } else {
            None
        };
        changed |= other.is_some();
        part.value = other.or_else(|| part.value.take());
    }
    let name = parts.first().map(|part| part.name.clone()).unwrap_or_default();
    if let Some(rule) = cookies.flags.iter().find(|rule| is(record, &rule.cookie, &name)) {
        flags(record, rule, &mut parts);
        changed = true;
    }
    changed.then(|| written(&parts))
}

fn parse(text: &[u8]) -> Vec<Attribute> {
    let parts = text.split(|byte| *byte == b';').map(|part| {
        let part = part.trim_ascii();
        match part.iter().position(|byte| *byte == b'=') {
            None => Attribute { name: part.to_vec(), value: None },
            Some(at) => {
                let (name, value) = part.split_at_checked(at).unwrap_or((part, b""));
                let value = value.get(1..).unwrap_or_default().to_vec();
                Attribute { name: name.to_vec(), value: Some(value) }
            }
        }
    });
    parts.collect()
}

fn written(parts: &[Attribute]) -> Vec<u8> {
    let mut out = Vec::new();
    for (position, part) in parts.iter().enumerate() {
        if position > 0 {
            out.extend_from_slice(b"; ");
        }
        out.extend_from_slice(&part.name);
        if let Some(value) = &part.value {
            out.push(b'=');
            out.extend_from_slice(value);
        }
    }
    out
}

/// Gives a cookie its flags, and takes those that it must not have.
fn flags(record: &Record, rule: &Flags, parts: &mut Vec<Attribute>) {
    let take = |parts: &mut Vec<Attribute>, name: &str| {
        let mut first = true;
        parts.retain(|part| std::mem::take(&mut first) || !part.is(name));
    };
    let add = |parts: &mut Vec<Attribute>, name: &str| {
        if !parts.iter().skip(1).any(|part| part.is(name)) {
            parts.push(Attribute::new(name, None));
        }
    };
    let site = |parts: &mut Vec<Attribute>, value: &str| match parts
        .iter_mut()
        .skip(1)
        .find(|part| part.is("samesite"))
    {
        Some(part) => part.value = Some(value.into()),
        None => parts.push(Attribute::new("SameSite", Some(value))),
    };
    for word in &rule.words {
        let mut text = Vec::new();
        word.render(record, &mut text);
        match text.to_ascii_lowercase().as_slice() {
            b"" => {}
            b"secure" => add(parts, "Secure"),
            b"nosecure" => take(parts, "secure"),
            b"httponly" => add(parts, "HttpOnly"),
            b"nohttponly" => take(parts, "httponly"),
            b"samesite=strict" => site(parts, "Strict"),
            b"samesite=lax" => site(parts, "Lax"),
            b"samesite=none" => site(parts, "None"),
            b"nosamesite" => take(parts, "samesite"),
            _ => {
                let text = text.escape_ascii();
                let what = format_args!("invalid proxy_cookie_flags flag \"{text}\"");
                record.log(Level::Error, None, what);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_comes_out_as_it_went_in_but_for_what_surrounds_its_parts() {
        for (text, again) in [
            ("a=b", "a=b"),
            ("a=b;Path=/ ;  HttpOnly", "a=b; Path=/; HttpOnly"),
            ("a=b=c; x=", "a=b=c; x="),
            ("a=\"b\"", "a=\"b\""),
            ("", ""),
        ] {
            let out = written(&parse(text.as_bytes()));
            assert_eq!(String::from_utf8_lossy(&out), again, "{text:?}");
        }
    }
}
