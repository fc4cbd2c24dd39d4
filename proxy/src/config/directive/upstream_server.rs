//! `server` inside `upstream`

use std::time::Duration;

use super::super::address;
use super::super::inherit::UpstreamDraft;
use super::super::model::UpstreamServer;
use super::super::parse::{Statement, Word};
use super::super::problem::Fault;
use super::super::value;
use super::table::{Arity, Context, Directive, Done, Effect};
use super::walk::Walk;

pub(super) const DIRECTIVES: &[Directive] = &[Directive {
    name: "server",
    means: "`HOST:PORT`, `HOST` (every address of the name) or `unix:PATH`; `weight=` (1), \
            `max_conns=` (0: no limit), `max_fails=` (1), `fail_timeout=` (10s), `backup`, \
            `down`. Not yet: `resolve`, `service=`, `route=`, `drain`, `slow_start=`.",
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
    };
    for word in statement.args.iter().skip(1) {
        parameter(&mut server, word)?;
    }
    if let Err(why) = address::server(&address.value) {
        let message = format!("{why} in upstream \"{}\"", address.value);
        return Err(Fault::at(address.span, message));
    }
    upstream.servers.push(server);
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
        None if word.value == "down" => server.down = true,
        Some((name @ ("service" | "route" | "slow_start"), _)) => {
            return Err(unsupported(name, word));
        }
        None if matches!(word.value.as_str(), "resolve" | "drain") => {
            return Err(unsupported(&word.value, word));
        }
        _ => return Err(invalid()),
    }
    Ok(())
}

fn unsupported(name: &str, word: &Word) -> Fault {
    Fault::at(word.span, format!("\"{name}\" of \"server\" is not supported by this proxy yet"))
}
