//! `http`

use super::super::inherit::{HttpDraft, MainDraft};
use super::super::model::Http;
use super::super::parse::Statement;
use super::table::{Arity, Context, Directive, Done, Effect};
use super::walk::{Scope, Walk};

pub(super) const DIRECTIVES: &[Directive] = &[Directive {
    name: "http",
    means: "The block that holds servers and upstreams.",
    contexts: &[Context::Main],
    arity: Arity::NONE,
    block: true,
    effect: Effect::Main(http),
    example: "http {}",
}];

fn http(walk: &mut Walk, main: &mut MainDraft, statement: &Statement) -> Done {
    if main.http.is_some() {
        return Err(statement.says("is duplicate"));
    }
    let mut draft = HttpDraft::default();
    walk.body(statement, Scope::Http(&mut draft))?;
    main.http = Some(Http {
        log_formats: walk.log_formats.clone(),
        log_buffers: walk.log_buffers.clone(),
        log_conditions: walk.log_conditions.clone(),
        real_ip_names: walk.real_ip_names.clone(),
        ..draft.finish(&walk.prefix)
    });
    Ok(())
}
