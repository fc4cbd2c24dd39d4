//! What becomes of the answers of servers: their fields, their redirects, their errors.

use super::super::inherit::Level;
use super::super::model::{IgnoredHeaders, Matching, RedirectRule, ReplaceRule};
use super::super::parse::{Statement, Word};
use super::super::problem::Fault;
use super::super::source::Spanned;
use super::table::{Arity, Context, Directive, Done, Effect};
use super::walk::{Walk, once, switch};

const fn row(
    name: &'static str,
    arity: Arity,
    effect: fn(&mut Walk, &mut Level, &Statement) -> Done,
    example: &'static str,
    means: &'static str,
) -> Directive {
    let contexts = &[Context::Http, Context::Server, Context::Location];
    Directive { name, contexts, arity, block: false, effect: Effect::Level(effect), example, means }
}

pub(super) const DIRECTIVES: &[Directive] = &[
    row(
        "proxy_hide_header",
        Arity::ONE,
        |_, level, s| {
            level.proxying.hide.push(s.arg(0).clone());
            Ok(())
        },
        "proxy_hide_header X-Powered-By;",
        "A field of an answer that clients do not get, besides `Date`, `Server`, `X-Pad` and \
         `X-Accel-...`, which they never get unless `proxy_pass_header` says so. \
         `Content-Length` says how the answer is framed, and cannot be hidden.",
    ),
    row(
        "proxy_pass_header",
        Arity::ONE,
        |_, level, s| {
            level.proxying.pass.push(s.arg(0).clone());
            Ok(())
        },
        "proxy_pass_header Server;",
        "A field of an answer that clients get, though it is hidden otherwise.",
    ),
    row(
        "proxy_ignore_headers",
        Arity::SOME,
        ignore_headers,
        "proxy_ignore_headers X-Accel-Redirect;",
        "Fields of an answer that are not obeyed: `X-Accel-Redirect`, `X-Accel-Limit-Rate`, \
         `X-Accel-Buffering`, `X-Accel-Expires`, `X-Accel-Charset`, `Expires`, `Cache-Control`, \
         `Set-Cookie`, `Vary`. Only the first two do anything here: nothing is cached.",
    ),
    row(
        "proxy_redirect",
        Arity(1, 2),
        redirect,
        "proxy_redirect http://inside/ /;",
        "What takes the place of the start of a `Location`, and of the URL in a `Refresh`; with a \
         pattern (`~`, or `~*` in any case) of all of it. Both may have variables. Several are \
         tried in turn. `off` for none. Default `default`: where `proxy_pass` goes becomes the \
         location.",
    ),
    row(
        "proxy_intercept_errors",
        Arity::ONE,
        |_, level, s| once(&mut level.proxying.intercept_errors, s, switch),
        "proxy_intercept_errors on;",
        "An answer of 300 or more that has an `error_page` is replaced by it. Default `off`.",
    ),
    row(
        "proxy_force_ranges",
        Arity::ONE,
        |_, level, s| once(&mut level.proxying.force_ranges, s, switch),
        "proxy_force_ranges on;",
        "Whether a part is cut out of an answer with 200 and a length, where the client asks for one range \
         and the server has not cut it itself. Default `off`.",
    ),
    row(
        "proxy_pass_trailers",
        Arity::ONE,
        |_, level, s| once(&mut level.proxying.pass_trailers, s, switch),
        "proxy_pass_trailers on;",
        "Whether the trailers of an answer in chunks go to clients, but for the fields that are hidden, \
         and are `$upstream_trailer_...`. A server may want to be asked for them: \
         `proxy_set_header TE trailers;`. Default `off`.",
    ),
    row(
        "early_hints",
        Arity::SOME,
        |_, level, s| {
            level.proxying.early_hints.extend_from_slice(&s.args);
            Ok(())
        },
        "early_hints $http_sec_fetch_mode;",
        "Passes a 103 of a server on to a client of HTTP/1.1 where one of the values is neither empty nor \
         `0`. Without it they are skipped, as other interim answers are.",
    ),
];

/// The words, and which of them have an effect.
const IGNORABLE: &[&str] = &[
    "X-Accel-Redirect",
    "X-Accel-Expires",
    "X-Accel-Limit-Rate",
    "X-Accel-Buffering",
    "X-Accel-Charset",
    "Expires",
    "Cache-Control",
    "Set-Cookie",
    "Vary",
];

/// nginx lets the words add up over several directives of one level; so do we.
fn ignore_headers(walk: &mut Walk, level: &mut Level, statement: &Statement) -> Done {
    let (ignore, seen) =
        level.proxying.ignore.get_or_insert_with(|| (IgnoredHeaders::default(), Vec::new()));
    for word in &statement.args {
        let text = word.value.as_str();
        let Some(known) = IGNORABLE.iter().find(|known| known.eq_ignore_ascii_case(text)) else {
            return Err(Fault::at(word.span, format!("invalid value \"{text}\"")));
        };
        if seen.iter().any(|seen| seen == known) {
            walk.warn(word.span, format!("duplicate value \"{text}\""));
            continue;
        }
        seen.push((*known).to_owned());
        match *known {
            "X-Accel-Redirect" => ignore.redirect = true,
            "X-Accel-Limit-Rate" => ignore.limit_rate = true,
            _ => {}
        }
    }
    Ok(())
}

fn redirect(_: &mut Walk, level: &mut Level, statement: &Statement) -> Done {
    let proxying = &mut level.proxying;
    let from = statement.arg(0);
    let only = |what: &str| statement.args.len() == 1 && from.value == what;
    let said = |message: &str| Err(Fault::at(from.span, message));
    if proxying.redirect.as_ref().is_some_and(Vec::is_empty)
        || (only("off") && proxying.redirect.is_some())
    {
        return Err(statement.says("is duplicate"));
    }
    if only("off") {
        proxying.redirect = Some(Vec::new());
        return Ok(());
    }
    let rule = if only("default") {
        match proxying.passes {
            None => {
                return said(
                    "\"proxy_redirect default\" should be placed after the \"proxy_pass\" directive",
                );
            }
            Some(true) => {
                return said(
                    "\"proxy_redirect default\" cannot be used with \"proxy_pass\" directive with \
                     variables",
                );
            }
            Some(false) => RedirectRule::Default,
        }
    } else {
        RedirectRule::Replace(rule(statement, Case::AsWritten)?)
    };
    proxying.redirect.get_or_insert_default().push(rule);
    Ok(())
}

/// Whether a pattern that starts with one tilde matches in any case.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Case {
    /// It does.
    Any,
    /// It does not.
    AsWritten,
}

/// What is looked for, and what takes its place.
pub(super) fn rule(statement: &Statement, case: Case) -> Result<ReplaceRule, Fault> {
    let [from, to] = statement.args.as_slice() else {
        let word = statement.arg(0);
        return Err(Fault::at(word.span, format!("invalid parameter \"{}\"", word.value)));
    };
    Ok(ReplaceRule { from: matching(from, case), to: to.clone() })
}

/// A text, or a pattern where it starts with a tilde.
pub(super) fn matching(word: &Word, case: Case) -> Matching {
    let Some(pattern) = word.value.strip_prefix('~') else {
        return Matching::Text(word.clone());
    };
    let (pattern, any_case) = match (case, pattern.strip_prefix('*')) {
        (Case::Any, _) => (pattern, true),
        (Case::AsWritten, Some(pattern)) => (pattern, true),
        (Case::AsWritten, None) => (pattern, false),
    };
    Matching::Regex { pattern: Spanned { value: pattern.to_owned(), span: word.span }, any_case }
}
