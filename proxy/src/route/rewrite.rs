//! One `rewrite`: a pattern, what takes the path's place, and what becomes of the arguments.

use super::escape::{escape_args, unescape_redirect};
use super::names::Names;
use super::regex::{MatchError, Regex};
use super::script::Subject;
use super::template::{Part, Template, TemplateError};
use super::variable::Variable;

/// A `rewrite`, compiled.
#[derive(Debug, Clone)]
pub struct Rewrite {
    regex: Regex,
    path: Template,
    /// What follows the replacement's `?`.
    args: Option<Template>,
    /// Whether the request's own arguments follow: the replacement does not end with `?`.
    keeps_args: bool,
    flag: Flag,
}

/// What happens once a `rewrite` has matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flag {
    /// The next directive.
    Next,
    /// `last`
    Last,
    /// `break`
    Break,
    /// 302
    Redirect,
    /// 301
    Permanent,
}

/// What a `rewrite` did.
pub(super) enum Rewritten {
    Not,
    Moved { stays: bool, last: bool },
    Redirect(bool, Vec<u8>),
    Nothing,
}

impl Rewrite {
    /// Compiles the replacement.
    ///
    /// # Errors
    /// It is no template.
    pub fn new(
        regex: Regex,
        replacement: &str,
        flag: Flag,
        names: &Names,
    ) -> Result<Self, TemplateError> {
        let (text, keeps_args) = match replacement.strip_suffix('?') {
            Some(text) => (text, false),
            None => (replacement, true),
        };
        let compile = |text: &str, before: usize| {
            Template::compile(text, names)
                .map_err(|error| TemplateError { offset: error.offset + before, ..error })
        };
        let (path, args) = match text.split_once('?') {
            Some((path, args)) => (path, Some(compile(args, path.len() + 1)?)),
            None => (text, None),
        };
        Ok(Self { regex, path: compile(path, 0)?, args, keeps_args, flag })
    }

    pub(super) fn run<P>(&self, subject: &impl Subject<P>) -> Result<Rewritten, MatchError> {
        let found = self.regex.captures(subject.path())?;
        if subject.listens() {
            let (pattern, path) = (self.regex.as_str(), subject.path().escape_ascii());
            let word = if found.is_some() { "matches" } else { "does not match" };
            subject.tell(format_args!("\"{pattern}\" {word} \"{path}\""));
        }
        let Some(captures) = found else { return Ok(Rewritten::Not) };
        subject.captured(captures);
        Ok(match self.flag {
            Flag::Redirect => Rewritten::Redirect(false, self.redirect(subject)),
            Flag::Permanent => Rewritten::Redirect(true, self.redirect(subject)),
            flag => self.replace(subject, flag),
        })
    }

    fn replace<P>(&self, subject: &impl Subject<P>, flag: Flag) -> Rewritten {
        let mut path = Vec::new();
        render(&self.path, subject, false, &mut path);
        let own = if self.keeps_args { subject.args() } else { b"" };
        let mut args = Vec::new();
        if let Some(template) = &self.args {
            render(template, subject, true, &mut args);
            if !own.is_empty() {
                args.push(b'&');
            }
        }
        args.extend_from_slice(own);
        if subject.listens() {
            let (path, args) = (path.escape_ascii(), args.escape_ascii());
            subject.tell(format_args!("rewritten data: \"{path}\", args: \"{args}\""));
        }
        if path.is_empty() {
            return Rewritten::Nothing;
        }
        subject.moved(path, args);
        Rewritten::Moved { stays: flag == Flag::Break, last: flag != Flag::Next }
    }

    fn redirect<P>(&self, subject: &impl Subject<P>) -> Vec<u8> {
        let mut text = Vec::new();
        render(&self.path, subject, true, &mut text);
        if let Some(args) = &self.args {
            text.push(b'?');
            render(args, subject, true, &mut text);
        }
        let mut text = unescape_redirect(&text);
        if self.keeps_args && !subject.args().is_empty() {
            text.push(if self.args.is_some() { b'&' } else { b'?' });
            text.extend_from_slice(subject.args());
        }
        if subject.listens() {
            subject.tell(format_args!("rewritten redirect: \"{}\"", text.escape_ascii()));
        }
        text
    }
}

/// Renders a part of the replacement. Groups are escaped where they would be read again.
fn render<P>(template: &Template, subject: &impl Subject<P>, quote: bool, out: &mut Vec<u8>) {
    if !quote || !subject.is_escaped() {
        return template.render(subject, out);
    }
    for part in template.parts() {
        match part {
            Part::Literal(text) => out.extend_from_slice(text.as_bytes()),
            Part::Variable(variable @ Variable::Capture(_)) => {
                let mut value = Vec::new();
                subject.write(variable, &mut value);
                escape_args(&value, out);
            }
            Part::Variable(variable) => {
                subject.write(variable, out);
            }
        }
    }
}
