//! The way through the phases.

use std::ops::ControlFlow;
use std::time::Duration;

use http::Response;

use super::super::body::Content;
use super::super::record::Record;
use super::super::reply::Refusal;
use super::{access, content, limits, location, rewrite, server, try_files};

/// How a request ends that asks no server.
pub(in super::super) type Outcome = Result<Response<Content>, Refusal>;

/// What a phase says: the request goes on, or it has ended.
pub(super) type Step<T> = ControlFlow<Outcome, T>;

/// The next phase of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum At {
    /// The server's rewrites.
    Server,
    /// The choice of a location.
    Location,
    /// The location's rewrites.
    Rewrite,
    /// How much is let in.
    Limits,
    /// Who may ask.
    Access,
    /// Which file answers.
    TryFiles,
    /// Who answers.
    Content,
    /// A server is to be asked.
    Forward,
}

/// What is next for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Next {
    /// A phase.
    Phase(At),
    /// A phase, but not before this time is over.
    Wait(Duration, At),
}

/// Takes a request through the phases until it has ended, must wait, or a server is to be asked.
pub(in super::super) fn run(record: &Record, from: At) -> Step<Next> {
    let mut at = from;
    loop {
        at = match at {
            At::Server => server::rewrite(record)?,
            At::Location => location::find(record)?,
            At::Rewrite => rewrite::run(record)?,
            At::Limits => match limits::check(record)? {
                Next::Phase(at) => at,
                wait @ Next::Wait(..) => return Step::Continue(wait),
            },
            At::Access => access::check(record)?,
            At::TryFiles => try_files::look(record)?,
            At::Content => content::answer(record)?,
            At::Forward => return Step::Continue(Next::Phase(at)),
        };
    }
}
