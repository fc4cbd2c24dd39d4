//! `set`, `rewrite`, `break`, `return`, and what is told of them.

use super::super::inherit::{Place, StepDraft};
use super::super::model::{Return, RewriteFlag, Step};
use super::super::parse::Statement;
use super::super::problem::Fault;
use super::super::source::Spanned;
use super::super::value;
use super::table::{Arity, Context, Directive, Done, Effect};
use super::walk::{Walk, once, switch};

const CONTEXTS: &[Context] =
    &[Context::Server, Context::ServerIf, Context::Location, Context::LocationIf];

const LEVELS: &[Context] =
    &[Context::Http, Context::Server, Context::ServerIf, Context::Location, Context::LocationIf];

const fn row(
    name: &'static str,
    arity: Arity,
    effect: fn(&mut Walk, &mut Place, &Statement) -> Done,
    example: &'static str,
    means: &'static str,
) -> Directive {
    let effect = Effect::Place(effect);
    Directive { name, contexts: CONTEXTS, arity, block: false, effect, example, means }
}

pub(super) const DIRECTIVES: &[Directive] = &[
    row("set", Arity::TWO, set, "set $room lobby;", "Gives a variable a value."),
    row(
        "rewrite",
        Arity(2, 3),
        rewrite,
        "rewrite ^/old/(.*)$ /new/$1 last;",
        "Where the path matches, the replacement takes its place, the arguments behind its own \
         unless it ends with `?`; `last`, `break`, `redirect`, `permanent`.",
    ),
    row("break", Arity::NONE, breaks, "break;", "Ends what rewrites a request."),
    row(
        "return",
        Arity(1, 2),
        returns,
        "return 404;",
        "Answers with a code, a text or a redirect; `444` closes without an answer.",
    ),
    Directive {
        name: "rewrite_log",
        means: "Whether the error log is told, at `notice`, what `rewrite` did. Default `off`.",
        contexts: LEVELS,
        arity: Arity::ONE,
        block: false,
        effect: Effect::Level(|_, level, s| once(&mut level.answers.rewrite_log, s, switch)),
        example: "rewrite_log on;",
    },
    Directive {
        name: "uninitialized_variable_warn",
        means: "Whether the error log is told, at `warn`, that a variable of `set` was used before \
                it had a value. Default `on`.",
        contexts: LEVELS,
        arity: Arity::ONE,
        block: false,
        effect: Effect::Level(|_, level, s| {
            once(&mut level.answers.uninitialized_variable_warn, s, switch)
        }),
        example: "uninitialized_variable_warn off;",
    },
];

fn set(_: &mut Walk, place: &mut Place, statement: &Statement) -> Done {
    let name = statement.arg(0);
    let Some(variable) = name.value.strip_prefix('$').filter(|name| !name.is_empty()) else {
        let message = format!("invalid variable name \"{}\"", name.value);
        return Err(Fault::at(name.span, message));
    };
    let variable = Spanned { value: variable.to_owned(), span: name.span };
    let value = statement.arg(1).clone();
    place.steps.push(StepDraft::Done(Step::Set { variable, value }));
    Ok(())
}

fn rewrite(_: &mut Walk, place: &mut Place, statement: &Statement) -> Done {
    let replacement = statement.arg(1).clone();
    let url = ["http://", "https://", "$scheme"];
    let url = url.iter().any(|start| replacement.value.starts_with(start));
    let flag = match statement.args.get(2).map(|flag| (flag, flag.value.as_str())) {
        None if url => RewriteFlag::Redirect,
        None => RewriteFlag::Next,
        Some((_, "last" | "break")) if url => RewriteFlag::Redirect,
        Some((_, "last")) => RewriteFlag::Last,
        Some((_, "break")) => RewriteFlag::Break,
        Some((_, "redirect")) => RewriteFlag::Redirect,
        Some((_, "permanent")) => RewriteFlag::Permanent,
        Some((flag, text)) => {
            return Err(Fault::at(flag.span, format!("invalid parameter \"{text}\"")));
        }
    };
    let pattern = statement.arg(0).clone();
    place.steps.push(StepDraft::Done(Step::Rewrite { pattern, replacement, flag }));
    Ok(())
}

fn breaks(_: &mut Walk, place: &mut Place, _: &Statement) -> Done {
    place.steps.push(StepDraft::Done(Step::Break));
    Ok(())
}

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
    place.steps.push(StepDraft::Done(Step::Return(returns)));
    Ok(())
}

fn is_url(text: &str) -> bool {
    ["http://", "https://", "$scheme"].iter().any(|start| text.starts_with(start))
}
