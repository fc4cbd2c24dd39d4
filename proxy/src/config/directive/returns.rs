//! `return`

use super::super::inherit::Place;
use super::super::model::Return;
use super::super::parse::Statement;
use super::super::problem::Fault;
use super::super::value;
use super::table::{Arity, Context, Directive, Done, Effect};
use super::walk::Walk;

pub(super) const DIRECTIVES: &[Directive] = &[Directive {
    name: "return",
    means: "Answers with a code, a text or a redirect; `444` closes without an answer.",
    contexts: &[Context::Server, Context::Location],
    arity: Arity(1, 2),
    block: false,
    effect: Effect::Place(returns),
    example: "return 404;",
}];

/// The first `return` of a block is the one that happens; nginx allows more.
fn returns(_: &mut Walk, place: &mut Place, statement: &Statement) -> Done {
    let first = statement.arg(0);
    let code = value::number(&first.value);
    let returns = match (code, statement.args.get(1)) {
        (Some(code), text) if code <= 999 => {
            Return { code: u16::try_from(code).unwrap_or_default(), text: text.cloned() }
        }
        (None, None) if is_url(&first.value) => Return { code: 302, text: Some(first.clone()) },
        _ => {
            let message = format!("invalid return code \"{}\"", first.value);
            return Err(Fault::at(first.span, message));
        }
    };
    place.returns.get_or_insert(returns);
    Ok(())
}

fn is_url(text: &str) -> bool {
    ["http://", "https://", "$scheme"].iter().any(|start| text.starts_with(start))
}
