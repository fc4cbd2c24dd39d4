//! `types`, and `default_type`, which `return` uses.

use super::super::inherit::Level;
use super::super::parse::{Block, Statement};
use super::super::problem::Fault;
use super::table::{Arity, Context, Directive, Done, Effect};
use super::walk::{Walk, once};

const CONTEXTS: &[Context] = &[Context::Http, Context::Server, Context::Location];

pub(super) const DIRECTIVES: &[Directive] = &[
    Directive {
        name: "types",
        means: "Read for `mime.types`' sake: no file is served, so nothing has a type by its name.",
        contexts: CONTEXTS,
        arity: Arity::NONE,
        block: true,
        effect: Effect::Level(types),
        example: "types { text/html html htm; }",
    },
    Directive {
        name: "default_type",
        means: "The media type of a `return` with a text. Default `text/plain`.",
        contexts: CONTEXTS,
        arity: Arity::ONE,
        block: false,
        effect: Effect::Level(default_type),
        example: "default_type application/octet-stream;",
    },
];

fn types(walk: &mut Walk, _: &mut Level, statement: &Statement) -> Done {
    if let Some(body) = &statement.body {
        lines(walk, body)?;
    }
    let why = "no file is served, so no suffix has a type";
    walk.note(statement.name.span, format!("\"types\" has no effect here: {why}"));
    Ok(())
}

fn lines(walk: &mut Walk, block: &Block) -> Done {
    for statement in &block.statements {
        if statement.name.value == "include" && statement.args.len() == 1 {
            walk.include(statement.arg(0), lines)?;
        } else if statement.body.is_some() {
            return Err(Fault::at(statement.name.span, "unexpected \"{\""));
        }
    }
    block.fault.clone().map_or(Ok(()), Err)
}

fn default_type(_: &mut Walk, level: &mut Level, statement: &Statement) -> Done {
    once(&mut level.default_type, statement, |s| Ok(s.arg(0).value.clone()))
}
