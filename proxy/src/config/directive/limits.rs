//! Who may ask for what: `allow`, `deny`, `satisfy`, `limit_except`, `internal`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::super::inherit::{Level, Place, Within};
use super::super::model::{AccessRule, Who};
use super::super::parse::Statement;
use super::super::problem::Fault;
use super::super::value;
use super::table::{Arity, Context, Directive, Done, Effect};
use super::walk::{Scope, Walk, once};

const RULES: &[Context] =
    &[Context::Http, Context::Server, Context::Location, Context::LimitExcept];

const METHODS: &[&str] = &[
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "DELETE",
    "MKCOL",
    "COPY",
    "MOVE",
    "OPTIONS",
    "PROPFIND",
    "PROPPATCH",
    "LOCK",
    "UNLOCK",
    "PATCH",
];

pub(super) const DIRECTIVES: &[Directive] = &[
    Directive {
        name: "allow",
        means: "Lets in an address, a network, `unix:` or `all`; the first rule that fits counts.",
        contexts: RULES,
        arity: Arity::ONE,
        block: false,
        effect: Effect::Level(|walk, level, s| rule(walk, level, s, true)),
        example: "allow 192.168.1.0/24;",
    },
    Directive {
        name: "deny",
        means: "Answers 403 to an address, a network, `unix:` or `all`.",
        contexts: RULES,
        arity: Arity::ONE,
        block: false,
        effect: Effect::Level(|walk, level, s| rule(walk, level, s, false)),
        example: "deny all;",
    },
    Directive {
        name: "satisfy",
        means: "`all` or `any`: how many of the ways to get in must let a request in. `allow` and \
                `deny` are the only one here. Default `all`.",
        contexts: &[Context::Http, Context::Server, Context::Location],
        arity: Arity::ONE,
        block: false,
        effect: Effect::Level(satisfy),
        example: "satisfy any;",
    },
    Directive {
        name: "limit_except",
        means: "What holds for all methods but these; `GET` includes `HEAD`.",
        contexts: &[Context::Location],
        arity: Arity::SOME,
        block: true,
        effect: Effect::Place(limit_except),
        example: "limit_except GET POST {}",
    },
    Directive {
        name: "internal",
        means: "Only what is sent here from within comes in; others get 404.",
        contexts: &[Context::Location],
        arity: Arity::NONE,
        block: false,
        effect: Effect::Place(internal),
        example: "internal;",
    },
];

fn rule(walk: &mut Walk, level: &mut Level, statement: &Statement, allow: bool) -> Done {
    let word = statement.arg(0);
    let invalid = || Fault::at(word.span, format!("invalid parameter \"{}\"", word.value));
    let who = match word.value.as_str() {
        "all" => Who::All,
        "unix:" => Who::Unix,
        text => {
            let (net, bits) = network(text).ok_or_else(invalid)?;
            let kept = masked(net, bits);
            if kept != net {
                let message = format!("low address bits of {text} are meaningless");
                walk.warn(word.span, message);
            }
            Who::Net(kept, bits)
        }
    };
    level.answers.access.push(AccessRule { who, allow });
    Ok(())
}

/// An address, with the number of its bits that count.
pub(super) fn network(text: &str) -> Option<(IpAddr, u8)> {
    let (addr, bits) = match text.split_once('/') {
        Some((addr, bits)) => (addr, Some(bits)),
        None => (text, None),
    };
    let addr: IpAddr = addr.parse().ok()?;
    let most = if addr.is_ipv4() { 32 } else { 128 };
    let bits = match bits {
        None => most,
        Some(bits) => value::number(bits).and_then(|bits| u8::try_from(bits).ok())?,
    };
    (bits <= most).then_some((addr, bits))
}

/// The address with only its first bits.
pub(super) fn masked(addr: IpAddr, bits: u8) -> IpAddr {
    match addr {
        IpAddr::V4(addr) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(bits.min(32))).unwrap_or(0);
            Ipv4Addr::from(u32::from(addr) & mask).into()
        }
        IpAddr::V6(addr) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(bits.min(128))).unwrap_or(0);
            Ipv6Addr::from(u128::from(addr) & mask).into()
        }
    }
}

fn satisfy(_: &mut Walk, level: &mut Level, statement: &Statement) -> Done {
    once(&mut level.answers.satisfy_any, statement, |s| {
        let word = s.arg(0);
        match word.value.to_ascii_lowercase().as_str() {
            "all" => Ok(false),
            "any" => Ok(true),
            _ => Err(Fault::at(word.span, format!("invalid value \"{}\"", word.value))),
        }
    })
}

fn limit_except(walk: &mut Walk, outer: &mut Place, statement: &Statement) -> Done {
    if outer.limit_except.is_some() {
        return Err(statement.says("is duplicate"));
    }
    let mut methods = Vec::new();
    for word in &statement.args {
        let method = word.value.to_ascii_uppercase();
        if !METHODS.contains(&method.as_str()) {
            return Err(Fault::at(word.span, format!("invalid method \"{}\"", word.value)));
        }
        if method == "GET" {
            methods.push("HEAD".to_owned());
        }
        methods.push(method);
    }
    let mut inner = Place { within: Within::LimitExcept, ..Place::default() };
    walk.body(statement, Scope::LimitExcept(&mut inner))?;
    outer.limit_except = Some((methods, Box::new(inner)));
    Ok(())
}

fn internal(_: &mut Walk, place: &mut Place, _: &Statement) -> Done {
    place.internal = true;
    Ok(())
}
