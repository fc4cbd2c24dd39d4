//! What becomes of the cookies of servers: `proxy_cookie_domain`, `proxy_cookie_path` and
//! `proxy_cookie_flags`.

use super::super::inherit::Level;
use super::super::model::{FlagsRule, Matching, ReplaceRule};
use super::super::parse::Statement;
use super::super::problem::Fault;
use super::proxy_answer::{Case, matching, rule};
use super::table::{Arity, Context, Directive, Done, Effect};
use super::walk::Walk;

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
        "proxy_cookie_domain",
        Arity(1, 2),
        cookie_domain,
        "proxy_cookie_domain localhost example.org;",
        "What takes the place of the domain in a `Set-Cookie`, in any case, with or without a dot \
         in front; `~` starts a pattern. Both may have variables. Default `off`.",
    ),
    row(
        "proxy_cookie_path",
        Arity(1, 2),
        cookie_path,
        "proxy_cookie_path /two/ /;",
        "What takes the place of the start of the path in a `Set-Cookie`; `~`, or `~*` in any \
         case, starts a pattern. Both may have variables. Default `off`.",
    ),
    row(
        "proxy_cookie_flags",
        Arity(1, 4),
        cookie_flags,
        "proxy_cookie_flags ~ secure samesite=lax;",
        "The flags that a cookie of this name gets: `secure`, `httponly`, `samesite=strict`, \
         `=lax`, `=none`; and loses: `nosecure`, `nohttponly`, `nosamesite`. `~` starts a pattern \
         of names. The first that fits counts. Default `off`.",
    ),
];

fn cookie_domain(_: &mut Walk, level: &mut Level, statement: &Statement) -> Done {
    add(&mut level.proxying.cookie_domain, statement, |s| {
        let mut rule = rule(s, Case::Any)?;
        // A dot in front of a domain has no meaning any more (RFC 6265, 5.2.3).
        if let Matching::Text(text) = &mut rule.from
            && let Some(rest) = text.value.strip_prefix('.')
        {
            text.value = rest.to_owned();
        }
        Ok(rule)
    })
}

fn cookie_path(_: &mut Walk, level: &mut Level, statement: &Statement) -> Done {
    add(&mut level.proxying.cookie_path, statement, |s| -> Result<ReplaceRule, Fault> {
        rule(s, Case::AsWritten)
    })
}

fn cookie_flags(_: &mut Walk, level: &mut Level, statement: &Statement) -> Done {
    add(&mut level.proxying.cookie_flags, statement, |s| {
        let cookie = s.arg(0);
        if s.args.len() == 1 {
            let message = format!("invalid parameter \"{}\"", cookie.value);
            return Err(Fault::at(cookie.span, message));
        }
        let flags = s.args.iter().skip(1).cloned().collect();
        Ok(FlagsRule { cookie: matching(cookie, Case::Any), flags })
    })
}

/// Adds what a statement says, unless it says `off`, which stands alone at its level.
fn add<T>(
    slot: &mut Option<Vec<T>>,
    statement: &Statement,
    read: impl FnOnce(&Statement) -> Result<T, Fault>,
) -> Done {
    let off = statement.args.len() == 1 && statement.arg(0).value == "off";
    if slot.as_ref().is_some_and(|rules| off || rules.is_empty()) {
        return Err(statement.says("is duplicate"));
    }
    let rules = slot.get_or_insert_default();
    if !off {
        rules.push(read(statement)?);
    }
    Ok(())
}
