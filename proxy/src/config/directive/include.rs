//! `include`: the walk reads the files, in whichever block it stands.

use super::table::{Arity, Context, Directive, Effect};

pub(super) const DIRECTIVES: &[Directive] = &[Directive {
    name: "include",
    means: "Reads files where it stands, by name or pattern, relative to the directory of the \
            main file.",
    contexts: &[
        Context::Main,
        Context::Events,
        Context::Http,
        Context::Upstream,
        Context::Server,
        Context::ServerIf,
        Context::Location,
        Context::LocationIf,
        Context::LimitExcept,
    ],
    arity: Arity::ONE,
    block: false,
    effect: Effect::Include,
    example: "include there-is-no-such-directory/*.conf;",
}];
