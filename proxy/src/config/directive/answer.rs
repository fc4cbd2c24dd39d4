//! How a path is read, and how a redirect is written.

use super::super::inherit::Level;
use super::super::parse::Statement;
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
