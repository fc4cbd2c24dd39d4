//! Which files answer, and how: `root`, `alias`, `index`, `try_files` and their companions.

use super::super::inherit::{Level, Place, Within};
use super::super::model::{LocationPattern, ModifiedSince, Root, TryFiles, TryLast};
use super::super::parse::{Statement, Word};
use super::super::problem::Fault;
use super::super::source::Spanned;
use super::super::value;
use super::table::{Arity, Context, Directive, Done, Effect};
use super::walk::{Walk, number, once, switch};

const ANYWHERE: &[Context] = &[Context::Http, Context::Server, Context::Location];

const fn row(
    name: &'static str,
    contexts: &'static [Context],
    effect: Effect,
    example: &'static str,
    means: &'static str,
) -> Directive {
    Directive { name, contexts, arity: Arity::ONE, block: false, effect, example, means }
}

pub(super) const DIRECTIVES: &[Directive] = &[
    row(
        "root",
        &[Context::Http, Context::Server, Context::Location, Context::LocationIf],
        Effect::Level(root),
        "root /srv/www;",
        "The directory that paths are looked for in. Default `html` in the prefix.",
    ),
    row(
        "alias",
        &[Context::Location],
        Effect::Place(alias),
        "alias /srv/files/;",
        "The directory that takes the place of the location's prefix.",
    ),
    Directive {
        arity: Arity::SOME,
        ..row(
            "index",
            ANYWHERE,
            Effect::Level(index),
            "index index.html /fallback.html;",
            "The files that answer for a directory. Default `index.html`.",
        )
    },
    Directive {
        arity: Arity(2, usize::MAX),
        ..row(
            "try_files",
            &[Context::Server, Context::Location],
            Effect::Place(try_files),
            "try_files $uri $uri/ /index.html;",
            "The first file (or directory, with a `/` at its end) that is there; else the last \
             argument: a path, `@NAME` or `=CODE`.",
        )
    },
    row(
        "etag",
        ANYWHERE,
        Effect::Level(|_, level, s| once(&mut level.answers.etag, s, switch)),
        "etag off;",
        "Whether a file has an `ETag`. Default `on`.",
    ),
    row(
        "if_modified_since",
        ANYWHERE,
        Effect::Level(if_modified_since),
        "if_modified_since before;",
        "How `If-Modified-Since` is compared: `exact`, `before`, or not at all. Default `exact`.",
    ),
    row(
        "max_ranges",
        ANYWHERE,
        Effect::Level(|_, level, s| once(&mut level.answers.max_ranges, s, number)),
        "max_ranges 1;",
        "How many ranges one request may ask for; `0` turns ranges off. No limit by default.",
    ),
    row(
        "log_not_found",
        ANYWHERE,
        Effect::Level(|_, level, s| once(&mut level.answers.log_not_found, s, switch)),
        "log_not_found off;",
        "Whether the error log is told of files that are not there. Default `on`.",
    ),
];

fn root(walk: &mut Walk, level: &mut Level, statement: &Statement) -> Done {
    rooted(walk, level, statement, false)
}

fn alias(walk: &mut Walk, place: &mut Place, statement: &Statement) -> Done {
    let pattern = place.pattern.as_ref().map(|pattern| &pattern.value);
    if matches!(pattern, Some(LocationPattern::Named(_))) {
        let message = "the \"alias\" directive cannot be used inside the named location";
        return Err(Fault::at(statement.name.span, message));
    }
    rooted(walk, &mut place.level, statement, true)
}

fn rooted(walk: &Walk, level: &mut Level, statement: &Statement, alias: bool) -> Done {
    if let Some(root) = &level.answers.root {
        if root.alias == alias {
            return Err(statement.says("is duplicate"));
        }
        let name = &statement.name.value;
        let other = if root.alias { "alias" } else { "root" };
        let message = format!(
            "\"{name}\" directive is duplicate, \"{other}\" directive was specified earlier"
        );
        return Err(Fault::at(statement.name.span, message));
    }
    let word = statement.arg(0);
    for variable in ["$document_root", "${document_root}", "$realpath_root", "${realpath_root}"] {
        if word.value.contains(variable) {
            let name = &statement.name.value;
            let shown = variable.replace(['{', '}'], "");
            let message =
                format!("the {shown} variable cannot be used in the \"{name}\" directive");
            return Err(Fault::at(word.span, message));
        }
    }
    let mut path = word.value.clone();
    if !path.starts_with('$') {
        path = walk.full_path(&path).display().to_string();
    }
    if !alias && path.ends_with('/') {
        path.pop();
    }
    level.answers.root = Some(Root { path: Spanned { value: path, span: word.span }, alias });
    Ok(())
}

fn index(walk: &mut Walk, level: &mut Level, statement: &Statement) -> Done {
    for (position, word) in statement.args.iter().enumerate() {
        if word.value.starts_with('/') && position + 1 != statement.args.len() {
            walk.warn(word.span, "only the last index in \"index\" directive should be absolute");
        }
        if word.value.is_empty() {
            let message = format!("index \"{}\" in \"index\" directive is invalid", word.value);
            return Err(Fault::at(word.span, message));
        }
        level.answers.index.push(word.clone());
    }
    Ok(())
}

fn try_files(_: &mut Walk, place: &mut Place, statement: &Statement) -> Done {
    debug_assert!(place.within == Within::Itself);
    if place.try_files.is_some() {
        return Err(statement.says("is duplicate"));
    }
    let [files @ .., last] = statement.args.as_slice() else { return Ok(()) };
    let file = |word: &Word| match word.value.strip_suffix('/') {
        Some(path) => (Spanned { value: path.to_owned(), span: word.span }, true),
        None => (word.clone(), false),
    };
    let files = files.iter().map(file).collect();
    let last = match last.value.strip_prefix('=') {
        None => TryLast::Uri(last.clone()),
        Some(text) => {
            let code = value::number(text).and_then(|code| u16::try_from(code).ok());
            let code = code
                .filter(|code| *code <= 999)
                .ok_or_else(|| Fault::at(last.span, format!("invalid code \"{}\"", last.value)))?;
            TryLast::Code(code)
        }
    };
    place.try_files = Some(TryFiles { files, last });
    Ok(())
}

fn if_modified_since(_: &mut Walk, level: &mut Level, statement: &Statement) -> Done {
    once(&mut level.answers.if_modified_since, statement, |s| {
        let word = s.arg(0);
        match word.value.to_ascii_lowercase().as_str() {
            "off" => Ok(ModifiedSince::Off),
            "exact" => Ok(ModifiedSince::Exact),
            "before" => Ok(ModifiedSince::Before),
            _ => Err(Fault::at(word.span, format!("invalid value \"{}\"", word.value))),
        }
    })
}
