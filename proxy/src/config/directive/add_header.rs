//! `add_header`, `add_trailer`: fields that answers get, in front of the body and behind it

use super::super::inherit::Level;
use super::super::model::{AddHeader, Inheriting};
use super::super::parse::Statement;
use super::super::problem::Fault;
use super::table::{Arity, Context, Directive, Done, Effect};
use super::walk::{Walk, once};

const fn row(
    name: &'static str,
    arity: Arity,
    effect: fn(&mut Walk, &mut Level, &Statement) -> Done,
    example: &'static str,
    means: &'static str,
) -> Directive {
    let effect = Effect::Level(effect);
    let contexts = &[Context::Http, Context::Server, Context::Location, Context::LocationIf];
    Directive { name, contexts, arity, block: false, effect, example, means }
}

pub(super) const DIRECTIVES: &[Directive] = &[
    row(
        "add_header",
        Arity(2, 3),
        |_, level, s| add(&mut level.answers.add_header, s),
        "add_header X-Served-By $hostname always;",
        "Adds a field to answers with 200, 201, 204, 206, 301, 302, 303, 304, 307 and 308; with \
         `always` to all. `ETag` and `Last-Modified` take the place of the answer's own. A level with \
         fields of its own has none of the outer level's.",
    ),
    row(
        "add_header_inherit",
        Arity::ONE,
        |_, level, s| once(&mut level.answers.add_header_inherit, s, inheriting),
        "add_header_inherit merge;",
        "What a level makes of the outer level's `add_header`: with `merge` they hold behind its \
         own, with `off` not at all. Levels inside do the same, unless they say otherwise. Default `on`.",
    ),
    row(
        "add_trailer",
        Arity(2, 3),
        |_, level, s| add(&mut level.answers.add_trailer, s),
        "add_trailer X-Took $upstream_response_time;",
        "Adds a field behind the body of answers with the same statuses as `add_header`; its value \
         is what the end of the answer makes of it. Such an answer goes out in chunks, to a client of \
         HTTP/1.1; others get no trailers. A level with trailers of its own has none of the outer level's.",
    ),
    row(
        "add_trailer_inherit",
        Arity::ONE,
        |_, level, s| once(&mut level.answers.add_trailer_inherit, s, inheriting),
        "add_trailer_inherit merge;",
        "The same as `add_header_inherit` for `add_trailer`. Default `on`.",
    ),
];

fn add(list: &mut Vec<AddHeader>, statement: &Statement) -> Done {
    let always = match statement.args.get(2) {
        None => false,
        Some(word) if word.value == "always" => true,
        Some(word) => {
            return Err(Fault::at(word.span, format!("invalid parameter \"{}\"", word.value)));
        }
    };
    let (name, value) = (statement.arg(0).clone(), statement.arg(1).clone());
    list.push(AddHeader { name, value, always });
    Ok(())
}

fn inheriting(statement: &Statement) -> Result<Inheriting, Fault> {
    let word = statement.arg(0);
    match word.value.as_str() {
        "off" => Ok(Inheriting::Off),
        "on" => Ok(Inheriting::On),
        "merge" => Ok(Inheriting::Merge),
        other => Err(Fault::at(word.span, format!("invalid value \"{other}\""))),
    }
}
