//! `access_log`

use super::super::inherit::Level;
use super::super::model::{AccessLog, LogTarget};
use super::super::parse::{Statement, Word};
use super::super::problem::Fault;
use super::super::source::Spanned;
use super::super::value;
use super::table::{Arity, Context, Directive, Done, Effect};
use super::walk::Walk;

pub(super) const DIRECTIVES: &[Directive] = &[Directive {
    name: "access_log",
    means: "One line per request to `FILE` or `stderr`, in a `log_format` (`combined` unless \
            said). `off` by default, where nginx writes `logs/access.log`. Not yet: `syslog:`, \
            variables in the path, `gzip`, `if=`.",
    contexts: &[
        Context::Http,
        Context::Server,
        Context::Location,
        Context::LocationIf,
        Context::LimitExcept,
    ],
    arity: Arity::SOME,
    block: false,
    effect: Effect::Level(access_log),
    example: "access_log access.log combined;",
}];

fn access_log(walk: &mut Walk, level: &mut Level, statement: &Statement) -> Done {
    let path = statement.arg(0);
    let logs = level.access_log.get_or_insert_default();
    if path.value == "off" {
        return match statement.args.get(1) {
            None => Ok(()),
            Some(word) => Err(invalid(word)),
        };
    }
    let target = Spanned { value: target(walk, path)?, span: path.span };
    let format = match statement.args.get(1) {
        None => 0,
        Some(name) => {
            walk.log_formats.iter().position(|format| format.name == name.value).ok_or_else(
                || Fault::at(name.span, format!("unknown log format \"{}\"", name.value)),
            )?
        }
    };
    let mut buffered = false;
    for option in statement.args.iter().skip(2) {
        buffered |= parameter(walk, option)?;
    }
    if !buffered && statement.args.iter().any(|option| option.value.starts_with("flush=")) {
        let message = format!("no buffer is defined for access_log \"{}\"", path.value);
        return Err(Fault::at(path.span, message));
    }
    logs.push(AccessLog { target, format });
    Ok(())
}

fn target(walk: &Walk, path: &Word) -> Result<LogTarget, Fault> {
    let unsupported = |what: &str| {
        Err(Fault::at(
            path.span,
            format!("{what} in \"access_log\" is not supported by this proxy yet"),
        ))
    };
    if path.value.starts_with("syslog:") {
        return unsupported("syslog");
    }
    if path.value.contains('$') {
        return unsupported("a variable");
    }
    Ok(if path.value == "stderr" {
        LogTarget::Stderr
    } else {
        LogTarget::File(walk.full_path(&path.value))
    })
}

/// Whether it is `buffer=`, which `flush=` needs.
fn parameter(walk: &mut Walk, option: &Word) -> Result<bool, Fault> {
    let (name, value) = option.value.split_once('=').unwrap_or((option.value.as_str(), ""));
    match name {
        "buffer" if value::size(value).is_none_or(|size| size == 0) => {
            return Err(Fault::at(option.span, format!("invalid buffer size \"{value}\"")));
        }
        "flush" if value::time(value).is_none_or(|time| time.is_zero()) => {
            return Err(Fault::at(option.span, format!("invalid flush time \"{value}\"")));
        }
        "buffer" | "flush" => {
            let why = "lines are written as they come";
            walk.note(option.span, format!("\"{name}\" has no effect here: {why}"));
        }
        "gzip" | "if" => {
            let message =
                format!("\"{name}\" of \"access_log\" is not supported by this proxy yet");
            return Err(Fault::at(option.span, message));
        }
        _ => return Err(invalid(option)),
    }
    Ok(name == "buffer")
}

fn invalid(word: &Word) -> Fault {
    Fault::at(word.span, format!("invalid parameter \"{}\"", word.value))
}
