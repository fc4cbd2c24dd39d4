//! `upstream` and `zone`

use super::super::inherit::{HttpDraft, UpstreamDraft};
use super::super::parse::Statement;
use super::super::problem::Fault;
use super::super::source::Span;
use super::super::value;
use super::limit_zones::Use;
use super::table::{Arity, Context, Directive, Done, Effect};
use super::upstream_release;
use super::walk::{Scope, Walk};

pub(super) const DIRECTIVES: &[Directive] = &[
    Directive {
        name: "upstream",
        means: "A named group of servers.",
        contexts: &[Context::Http],
        arity: Arity::ONE,
        block: true,
        effect: Effect::Http(upstream),
        example: "upstream example { server 127.0.0.1:8081; }",
    },
    Directive {
        name: "zone",
        means: "No effect: one process has all counts, so nothing needs to be shared.",
        contexts: &[Context::Upstream],
        arity: Arity(1, 2),
        block: false,
        effect: Effect::Upstream(zone),
        example: "zone example 64k;",
    },
];

fn upstream(walk: &mut Walk, http: &mut HttpDraft, statement: &Statement) -> Done {
    let name = statement.arg(0);
    if http.upstreams.iter().any(|other| other.name.value.eq_ignore_ascii_case(&name.value)) {
        return Err(Fault::at(name.span, format!("duplicate upstream \"{}\"", name.value)));
    }
    let mut draft = UpstreamDraft::default();
    walk.body(statement, Scope::Upstream(&mut draft))?;
    if draft.servers.is_empty() {
        // nginx names the line of the closing brace; the caret is more use under the name.
        let line = statement.body.as_ref().map_or(name.span.line, |body| body.end.line);
        let message = "no servers are inside upstream";
        return Err(Fault::at(Span { line, ..name.span }, message));
    }
    if draft.servers.iter().all(|server| server.backup) {
        return Err(Fault::at(name.span, format!("no servers in upstream \"{}\"", name.value)));
    }
    upstream_release::fits(&draft)?;
    http.upstreams.push(draft.finish(name.clone()));
    Ok(())
}

/// The smallest zone that nginx takes: eight pages.
const SMALLEST_ZONE: u64 = 8 * 4096;

fn zone(walk: &mut Walk, _: &mut UpstreamDraft, statement: &Statement) -> Done {
    if let Some(size) = statement.args.get(1) {
        let message = match value::size(&size.value) {
            None => format!("invalid zone size \"{}\"", size.value),
            Some(..SMALLEST_ZONE) => format!("zone \"{}\" is too small", statement.arg(0).value),
            Some(_) => String::new(),
        };
        if !message.is_empty() {
            return Err(Fault::at(size.span, message));
        }
    }
    let (name, size) = (statement.arg(0), statement.args.get(1));
    let size = size.and_then(|size| value::size(&size.value)).unwrap_or(0);
    walk.zone(&name.value, size, Use::Upstream, name.span)?;
    let why = "the counts belong to the whole process anyway";
    walk.note(statement.name.span, format!("\"zone\" has no effect here: {why}"));
    Ok(())
}
