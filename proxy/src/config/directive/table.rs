//! The one table of directives, and what a row of it is.

use super::super::inherit::{
    EventsDraft, HttpDraft, Level, MainDraft, Place, ServerDraft, UpstreamDraft,
};
use super::super::parse::Statement;
use super::super::problem::Fault;
use super::walk::Walk;

/// One directive of nginx's, in the contexts where it means one thing.
pub(super) struct Directive {
    pub(super) name: &'static str,
    pub(super) contexts: &'static [Context],
    pub(super) arity: Arity,
    /// Whether a `{ ... }` follows in the place of `;`.
    pub(super) block: bool,
    pub(super) effect: Effect,
    /// One use of it that is right in each of its contexts.
    #[cfg_attr(not(test), expect(dead_code, reason = "the tests try every example"))]
    pub(super) example: &'static str,
    /// What it does here and its default, as `docs/directives.md` prints it.
    #[cfg_attr(not(test), expect(dead_code, reason = "a test writes the reference from it"))]
    pub(super) means: &'static str,
}

/// The blocks that a directive may stand in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Context {
    Main,
    Events,
    Http,
    Upstream,
    Server,
    /// `if` in a server.
    ServerIf,
    Location,
    /// `if` in a location.
    LocationIf,
    LimitExcept,
}

/// How many arguments a directive takes, from and to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arity(pub(super) usize, pub(super) usize);

impl Arity {
    pub(super) const NONE: Self = Self(0, 0);
    pub(super) const ONE: Self = Self(1, 1);
    pub(super) const TWO: Self = Self(2, 2);
    pub(super) const SOME: Self = Self(1, usize::MAX);
}

pub(super) type Done = Result<(), Fault>;

/// What applying a directive changes: the draft of the block that it stands in.
#[derive(Clone, Copy)]
pub(super) enum Effect {
    Main(fn(&mut Walk, &mut MainDraft, &Statement) -> Done),
    Events(fn(&mut Walk, &mut EventsDraft, &Statement) -> Done),
    Http(fn(&mut Walk, &mut HttpDraft, &Statement) -> Done),
    Upstream(fn(&mut Walk, &mut UpstreamDraft, &Statement) -> Done),
    Server(fn(&mut Walk, &mut ServerDraft, &Statement) -> Done),
    /// Server and location, and the blocks inside of one.
    Place(fn(&mut Walk, &mut Place, &Statement) -> Done),
    /// Http, server and location, and the blocks inside of one.
    Level(fn(&mut Walk, &mut Level, &Statement) -> Done),
    /// No draft: checked as nginx checks it, and noted with the reason why it has no effect.
    Note(Check, &'static str),
    /// `include`, which continues the block that it stands in.
    Include,
}

/// How nginx checks the arguments of a directive that has no effect here.
#[derive(Clone, Copy)]
pub(super) enum Check {
    /// `on` or `off`.
    Switch,
    /// A number.
    Number,
    /// A size.
    Size,
    /// A time.
    Time,
    /// A number and a size.
    Buffers,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// In a way of its own.
    Own(fn(&Statement) -> Done),
    /// Anything, as often as one likes.
    Anything,
}

pub(super) const TABLE: &[&[Directive]] = &[
    super::access_log::DIRECTIVES,
    super::add_header::DIRECTIVES,
    super::answer::DIRECTIVES,
    super::client::DIRECTIVES,
    super::condition::DIRECTIVES,
    super::error_log::DIRECTIVES,
    super::error_page::DIRECTIVES,
    super::events::DIRECTIVES,
    super::expires::DIRECTIVES,
    super::files::DIRECTIVES,
    super::geo::DIRECTIVES,
    super::heads::DIRECTIVES,
    super::http::DIRECTIVES,
    super::include::DIRECTIVES,
    super::keepalive::DIRECTIVES,
    super::limit::DIRECTIVES,
    super::limit_zones::DIRECTIVES,
    super::limits::DIRECTIVES,
    super::listen::DIRECTIVES,
    super::location::DIRECTIVES,
    super::log_format::DIRECTIVES,
    super::map::DIRECTIVES,
    super::process::DIRECTIVES,
    super::proxy::DIRECTIVES,
    super::proxy_answer::DIRECTIVES,
    super::proxy_buffers::DIRECTIVES,
    super::proxy_cookie::DIRECTIVES,
    super::proxy_next_upstream::DIRECTIVES,
    super::proxy_pass::DIRECTIVES,
    super::proxy_request::DIRECTIVES,
    super::real_ip::DIRECTIVES,
    super::rewrite::DIRECTIVES,
    super::server::DIRECTIVES,
    super::server_name::DIRECTIVES,
    super::serving::DIRECTIVES,
    super::split_clients::DIRECTIVES,
    super::status::DIRECTIVES,
    super::tuning::DIRECTIVES,
    super::types::DIRECTIVES,
    super::upstream::DIRECTIVES,
    super::upstream_keepalive::DIRECTIVES,
    super::upstream_method::DIRECTIVES,
    super::upstream_release::DIRECTIVES,
    super::websocket::DIRECTIVES,
    super::upstream_server::DIRECTIVES,
];

/// Every row, in the order of the table.
pub(super) fn all() -> impl Iterator<Item = &'static Directive> {
    TABLE.iter().flat_map(|family| family.iter())
}

/// The names of all of them.
#[cfg(test)]
pub(in super::super) fn names() -> impl Iterator<Item = &'static str> {
    all().map(|directive| directive.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Loader;

    /// What the examples of limits count in.
    const ZONES: &str = "limit_req_zone $uri zone=requests:32k rate=1r/s; \
                         limit_conn_zone $uri zone=connections:32k;";

    /// A whole configuration in which `text` stands in `context`.
    fn around(context: Context, text: &str) -> String {
        match context {
            Context::Main if text.starts_with("events") => text.to_owned(),
            Context::Main => format!("{text} events {{}}"),
            Context::Events => format!("events {{ {text} }}"),
            Context::Http => format!("events {{}} http {{ {ZONES} {text} }}"),
            Context::Upstream => {
                format!("events {{}} http {{ upstream u {{ server 127.0.0.1; {text} }} }}")
            }
            Context::Server => format!("events {{}} http {{ {ZONES} server {{ {text} }} }}"),
            Context::ServerIf => {
                format!("events {{}} http {{ server {{ if ($uri) {{ {text} }} }} }}")
            }
            Context::Location => {
                format!("events {{}} http {{ {ZONES} server {{ location / {{ {text} }} }} }}")
            }
            Context::LocationIf => {
                format!(
                    "events {{}} http {{ server {{ location / {{ if ($uri) {{ {text} }} }} }} }}"
                )
            }
            Context::LimitExcept => {
                let text = format!("limit_except GET {{ {text} }}");
                format!("events {{}} http {{ {ZONES} server {{ location / {{ {text} }} }} }}")
            }
        }
    }

    const CONTEXTS: &[Context] = &[
        Context::Main,
        Context::Events,
        Context::Http,
        Context::Upstream,
        Context::Server,
        Context::ServerIf,
        Context::Location,
        Context::LocationIf,
        Context::LimitExcept,
    ];

    #[test]
    fn a_name_means_one_thing_in_a_context() {
        for &context in CONTEXTS {
            let mut names: Vec<_> = all()
                .filter(|directive| directive.contexts.contains(&context))
                .map(|directive| directive.name)
                .collect();
            names.sort_unstable();
            let count = names.len();
            names.dedup();
            assert_eq!(names.len(), count, "in {context:?}");
        }
    }

    #[test]
    fn every_example_applies_in_its_contexts() {
        for directive in all() {
            assert!(directive.example.starts_with(directive.name), "{}", directive.name);
            for &context in directive.contexts {
                let text = around(context, directive.example);
                let loaded = Loader::new().load_text("example", &text);
                assert!(loaded.is_ok(), "{text}: {}", loaded.unwrap_err());
            }
        }
    }

    #[test]
    fn no_example_applies_elsewhere() {
        for directive in all() {
            let is = |context: &Context| {
                all().any(|other| other.name == directive.name && other.contexts.contains(context))
            };
            for &context in CONTEXTS.iter().filter(|context| !is(context)) {
                let text = around(context, directive.example);
                let problem = Loader::new().load_text("example", &text).unwrap_err();
                let name = directive.name;
                let not_here = format!("\"{name}\" directive is not allowed here");
                let not_yet = format!(
                    "\"{name}\" is an nginx directive that this proxy does not support yet"
                );
                assert!([not_here, not_yet].contains(&problem.message().to_owned()), "{problem}");
            }
        }
    }

    #[test]
    fn every_file_of_this_room_is_in_the_table() {
        let room = concat!(env!("CARGO_MANIFEST_DIR"), "/src/config/directive");
        let table = std::fs::read_to_string(format!("{room}/table.rs")).unwrap();
        for entry in std::fs::read_dir(room).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let stem = name.strip_suffix(".rs").unwrap();
            let others = [
                "listen_options",
                "mod",
                "modules",
                "reference",
                "refused",
                "table",
                "tests",
                "walk",
            ];
            if others.contains(&stem) {
                continue;
            }
            assert!(table.contains(&format!("super::{stem}::DIRECTIVES,")), "{name}");
        }
    }

    #[test]
    fn refused_names_are_sorted_and_not_ours() {
        let names = super::super::refused::NAMES;
        assert!(names.is_sorted());
        for name in names {
            let ours: Vec<_> = all().filter(|d| d.name == *name).collect();
            let only_upstream = ours.iter().all(|d| d.contexts == [Context::Upstream]);
            assert!(only_upstream, "{name} is refused, but in the table as well");
        }
    }
}
