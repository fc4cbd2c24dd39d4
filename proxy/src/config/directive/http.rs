//! `http`

use super::super::inherit::{HttpDraft, MainDraft};
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
    let (formats, buffers) = (walk.log_formats.clone(), walk.log_buffers.clone());
    main.http = Some(draft.finish(formats, buffers, &walk.prefix));
    Ok(())
}
