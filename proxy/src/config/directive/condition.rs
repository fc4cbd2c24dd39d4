//! `if`

use super::super::inherit::{Place, StepDraft, Within};
use super::super::model::{Condition, FileTest};
use super::super::parse::{Statement, Word};
use super::super::problem::Fault;
use super::super::source::Span;
use super::table::{Arity, Context, Directive, Done, Effect};
use super::walk::{Scope, Walk};

pub(super) const DIRECTIVES: &[Directive] = &[Directive {
    name: "if",
    means: "What stands inside holds where the condition does: a variable, `=`, `!=`, `~`, `~*`, \
            `!~`, `!~*`, `-f`, `-d`, `-e`, `-x` and their `!`.",
    contexts: &[Context::Server, Context::Location],
    arity: Arity::SOME,
    block: true,
    effect: Effect::Place(block),
    example: "if ($http_upgrade = websocket) {}",
}];

fn block(walk: &mut Walk, outer: &mut Place, statement: &Statement) -> Done {
    let condition = condition(statement)?;
    let in_server = outer.pattern.is_none();
    let within = if in_server { Within::ServerIf } else { Within::LocationIf };
    let mut inner = Place { within, ..Place::default() };
    let scope = if in_server { Scope::ServerIf(&mut inner) } else { Scope::LocationIf(&mut inner) };
    walk.body(statement, scope)?;
    outer.steps.push(StepDraft::If(condition, Box::new(inner)));
    Ok(())
}

/// The words between the parentheses, which may stand alone or touch them.
fn condition(statement: &Statement) -> Result<Condition, Fault> {
    let mut words = statement.args.clone();
    let invalid = |word: &Word| Err(invalid(word.span, &word.value));
    let Some(first) = words.first_mut() else { return invalid(&statement.name) };
    let Some(rest) = first.value.strip_prefix('(') else { return invalid(first) };
    first.value = rest.to_owned();
    if first.value.is_empty() {
        words.remove(0);
    }
    let Some(last) = words.last_mut() else { return invalid(statement.arg(0)) };
    let Some(rest) = last.value.strip_suffix(')') else { return invalid(last) };
    last.value = rest.to_owned();
    if last.value.is_empty() {
        words.pop();
    }
    match words.as_slice() {
        [variable, rest @ ..] if variable.value.len() > 1 && variable.value.starts_with('$') => {
            of_variable(variable, rest)
        }
        [operator, rest @ ..] if operator.value.trim_start_matches('!').starts_with('-') => {
            let text = operator.value.as_str();
            let not = text.starts_with('!');
            let test = match text.strip_prefix('!').unwrap_or(text) {
                "-f" => FileTest::File,
                "-d" => FileTest::Directory,
                "-e" => FileTest::Anything,
                "-x" => FileTest::Executable,
                _ => return invalid(operator),
            };
            match rest {
                [path] => Ok(Condition::File { path: path.clone(), test, not }),
                _ => invalid(operator),
            }
        }
        [word, ..] => invalid(word),
        [] => Err(self::invalid(statement.arg(0).span, ")")),
    }
}

fn of_variable(variable: &Word, rest: &[Word]) -> Result<Condition, Fault> {
    let (operator, value) = match rest {
        [] => return Ok(Condition::Holds(variable.clone())),
        [operator, value] => (operator, value),
        _ => return Err(invalid(variable.span, &variable.value)),
    };
    let (variable, value) = (variable.clone(), value.clone());
    let matches = |any_case, not| Condition::Matches {
        variable: variable.clone(),
        pattern: value.clone(),
        any_case,
        not,
    };
    Ok(match operator.value.as_str() {
        "=" => Condition::Equals { variable, value, not: false },
        "!=" => Condition::Equals { variable, value, not: true },
        "~" => matches(false, false),
        "~*" => matches(true, false),
        "!~" => matches(false, true),
        "!~*" => matches(true, true),
        other => {
            return Err(Fault::at(operator.span, format!("unexpected \"{other}\" in condition")));
        }
    })
}

fn invalid(span: Span, text: &str) -> Fault {
    Fault::at(span, format!("invalid condition \"{text}\""))
}
