//! `access_log`

use std::time::Duration;

use super::super::inherit::Level;
use super::super::model::{AccessLog, LogBuffer, LogTarget};
use super::super::parse::{Statement, Word};
use super::super::problem::Fault;
use super::super::source::Spanned;
use super::super::value;
use super::table::{Arity, Context, Directive, Done, Effect};
use super::walk::Walk;

pub(super) const DIRECTIVES: &[Directive] = &[Directive {
    name: "access_log",
    means: "One line per request to `FILE` or `stderr`, in a `log_format` (`combined` unless \
            said); `if=` says when, `buffer=` and `flush=` keep lines for a while. `off` by \
            default, where nginx writes `logs/access.log`. Not yet: `syslog:`, variables in the \
            path, `gzip`.",
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
    example: "access_log access.log combined buffer=32k flush=5s if=$args;",
}];

fn access_log(walk: &mut Walk, level: &mut Level, statement: &Statement) -> Done {
    let path = statement.arg(0);
    let logs = level.access_log.get_or_insert_default();
    if path.value == "off" {
        level.access_log_off = true;
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
    let mut options = Options::default();
    for option in statement.args.iter().skip(2) {
        options.parameter(option)?;
    }
    walk.log_conditions.extend(options.condition.clone());
    match (options.size, options.flush) {
        (None, Some(_)) => {
            let message = format!("no buffer is defined for access_log \"{}\"", path.value);
            return Err(Fault::at(path.span, message));
        }
        (None, None) => {}
        (Some(size), flush) => {
            buffer(walk, path, LogBuffer { target: target.value.clone(), size, flush })?;
        }
    }
    logs.push(AccessLog { target, format, condition: options.condition });
    Ok(())
}

/// A file has one buffer, whoever names it.
fn buffer(walk: &mut Walk, path: &Word, buffer: LogBuffer) -> Done {
    match walk.log_buffers.iter().find(|known| known.target == buffer.target) {
        None => walk.log_buffers.push(buffer),
        Some(known) if *known == buffer => {}
        Some(_) => {
            let path_text = &path.value;
            let message =
                format!("access_log \"{path_text}\" already defined with conflicting parameters");
            return Err(Fault::at(path.span, message));
        }
    }
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

/// What follows the format.
#[derive(Default)]
struct Options {
    size: Option<usize>,
    flush: Option<Duration>,
    condition: Option<Spanned<String>>,
}

impl Options {
    fn parameter(&mut self, option: &Word) -> Done {
        let says = |message: String| Fault::at(option.span, message);
        match option.value.split_once('=') {
            Some(("buffer", text)) => {
                let size = value::size(text).and_then(|size| usize::try_from(size).ok());
                let size = size.filter(|size| *size > 0);
                let wrong = || says(format!("invalid buffer size \"{text}\""));
                self.size = Some(size.ok_or_else(wrong)?);
            }
            Some(("flush", text)) => {
                let time = value::time(text).filter(|time| !time.is_zero());
                let wrong = || says(format!("invalid flush time \"{text}\""));
                self.flush = Some(time.ok_or_else(wrong)?);
            }
            Some(("if", text)) => {
                self.condition = Some(Spanned { value: text.to_owned(), span: option.span });
            }
            Some(("gzip", level))
                if !value::number(level).is_some_and(|level| (1..=9).contains(&level)) =>
            {
                return Err(says(format!("invalid compression level \"{level}\"")));
            }
            _ if matches!(option.value.split('=').next(), Some("gzip")) => {
                let what = "\"gzip\" of \"access_log\"";
                return Err(says(format!("{what} is not supported by this proxy yet")));
            }
            _ => return Err(invalid(option)),
        }
        Ok(())
    }
}

fn invalid(word: &Word) -> Fault {
    Fault::at(word.span, format!("invalid parameter \"{}\"", word.value))
}
