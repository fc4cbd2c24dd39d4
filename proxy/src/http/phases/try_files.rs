//! `try_files`: the first file that is there answers.

use http::StatusCode;

use super::super::files::{Aliased, Mapped};
use super::super::record::Record;
use super::super::reply::Refusal;
use super::super::site::TryLast;
use super::redirect;
use super::run::{At, Step};

/// Looks for the files.
pub(super) fn look(record: &Record) -> Step<At> {
    let Some(rules) = record.rules() else { return Step::Continue(At::Content) };
    let Some(tries) = &rules.try_files else { return Step::Continue(At::Content) };
    let files = &rules.files;
    for (name, directory) in &tries.files {
        let mut text = Vec::new();
        name.render(record, &mut text);
        // Under an `alias` the location's prefix is left out.
        let behind = match files.alias {
            Aliased::Prefix(length)
                if text.starts_with(record.path().get(..length).unwrap_or(b"/")) =>
            {
                text.get(length..).unwrap_or_default().to_vec()
            }
            _ => text,
        };
        let path = Mapped::under(files.root(record), &behind);
        let Ok(found) = std::fs::metadata(path.as_path()) else { continue };
        if found.is_dir() != *directory {
            continue;
        }
        let path = match files.alias {
            Aliased::Not => behind,
            Aliased::Prefix(length) => {
                let prefix = record.path().get(..length).unwrap_or_default();
                [prefix, &behind].concat()
            }
            Aliased::Whole if *directory => return Step::Continue(At::Content),
            Aliased::Whole => {
                record.course.aliased.set(true);
                behind
            }
        };
        if path != record.path() {
            let untouched = record.course.untouched.get();
            record.course.rewrite(path, record.args().to_vec());
            record.course.untouched.set(untouched);
        }
        return Step::Continue(At::Content);
    }
    match &tries.last {
        TryLast::Refuse(status) => Step::Break(Err(Refusal::Status(
            StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
        ))),
        TryLast::Uri(uri) => {
            let mut text = Vec::new();
            uri.render(record, &mut text);
            redirect::to(record, text)
        }
    }
}
