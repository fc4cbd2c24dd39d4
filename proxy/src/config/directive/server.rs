//! `server` inside `http`

use super::super::inherit::{HttpDraft, Place, ServerDraft};
use super::super::parse::Statement;
use super::listen;
use super::table::{Arity, Context, Directive, Done, Effect};
use super::walk::{Scope, Walk};

pub(super) const DIRECTIVES: &[Directive] = &[Directive {
    name: "server",
    means: "A virtual server.",
    contexts: &[Context::Http],
    arity: Arity::NONE,
    block: true,
    effect: Effect::Http(server),
    example: "server {}",
}];

fn server(walk: &mut Walk, http: &mut HttpDraft, statement: &Statement) -> Done {
    let mut draft = ServerDraft {
        span: statement.name.span,
        listen: Vec::new(),
        names: Vec::new(),
        root: Place::default(),
    };
    walk.body(statement, Scope::Server(&mut draft))?;
    if draft.listen.is_empty() {
        draft.listen.push(listen::unsaid(&draft, walk.superuser));
    }
    note_conflicts(walk, &draft, &http.servers);
    http.servers.push(draft);
    Ok(())
}

/// The same name twice on one address: the first server has it.
fn note_conflicts(walk: &mut Walk, new: &ServerDraft, servers: &[ServerDraft]) {
    for listen in &new.listen {
        let others = || {
            servers
                .iter()
                .filter(|server| server.listen.iter().any(|other| other.address == listen.address))
        };
        let address = listen::shown(&listen.address);
        let unnamed = new.names.is_empty() && others().any(|server| server.names.is_empty());
        let named = new.names.iter().filter(|name| {
            others().any(|server| server.names.iter().any(|other| other.value == name.value))
        });
        let said = named.map(|name| (name.value.to_string(), name.span));
        let said = said.chain(unnamed.then(|| (String::new(), new.span)));
        for (name, span) in said.collect::<Vec<_>>() {
            walk.warn(span, format!("conflicting server name \"{name}\" on {address}, ignored"));
        }
    }
}
