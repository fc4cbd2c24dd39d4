//! Who a client is behind another proxy: `set_real_ip_from`, `real_ip_header`, `real_ip_recursive`.

use super::super::inherit::Level;
use super::super::model::{RealIpHeader, Who};
use super::super::parse::Statement;
use super::super::problem::Fault;
use super::limits::{masked, network};
use super::table::{Arity, Context, Directive, Done, Effect};
use super::walk::{Walk, once, switch};

const fn row(
    name: &'static str,
    effect: fn(&mut Walk, &mut Level, &Statement) -> Done,
    example: &'static str,
    means: &'static str,
) -> Directive {
    Directive {
        name,
        contexts: &[Context::Http, Context::Server, Context::Location],
        arity: Arity::ONE,
        block: false,
        effect: Effect::Level(effect),
        example,
        means,
    }
}

pub(super) const DIRECTIVES: &[Directive] = &[
    row(
        "set_real_ip_from",
        from,
        "set_real_ip_from 10.0.0.0/8;",
        "Whom to believe who a client is: an address, a network, a name, which is resolved when the \
         configuration is loaded, or `unix:`.",
    ),
    row(
        "real_ip_header",
        header,
        "real_ip_header X-Forwarded-For;",
        "The field that says who a client is. Default `X-Real-IP`. Not yet: `proxy_protocol`.",
    ),
    row(
        "real_ip_recursive",
        |_, level, s| once(&mut level.answers.real_ip_recursive, s, switch),
        "real_ip_recursive on;",
        "Whether those who are believed are left out of the field's list. Default `off`.",
    ),
];

fn from(walk: &mut Walk, level: &mut Level, statement: &Statement) -> Done {
    let word = statement.arg(0);
    let who = if word.value == "unix:" {
        Who::Unix
    } else {
        let Some((net, bits)) = network(&word.value) else {
            if word.value.contains('/') {
                let message = format!("host not found in set_real_ip_from \"{}\"", word.value);
                return Err(Fault::at(word.span, message));
            }
            walk.real_ip_names.push(word.clone());
            level.answers.real_ip_names.push(word.clone());
            return Ok(());
        };
        let kept = masked(net, bits);
        if kept != net {
            walk.warn(word.span, format!("low address bits of {} are meaningless", word.value));
        }
        Who::Net(kept, bits)
    };
    level.answers.real_ip_from.push(who);
    Ok(())
}

fn header(_: &mut Walk, level: &mut Level, statement: &Statement) -> Done {
    once(&mut level.answers.real_ip_header, statement, |s| {
        let word = s.arg(0);
        if word.value == "proxy_protocol" {
            let message =
                "\"proxy_protocol\" in \"real_ip_header\" is not supported by this proxy yet";
            return Err(Fault::at(word.span, message));
        }
        Ok(RealIpHeader(word.clone()))
    })
}
