//! `log_format`

use super::super::inherit::HttpDraft;
use super::super::model::{Escape, LogFormat};
use super::super::parse::{Statement, Word};
use super::super::problem::Fault;
use super::super::source::{Span, Spanned};
use super::table::{Arity, Context, Directive, Done, Effect};
use super::walk::Walk;

pub(super) const DIRECTIVES: &[Directive] = &[Directive {
    name: "log_format",
    means: "Names a format for `access_log`; `escape=default`, `json` or `none`.",
    contexts: &[Context::Http],
    arity: Arity(2, usize::MAX),
    block: false,
    effect: Effect::Http(log_format),
    example: "log_format short '$remote_addr ' '$status';",
}];

/// The format that is always there.
pub(super) fn combined() -> LogFormat {
    let text = "$remote_addr - $remote_user [$time_local] \"$request\" $status \
                $body_bytes_sent \"$http_referer\" \"$http_user_agent\"";
    LogFormat {
        name: "combined".to_owned(),
        escape: Escape::Default,
        text: Spanned { value: text.to_owned(), span: Span { file: 0, line: 1, start: 0, end: 0 } },
    }
}

fn log_format(walk: &mut Walk, _: &mut HttpDraft, statement: &Statement) -> Done {
    let name = statement.arg(0);
    if walk.log_formats.iter().any(|format| format.name == name.value) {
        let message = format!("duplicate \"log_format\" name \"{}\"", name.value);
        return Err(Fault::at(name.span, message));
    }
    let (escape, strings) = match statement.arg(1).value.strip_prefix("escape=") {
        None => (Escape::Default, statement.args.get(1..)),
        Some("default") => (Escape::Default, statement.args.get(2..)),
        Some("json") => (Escape::Json, statement.args.get(2..)),
        Some("none") => (Escape::None, statement.args.get(2..)),
        Some(other) => {
            let message = format!("unknown log format escaping \"{other}\"");
            return Err(Fault::at(statement.arg(1).span, message));
        }
    };
    let strings = strings.unwrap_or_default();
    strings.iter().try_for_each(names)?;
    let span = strings.first().map_or(name.span, |first| Span {
        end: strings.last().map_or(first.span.end, |last| last.span.end),
        ..first.span
    });
    let value = strings.iter().map(|word| word.value.as_str()).collect();
    let text = Spanned { value, span };
    walk.log_formats.push(LogFormat { name: name.value.clone(), escape, text });
    Ok(())
}

/// A `$` has a name behind it: nginx has words of its own for it here.
fn names(word: &Word) -> Done {
    let mut rest = word.value.as_str();
    while let Some((_, after)) = rest.split_once('$') {
        rest = after.strip_prefix('{').unwrap_or(after);
        if !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_') {
            return Err(Fault::at(word.span, format!("invalid parameter \"${after}\"")));
        }
    }
    Ok(())
}
