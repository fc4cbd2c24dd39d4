//! `docs/directives.md`, written from the table: the reference cannot say what the table does not.

use super::refused;
use super::table::{self, Arity, Context, Directive, Effect};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/directives.md");

#[test]
fn the_reference_says_what_the_table_says() {
    let wanted = reference();
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(FILE, &wanted).unwrap();
    }
    let found = std::fs::read_to_string(FILE).unwrap_or_default();
    let lines = wanted.lines().zip(found.lines().chain(std::iter::repeat("")));
    let same = lines.take_while(|(wanted, found)| wanted == found).count();
    let hint = "write it anew: BLESS=1 cargo test -p proxy --lib reference";
    assert!(found == wanted, "docs/directives.md:{} has drifted; {hint}", same + 1);
}

fn reference() -> String {
    let (noted, effective): (Vec<_>, Vec<_>) =
        table::all().partition(|directive| matches!(directive.effect, Effect::Note(..)));
    let mut text = String::from(
        "# Directives\n\n\
         What `proxy` makes of each directive of nginx 1.31. Written from the table in\n\
         `src/config/directive/`, which a test compares with this file: change the table, not this.\n\n\
         The number of arguments and the contexts are nginx's. `-t` names every directive of a\n\
         configuration that has no effect, with its place.\n\n\
         ## Supported\n\n\
         | Directive | Arguments | Contexts | What it does here |\n\
         |---|---|---|---|\n",
    );
    for directive in sorted(effective) {
        text += &row(directive);
    }
    text += "\n## Accepted without effect\n\n\
             They tune nginx's own machinery. Their arguments are checked as nginx checks them.\n\n\
             | Directive | Arguments | Contexts | Why it has no effect |\n\
             |---|---|---|---|\n";
    for directive in sorted(noted) {
        text += &row(directive);
    }
    text += "\n## Refused\n\n\
             nginx has them, this proxy does not yet. A configuration that uses one is refused:\n\
             `\"gzip\" is an nginx directive that this proxy does not support yet in nginx.conf:5`.\n\
             Where a name stands above as well, it is refused in the other contexts.\n\n";
    let names: Vec<_> = refused::NAMES.iter().map(|name| format!("`{name}`")).collect();
    text + &names.join(" ") + "\n"
}

fn sorted(mut directives: Vec<&'static Directive>) -> Vec<&'static Directive> {
    directives.sort_by_key(|directive| directive.name);
    directives
}

fn row(directive: &Directive) -> String {
    let Directive { example, contexts, arity, means, .. } = directive;
    let contexts: Vec<_> = contexts.iter().map(|context| name(*context)).collect();
    let contexts = if contexts.len() == 9 { "any".to_owned() } else { contexts.join(", ") };
    format!("| `{}` | {} | {contexts} | {means} |\n", example.replace('|', "\\|"), count(*arity))
}

fn name(context: Context) -> &'static str {
    match context {
        Context::Main => "main",
        Context::Events => "events",
        Context::Http => "http",
        Context::Upstream => "upstream",
        Context::Server => "server",
        Context::ServerIf => "if in server",
        Context::Location => "location",
        Context::LocationIf => "if in location",
        Context::LimitExcept => "limit_except",
    }
}

fn count(arity: Arity) -> String {
    match arity {
        Arity(0, 0) => "none".to_owned(),
        Arity(from, usize::MAX) => format!("{from} or more"),
        Arity(from, to) if from == to => from.to_string(),
        Arity(from, to) => format!("{from} to {to}"),
    }
}
