//! `server` inside `upstream`

use std::time::Duration;

use super::super::address;
use super::super::inherit::UpstreamDraft;
use super::super::model::{Method, UpstreamServer};
use super::super::parse::{Statement, Word};
use super::super::problem::Fault;
use super::super::value;
use super::table::{Arity, Context, Directive, Done, Effect};
use super::walk::Walk;

pub(super) const DIRECTIVES: &[Directive] = &[Directive {
    name: "server",
    means: "`HOST:PORT`, `HOST` (every address of the name) or `unix:PATH`; `weight=` (1), \
            `max_conns=` (0: no limit), `max_fails=` (1), `fail_timeout=` (10s), `backup`, `down`, \
            `drain` (as `down`), `slow_start=` (0: after a bench the weight \
            comes back at once). `unix:run/*.sock` is every socket that the pattern matches: one \
            that appears joins within a second, one that vanishes leaves. Not yet: `resolve`, \
            `service=`, `route=`.",
    contexts: &[Context::Upstream],
    arity: Arity::SOME,
    block: false,
    effect: Effect::Upstream(server),
    example: "server unix:example.sock weight=2 max_fails=3 fail_timeout=5s;",
}];

fn server(_: &mut Walk, upstream: &mut UpstreamDraft, statement: &Statement) -> Done {
    let address = statement.arg(0);
    let mut server = UpstreamServer {
        address: address.clone(),
        weight: 1,
        max_conns: 0,
        max_fails: 1,
        fail_timeout: Duration::from_secs(10),
        backup: false,
        down: false,
        slow_start: Duration::ZERO,
    };
    for word in statement.args.iter().skip(1) {
        supported(upstream.method.as_ref(), word)?;
        parameter(&mut server, word)?;
    }
    if let Err(why) = address::server(&address.value) {
        let message = format!("{why} in upstream \"{}\"", address.value);
        return Err(Fault::at(address.span, message));
    }
    upstream.servers.push(server);
    Ok(())
}

/// What goes with the method: nginx looks only at the one that is written before the server.
fn supported(method: Option<&Method>, word: &Word) -> Done {
    let picks_by_key_or_chance =
        matches!(method, Some(Method::IpHash | Method::Hash { .. } | Method::Random { .. }));
    let refused = word.value == "backup" || word.value.starts_with("slow_start=");
    if picks_by_key_or_chance && refused {
        let message = format!("balancing method does not support parameter \"{}\"", word.value);
        return Err(Fault::at(word.span, message));
    }
    Ok(())
}

fn parameter(server: &mut UpstreamServer, word: &Word) -> Done {
    let invalid = || Fault::at(word.span, format!("invalid parameter \"{}\"", word.value));
    let number = |text| value::number(text).and_then(|n| u32::try_from(n).ok()).ok_or_else(invalid);
    match word.value.split_once('=') {
        Some(("weight", text)) => {
            server.weight = number(text)?;
            if server.weight == 0 {
                return Err(invalid());
            }
        }
        Some(("max_conns", text)) => server.max_conns = number(text)?,
        Some(("max_fails", text)) => server.max_fails = number(text)?,
        Some(("fail_timeout", text)) => {
            server.fail_timeout = value::seconds(text).ok_or_else(invalid)?;
        }
        None if word.value == "backup" => server.backup = true,
        None if matches!(word.value.as_str(), "down" | "drain") => server.down = true,
        Some(("slow_start", text)) => server.slow_start = value::time(text).ok_or_else(invalid)?,
        Some((name @ ("service" | "route"), _)) => return Err(unsupported(name, word)),
        None if word.value == "resolve" => return Err(unsupported(&word.value, word)),
        _ => return Err(invalid()),
    }
    Ok(())
}

fn unsupported(name: &str, word: &Word) -> Fault {
    Fault::at(word.span, format!("\"{name}\" of \"server\" is not supported by this proxy yet"))
}
