//! How a path is read, and what an answer says besides its body: `add_header`, redirects.

use super::super::inherit::Level;
use super::super::model::AddHeader;
use super::super::parse::Statement;
use super::super::problem::Fault;
use super::table::{Arity, Context, Directive, Done, Effect};
use super::walk::{Walk, once, switch};

const ANYWHERE: &[Context] = &[Context::Http, Context::Server, Context::Location];

const fn row(
    name: &'static str,
    effect: fn(&mut Walk, &mut Level, &Statement) -> Done,
    example: &'static str,
    means: &'static str,
) -> Directive {
    let effect = Effect::Level(effect);
    let (contexts, arity) = (ANYWHERE, Arity::ONE);
    Directive { name, contexts, arity, block: false, effect, example, means }
}

pub(super) const DIRECTIVES: &[Directive] = &[
    Directive {
        contexts: &[Context::Http, Context::Server, Context::Location, Context::LocationIf],
        arity: Arity(2, 3),
        ..row(
            "add_header",
            add_header,
            "add_header X-Served-By $hostname always;",
            "Adds a field to answers with 200, 201, 204, 206, 301, 302, 303, 304, 307 and 308; with \
             `always` to all. A level with fields of its own has none of the outer level's.",
        )
    },
    Directive {
        contexts: &[Context::Http, Context::Server],
        ..row(
            "merge_slashes",
            |_, level, s| once(&mut level.answers.merge_slashes, s, switch),
            "merge_slashes off;",
            "Whether repeated slashes in a path count as one. Default `on`. The default server of an \
             address decides for all of them.",
        )
    },
    row(
        "absolute_redirect",
        |_, level, s| once(&mut level.answers.absolute_redirect, s, switch),
        "absolute_redirect off;",
        "Whether a redirect to a path says scheme and host as well. Default `on`.",
    ),
    row(
        "port_in_redirect",
        |_, level, s| once(&mut level.answers.port_in_redirect, s, switch),
        "port_in_redirect off;",
        "Whether it says the port as well. Default `on`.",
    ),
    row(
        "server_name_in_redirect",
        |_, level, s| once(&mut level.answers.server_name_in_redirect, s, switch),
        "server_name_in_redirect on;",
        "Whether it says the server's first name in the place of the client's Host. Default `off`.",
    ),
];

fn add_header(_: &mut Walk, level: &mut Level, statement: &Statement) -> Done {
    let always = match statement.args.get(2) {
        None => false,
        Some(word) if word.value == "always" => true,
        Some(word) => {
            return Err(Fault::at(word.span, format!("invalid parameter \"{}\"", word.value)));
        }
    };
    let (name, value) = (statement.arg(0).clone(), statement.arg(1).clone());
    level.answers.add_header.push(AddHeader { name, value, always });
    Ok(())
}
