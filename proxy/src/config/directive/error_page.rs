//! `error_page` and `recursive_error_pages`

use super::super::inherit::Level;
use super::super::model::{ErrorPage, ErrorStatus};
use super::super::parse::{Statement, Word};
use super::super::problem::Fault;
use super::super::value;
use super::table::{Arity, Context, Directive, Done, Effect};
use super::walk::{Walk, once, switch};

pub(super) const DIRECTIVES: &[Directive] = &[
    Directive {
        name: "error_page",
        means: "What takes the place of an error: a path, `@NAME` or a URL, with the error's \
                status, `=CODE`, or `=` for the page's own.",
        contexts: &[Context::Http, Context::Server, Context::Location, Context::LocationIf],
        arity: Arity(2, usize::MAX),
        block: false,
        effect: Effect::Level(error_page),
        example: "error_page 502 503 =200 /sorry.html;",
    },
    Directive {
        name: "recursive_error_pages",
        means: "Whether the error of an error's page has a page. Default `off`.",
        contexts: &[Context::Http, Context::Server, Context::Location],
        arity: Arity::ONE,
        block: false,
        effect: Effect::Level(|_, level, s| {
            once(&mut level.answers.recursive_error_pages, s, switch)
        }),
        example: "recursive_error_pages on;",
    },
];

fn error_page(_: &mut Walk, level: &mut Level, statement: &Statement) -> Done {
    let fault = |word: &Word, message: String| Err(Fault::at(word.span, message));
    let [codes @ .., uri] = statement.args.as_slice() else { return Ok(()) };
    if uri.value.is_empty() {
        return fault(uri, format!("invalid value \"{}\"", uri.value));
    }
    let (codes, status) = match codes {
        [codes @ .., last] if last.value.starts_with('=') => {
            if codes.is_empty() {
                return fault(last, format!("invalid value \"{}\"", last.value));
            }
            let text = last.value.get(1..).unwrap_or_default();
            let code = value::number(text).and_then(|code| u16::try_from(code).ok());
            match (text, code) {
                ("", _) => (codes, ErrorStatus::Theirs),
                (_, Some(code)) => (codes, ErrorStatus::Is(code)),
                _ => return fault(last, format!("invalid value \"{}\"", last.value)),
            }
        }
        codes => (codes, ErrorStatus::Kept),
    };
    let mut page = ErrorPage { codes: Vec::with_capacity(codes.len()), status, uri: uri.clone() };
    for word in codes {
        let code = value::number(&word.value).and_then(|code| u16::try_from(code).ok());
        match code {
            None | Some(499) => return fault(word, format!("invalid value \"{}\"", word.value)),
            Some(code @ 300..=599) => page.codes.push(code),
            Some(_) => {
                let text = &word.value;
                return fault(word, format!("value \"{text}\" must be between 300 and 599"));
            }
        }
    }
    level.answers.error_page.push(page);
    Ok(())
}
