//! nginx's rewrite directives, compiled: `set`, `if`, `rewrite`, `break`, `return`, run in the order
//! written over whatever is rewritten.

use super::condition::{Condition, FileTest};
use super::regex::{Captures, MatchError};
use super::rewrite::{Rewrite, Rewritten};
use super::template::Template;
use super::variable::{Values, Variable};

/// The directives of one block. `P` is what holds inside of an `if`, `R` what a `return` says.
#[derive(Debug, Clone)]
pub struct Script<P, R> {
    steps: Box<[Step<P, R>]>,
}

/// One directive.
#[derive(Debug, Clone)]
pub enum Step<P, R> {
    /// `set`
    Set(Variable, Template),
    /// `if`: when, what holds then, what happens then.
    If(Condition, Option<P>, Script<P, R>),
    /// `rewrite`
    Rewrite(Rewrite),
    /// `break`
    Break,
    /// `return`
    Return(R),
}

/// What a script reads and changes: a request.
pub trait Subject<P>: Values {
    /// The path as it is now, decoded.
    fn path(&self) -> &[u8];
    /// The arguments as they are now.
    fn args(&self) -> &[u8];
    /// Whether the client's own path was escaped, so that what is made of it must be.
    fn is_escaped(&self) -> bool;
    /// The file system's word on a path.
    fn is(&self, path: &[u8], test: FileTest) -> bool;
    /// A pattern has matched.
    fn captured(&self, captures: Captures);
    /// A variable has a value.
    fn set(&self, variable: &Variable, value: Vec<u8>);
    /// Path and arguments are others now.
    fn moved(&self, path: Vec<u8>, args: Vec<u8>);
    /// The path has nothing more to do with the location's own.
    fn left(&self);
    /// What an `if` says holds now.
    fn entered(&self, place: &P);
    /// Whether [`Subject::tell`] is listened to.
    fn listens(&self) -> bool;
    /// What a `rewrite` did, for `rewrite_log`.
    fn tell(&self, what: std::fmt::Arguments<'_>);
}

/// How a script ended.
#[derive(Debug)]
pub enum Ended<'a, R> {
    /// The request goes on; whether a location must be looked for.
    On {
        /// Its path was rewritten, and nothing said to stay.
        anew: bool,
    },
    /// A `return`.
    Return(&'a R),
    /// A `rewrite` that redirects.
    Redirect {
        /// 301, not 302.
        permanent: bool,
        /// Where to.
        location: Vec<u8>,
    },
    /// The path was rewritten to nothing: nginx answers 500.
    Nothing,
}

/// What follows a step.
enum Next<'a, R> {
    Go,
    Stop,
    End(Ended<'a, R>),
}

impl<P, R> Script<P, R> {
    /// A script of these directives.
    #[must_use]
    pub fn new(steps: Vec<Step<P, R>>) -> Self {
        Self { steps: steps.into() }
    }

    /// Whether there is nothing to run.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Runs it.
    ///
    /// # Errors
    /// A pattern took too many steps; nginx answers 500.
    pub fn run(&self, subject: &impl Subject<P>) -> Result<Ended<'_, R>, MatchError> {
        let mut anew = false;
        Ok(match self.steps(subject, &mut anew)? {
            Next::Go | Next::Stop => Ended::On { anew },
            Next::End(ended) => ended,
        })
    }

    fn steps(&self, subject: &impl Subject<P>, anew: &mut bool) -> Result<Next<'_, R>, MatchError> {
        for step in &self.steps {
            let next = match step {
                Step::Set(variable, value) => {
                    let mut text = Vec::new();
                    value.render(subject, &mut text);
                    subject.set(variable, text);
                    Next::Go
                }
                Step::If(condition, place, inside) => {
                    if condition.holds(subject)? {
                        if let Some(place) = place {
                            subject.entered(place);
                        }
                        inside.steps(subject, anew)?
                    } else {
                        Next::Go
                    }
                }
                Step::Rewrite(rewrite) => match rewrite.run(subject)? {
                    Rewritten::Not => Next::Go,
                    Rewritten::Nothing => Next::End(Ended::Nothing),
                    Rewritten::Redirect(permanent, location) => {
                        Next::End(Ended::Redirect { permanent, location })
                    }
                    Rewritten::Moved { stays, last } => {
                        *anew = !stays;
                        if stays {
                            subject.left();
                        }
                        if last { Next::Stop } else { Next::Go }
                    }
                },
                Step::Break => {
                    *anew = false;
                    subject.left();
                    Next::Stop
                }
                Step::Return(what) => Next::End(Ended::Return(what)),
            };
            if !matches!(next, Next::Go) {
                return Ok(next);
            }
        }
        Ok(Next::Go)
    }
}

#[cfg(test)]
mod stories;
