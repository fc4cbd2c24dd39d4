//! `error_log`

use super::super::inherit::{Level, MainDraft};
use super::super::model::{ErrorLog, LogLevel, LogTarget};
use super::super::parse::{Statement, Word};
use super::super::problem::Fault;
use super::super::source::Spanned;
use super::table::{Arity, Context, Directive, Done, Effect};
use super::walk::Walk;

pub(super) const DIRECTIVES: &[Directive] = &[
    Directive {
        name: "error_log",
        means: "Where errors go and the least serious level that is written: `FILE` or `stderr`, \
                several of them. Default: `stderr`, from `notice` on, where nginx has \
                `logs/error.log`. Not yet: `syslog:`, `memory:`.",
        contexts: &[Context::Main],
        arity: Arity::SOME,
        block: false,
        effect: Effect::Main(main),
        example: "error_log stderr notice;",
    },
    Directive {
        name: "error_log",
        means: "The error log of what happens here, in the place of the outer level's.",
        contexts: &[Context::Http, Context::Server, Context::Location],
        arity: Arity::SOME,
        block: false,
        effect: Effect::Level(level),
        example: "error_log error.log warn;",
    },
];

fn main(walk: &mut Walk, main: &mut MainDraft, statement: &Statement) -> Done {
    main.error_log.push(entry(walk, statement)?);
    Ok(())
}

fn level(walk: &mut Walk, level: &mut Level, statement: &Statement) -> Done {
    level.error_log.push(entry(walk, statement)?);
    Ok(())
}

fn entry(walk: &Walk, statement: &Statement) -> Result<ErrorLog, Fault> {
    let path = statement.arg(0);
    let target = Spanned { value: target(walk, path)?, span: path.span };
    let mut level = None;
    for word in statement.args.iter().skip(1) {
        let Some(named) = level_named(&word.value) else {
            let message = format!("invalid log level \"{}\"", word.value);
            return Err(Fault::at(word.span, message));
        };
        if level.is_some_and(|level| level != LogLevel::Debug || named != LogLevel::Debug) {
            let message = format!("duplicate log level \"{}\"", word.value);
            return Err(Fault::at(word.span, message));
        }
        level = Some(named);
    }
    Ok(ErrorLog { target, level: level.unwrap_or(LogLevel::Error) })
}

fn target(walk: &Walk, path: &Word) -> Result<LogTarget, Fault> {
    match path.value.split_once(':') {
        Some((kind @ ("syslog" | "memory"), _)) => Err(Fault::at(
            path.span,
            format!("{kind} in \"error_log\" is not supported by this proxy yet"),
        )),
        _ if path.value == "stderr" => Ok(LogTarget::Stderr),
        _ => Ok(LogTarget::File(walk.full_path(&path.value))),
    }
}

/// The debug levels of nginx's parts are all `debug` here.
fn level_named(name: &str) -> Option<LogLevel> {
    Some(match name {
        "emerg" => LogLevel::Emerg,
        "alert" => LogLevel::Alert,
        "crit" => LogLevel::Crit,
        "error" => LogLevel::Error,
        "warn" => LogLevel::Warn,
        "notice" => LogLevel::Notice,
        "info" => LogLevel::Info,
        "debug" | "debug_core" | "debug_alloc" | "debug_mutex" | "debug_event" | "debug_http"
        | "debug_mail" | "debug_stream" => LogLevel::Debug,
        _ => return None,
    })
}
