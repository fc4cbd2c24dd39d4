//! `proxy_pass`

use std::path::PathBuf;

use super::super::address::{self, Host};
use super::super::inherit::{Place, Within};
use super::super::model::{ProxyPass, ProxyTarget};
use super::super::parse::{Statement, Word};
use super::super::problem::Fault;
use super::super::source::Spanned;
use super::table::{Arity, Context, Directive, Done, Effect};
use super::walk::{Walk, once};

pub(super) const DIRECTIVES: &[Directive] = &[Directive {
    name: "proxy_pass",
    means: "`http://` and an upstream's name, `HOST:PORT` or `unix:PATH`, with or without a URI \
            that replaces the matched prefix. With variables: an upstream's name or an address; other \
            names are answered 502, for there is no `resolver`. Not yet: `https://`.",
    contexts: &[Context::Location, Context::LocationIf, Context::LimitExcept],
    arity: Arity::ONE,
    block: false,
    effect: Effect::Place(proxy_pass),
    example: "proxy_pass http://127.0.0.1:8081;",
}];

fn proxy_pass(_: &mut Walk, place: &mut Place, statement: &Statement) -> Done {
    let in_regex = place.within != Within::Itself
        || place.pattern.as_ref().is_some_and(|p| p.value.is_regex() || p.value.is_named());
    let location = match &place.pattern {
        Some(pattern) if !in_regex => pattern.value.text(),
        _ => "",
    };
    once(&mut place.proxy_pass, statement, |s| target(s.arg(0), in_regex, location))?;
    // As in nginx, what is said last answers.
    place.status = None;
    let is_text = |pass: &ProxyPass| matches!(pass.target.value, ProxyTarget::Text(_));
    place.level.proxying.passes = place.proxy_pass.as_ref().map(is_text);
    Ok(())
}

fn target(word: &Word, in_regex: bool, location: &str) -> Result<ProxyPass, Fault> {
    let fault = |message: String| Err(Fault::at(word.span, message));
    if word.value.contains('$') {
        // What it comes to is looked at with each request.
        let target = Spanned { value: ProxyTarget::Text(word.value.clone()), span: word.span };
        return Ok(ProxyPass {
            target,
            proxy_host: String::new(),
            uri: None,
            redirect: Default::default(),
        });
    }
    let Some(rest) = strip_scheme(&word.value, "http://") else {
        return if strip_scheme(&word.value, "https://").is_some() {
            fault("\"https\" in \"proxy_pass\" is not supported by this proxy yet".into())
        } else {
            fault("invalid URL prefix".into())
        };
    };
    let (address, uri) = address::with_uri(rest)
        .map_err(|why| Fault::at(word.span, format!("{why} in upstream \"{rest}\"")))?;
    if uri.is_some() && in_regex {
        return fault(URI_IN_REGEX.into());
    }
    let (target, proxy_host) = match (address.host, address.port) {
        (Host::Unix(path), _) => (ProxyTarget::Unix(PathBuf::from(path)), "localhost".to_owned()),
        (Host::Name(name), port) => {
            let shown = match port {
                Some(port) if port != 80 => format!("{name}:{port}"),
                _ => name.clone(),
            };
            (ProxyTarget::Host { name, port }, shown)
        }
        (Host::Any, _) => return fault(format!("no host in upstream \"{rest}\"")),
    };
    let target = Spanned { value: target, span: word.span };
    let redirect = match uri {
        Some(_) => (word.value.clone(), location.to_owned()),
        None => (format!("{}/", word.value), "/".to_owned()),
    };
    Ok(ProxyPass { target, proxy_host, uri: uri.map(str::to_owned), redirect })
}

const URI_IN_REGEX: &str = "\"proxy_pass\" cannot have URI part in location given by regular \
     expression, or inside named location, or inside \"if\" statement, or inside \"limit_except\" \
     block";

fn strip_scheme<'a>(text: &'a str, scheme: &str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(scheme.len())?;
    start.eq_ignore_ascii_case(scheme).then_some(rest)
}
