//! What rewrites requests becomes a script.

use std::sync::Arc;

use http::StatusCode;

use super::answers::Matched;
use super::site::Builder;
use super::templates::{at, compile, narrow};
use crate::config::model::{self, RewriteFlag};
use crate::config::{Problem, Spanned};
use crate::http::{Returning, Rules};
use crate::route::rewrite::Flag;
use crate::route::{Case, Condition, FileTest, Rewrite, Script, Step, Template};

impl Builder<'_, '_> {
    /// A script of these directives.
    pub(super) fn script(
        &mut self,
        steps: &[model::Step],
        matched: Matched,
    ) -> Result<Script<Arc<Rules>, Returning>, Problem> {
        let steps = steps.iter().map(|step| self.step(step, matched));
        Ok(Script::new(steps.collect::<Result<_, Problem>>()?))
    }

    fn step(
        &mut self,
        step: &model::Step,
        matched: Matched,
    ) -> Result<Step<Arc<Rules>, Returning>, Problem> {
        Ok(match step {
            model::Step::Set { variable, value } => {
                let known = self.names.declare_set(&variable.value);
                let known = known.map_err(|error| at(self.config, error, variable.span))?;
                Step::Set(known, self.template(value)?)
            }
            model::Step::If { condition, steps, settings } => {
                let condition = self.condition(condition)?;
                let place = match settings {
                    None => None,
                    Some(settings) => Some(Arc::new(self.rules(settings, matched)?)),
                };
                Step::If(condition, place, self.script(steps, matched)?)
            }
            model::Step::Rewrite { pattern, replacement, flag } => {
                let regex = self.regex(&pattern.value, Case::Sensitive, pattern)?;
                let flag = match flag {
                    RewriteFlag::Next => Flag::Next,
                    RewriteFlag::Last => Flag::Last,
                    RewriteFlag::Break => Flag::Break,
                    RewriteFlag::Redirect => Flag::Redirect,
                    RewriteFlag::Permanent => Flag::Permanent,
                };
                let rewrite = Rewrite::new(regex, &replacement.value, flag, &self.names);
                Step::Rewrite(
                    rewrite
                        .map_err(|error| at(self.config, &error, narrow(replacement, &error)))?,
                )
            }
            model::Step::Break => Step::Break,
            model::Step::Return(returns) => Step::Return(self.returning(returns)?),
        })
    }

    fn condition(&mut self, condition: &model::Condition) -> Result<Condition, Problem> {
        Ok(match condition {
            model::Condition::Holds(variable) => Condition::Holds(self.template(variable)?),
            model::Condition::Equals { variable, value, not } => {
                Condition::Equals(self.template(variable)?, self.template(value)?, !not)
            }
            model::Condition::Matches { variable, pattern, any_case, not } => {
                let case = if *any_case { Case::Insensitive } else { Case::Sensitive };
                let regex = self.regex(&pattern.value, case, pattern)?;
                Condition::Matches(self.template(variable)?, regex, !not)
            }
            model::Condition::File { path, test, not } => {
                let test = match test {
                    model::FileTest::File => FileTest::File,
                    model::FileTest::Directory => FileTest::Directory,
                    model::FileTest::Anything => FileTest::Anything,
                    model::FileTest::Executable => FileTest::Executable,
                };
                Condition::File(self.template(path)?, test, !not)
            }
        })
    }

    pub(super) fn template(&self, text: &Spanned<String>) -> Result<Template, Problem> {
        compile(self.config, text, &self.names)
    }

    fn returning(&self, returns: &model::Return) -> Result<Returning, Problem> {
        let status = StatusCode::from_u16(returns.code);
        Ok(match (returns.code, status, &returns.text) {
            (444, ..) => Returning::Hangup(444),
            (408 | 499, _, None) => Returning::Hangup(returns.code),
            (_, Err(_), _) => Returning::Page(StatusCode::INTERNAL_SERVER_ERROR),
            (301 | 302 | 303 | 307 | 308, Ok(status), Some(url)) => {
                Returning::Redirect(status, self.template(url)?)
            }
            (_, Ok(status), Some(text)) => Returning::Text(status, self.template(text)?),
            // nginx has pages for these alone; other statuses come without a body.
            (300..=599, Ok(status), None) => Returning::Page(status),
            (_, Ok(status), None) => Returning::Text(status, Template::literal_text("")),
        })
    }
}
