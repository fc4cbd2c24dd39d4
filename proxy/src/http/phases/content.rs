//! Who answers: a server, the proxy itself, or a file.

use http::StatusCode;

use super::super::files;
use super::super::record::Record;
use super::super::reply::Refusal;
use super::super::site::Action;
use super::redirect;
use super::run::{At, Step};

/// Answers with a file, or lets a server be asked.
pub(super) fn answer(record: &Record) -> Step<At> {
    let Some(rules) = record.rules() else {
        return Step::Break(Err(Refusal::Status(StatusCode::INTERNAL_SERVER_ERROR)));
    };
    match &rules.action {
        Action::Forward(_) | Action::Status(_) => Step::Continue(At::Forward),
        Action::Files => {
            let index = files::serve(record, rules)?;
            redirect::internal(record, index, record.args().to_vec())
        }
    }
}
