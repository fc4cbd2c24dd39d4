//! `types` and `default_type`, for files and for `return`.

use std::sync::Arc;

use super::super::inherit::Level;
use super::super::model::Types;
use super::super::parse::{Block, Statement};
use super::super::problem::Fault;
use super::table::{Arity, Context, Directive, Done, Effect};
use super::walk::{Walk, once};

const CONTEXTS: &[Context] = &[Context::Http, Context::Server, Context::Location];

pub(super) const DIRECTIVES: &[Directive] = &[
    Directive {
        name: "types",
        means: "The media type of a file, or of a `return` with a text in a location, by the path's \
                suffix. Default: those of `html`, `gif` and `jpg`.",
        contexts: CONTEXTS,
        arity: Arity::NONE,
        block: true,
        effect: Effect::Level(types),
        example: "types { text/html html htm; }",
    },
    Directive {
        name: "default_type",
        means: "The media type of what has none by its suffix. Default `text/plain`.",
        contexts: CONTEXTS,
        arity: Arity::ONE,
        block: false,
        effect: Effect::Level(default_type),
        example: "default_type application/octet-stream;",
    },
];

fn types(walk: &mut Walk, level: &mut Level, statement: &Statement) -> Done {
    // A second block of the same level adds to the first.
    let types = level.types.get_or_insert_default();
    match &statement.body {
        Some(body) => lines(walk, Arc::make_mut(types), body),
        None => Ok(()),
    }
}

fn lines(walk: &mut Walk, types: &mut Types, block: &Block) -> Done {
    for statement in &block.statements {
        if statement.name.value == "include" && statement.args.len() == 1 {
            walk.include(statement.arg(0), |walk, block| lines(walk, types, block))?;
        } else if statement.body.is_some() {
            return Err(Fault::at(statement.name.span, "unexpected \"{\""));
        } else {
            let suffixes = statement.args.iter().map(|suffix| suffix.value.to_ascii_lowercase());
            types.extend(suffixes.map(|suffix| (suffix, statement.name.value.clone())));
        }
    }
    block.fault.clone().map_or(Ok(()), Err)
}

fn default_type(_: &mut Walk, level: &mut Level, statement: &Statement) -> Done {
    once(&mut level.default_type, statement, |s| Ok(s.arg(0).value.clone()))
}
