//! What the configuration itself answers: `return`.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response, StatusCode};

use super::body::Content;
use super::record::Record;
use super::reply::Refusal;
use super::site::{Returning, Rules};
use super::target;
use crate::route::Template;

/// What a `return` says.
pub(super) fn say(record: &Record, returning: &Returning) -> Result<Response<Content>, Refusal> {
    let render = |template: &Template| {
        let mut text = Vec::new();
        template.render(record, &mut text);
        text
    };
    match returning {
        Returning::Hangup(status) => Err(Refusal::Hangup(*status)),
        Returning::Page(status) => Err(Refusal::Status(*status)),
        Returning::Text(StatusCode::NO_CONTENT, _) => {
            let mut answer = Response::new(Content::Empty);
            *answer.status_mut() = StatusCode::NO_CONTENT;
            Ok(answer)
        }
        Returning::Text(status, text) => {
            let mut answer = Response::new(Content::Whole(Bytes::from(render(text))));
            *answer.status_mut() = *status;
            if let Some(rules) = record.rules() {
                answer.headers_mut().insert(CONTENT_TYPE, media_type(record, rules));
            }
            Ok(answer)
        }
        Returning::Redirect(status, location) => {
            match HeaderValue::from_bytes(&target::redirect(record, render(location))) {
                Ok(location) => Err(Refusal::Redirect(*status, location)),
                Err(_) => Err(Refusal::Status(StatusCode::INTERNAL_SERVER_ERROR)),
            }
        }
    }
}

/// The media type of the program's own text, or of a file: by the path's suffix, if that has one.
pub(super) fn media_type(record: &Record, rules: &Rules) -> HeaderValue {
    let file = record.path().rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    // A dot in front makes no suffix.
    let suffix = file.iter().rposition(|byte| *byte == b'.').filter(|dot| *dot > 0);
    suffix
        .and_then(|dot| std::str::from_utf8(file.get(dot + 1..)?).ok())
        .and_then(|suffix| rules.types.get(&suffix.to_ascii_lowercase()))
        .and_then(|media| HeaderValue::from_str(media).ok())
        .unwrap_or_else(|| rules.default_type.clone())
}
