//! A file as an answer, or why there is none.

use std::fs::{self, File, Metadata};
use std::io;
use std::ops::ControlFlow;
use std::os::unix::fs::MetadataExt;

use bytes::Bytes;
use http::header::{ACCEPT_RANGES, CONTENT_RANGE, CONTENT_TYPE, ETAG, LAST_MODIFIED};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};

use super::super::body::Content;
use super::super::record::Record;
use super::super::reply::Refusal;
use super::super::site::Rules;
use super::super::{returning, target};
use super::fresh::{Fresh, Version};
use super::map::Mapped;
use super::pieces::{Part, Pieces};
use super::ranges::{Wanted, wanted};
use crate::observe::{Level, errno};
use crate::route::{Template, uri};

/// Linux's number for a circle of symbolic links.
const TOO_MANY_LINKS: i32 = 40;

type Outcome = Result<Response<Content>, Refusal>;

/// What comes of a request for a file: an outcome, or the path of a directory's index, which
/// answers in its place.
pub(in super::super) type Served = ControlFlow<Outcome, Vec<u8>>;

/// Answers with the file that the request's path stands for.
pub(in super::super) fn serve(record: &Record, rules: &Rules) -> Served {
    let refuse = |status| Served::Break(Err(Refusal::Status(status)));
    let reads = matches!(*record.method(), Method::GET | Method::HEAD);
    let Some(path) = rules.files.map(record) else {
        return refuse(StatusCode::INTERNAL_SERVER_ERROR);
    };
    if !reads && *record.method() != Method::POST {
        return refuse(StatusCode::METHOD_NOT_ALLOWED);
    }
    if record.path().ends_with(b"/") {
        return directory(record, rules, &path);
    }
    let found = match fs::metadata(path.as_path()) {
        Ok(found) => found,
        Err(error) => return Served::Break(Err(unreadable(record, rules, &path, &error))),
    };
    if found.is_dir() {
        return Served::Break(Err(slash(record)));
    }
    if !found.is_file() {
        record.log(Level::Crit, None, format_args!("\"{path}\" is not a regular file"));
        return refuse(StatusCode::NOT_FOUND);
    }
    let file = match File::open(path.as_path()) {
        Ok(file) => file,
        Err(error) => return Served::Break(Err(unreadable(record, rules, &path, &error))),
    };
    if !reads {
        return refuse(StatusCode::METHOD_NOT_ALLOWED);
    }
    match file.metadata() {
        Ok(found) => Served::Break(send(record, rules, file, &found)),
        Err(_) => refuse(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

/// The first index of a directory that is there.
fn directory(record: &Record, rules: &Rules, path: &Mapped) -> Served {
    let refuse = |status| Served::Break(Err(Refusal::Status(status)));
    let mut tested = false;
    for name in &rules.files.index {
        let mut text = Vec::new();
        Template::render(name, record, &mut text);
        if text.starts_with(b"/") {
            return Served::Continue(text);
        }
        let file = path.with(&text);
        let error = match fs::metadata(file.as_path()) {
            Ok(_) => return Served::Continue([record.path(), &text].concat()),
            Err(error) => error,
        };
        if error.kind() == io::ErrorKind::PermissionDenied {
            let why = errno(&error);
            record.log(Level::Error, None, format_args!("\"{file}\" is forbidden ({why})"));
            return refuse(StatusCode::FORBIDDEN);
        }
        if !tested {
            tested = true;
            if let Err(error) = fs::metadata(path.as_path())
                && is_missing(&error)
            {
                if rules.files.log_not_found {
                    let why = errno(&error);
                    record.log(Level::Error, None, format_args!("\"{file}\" is not found ({why})"));
                }
                return refuse(StatusCode::NOT_FOUND);
            }
        }
        if !is_missing(&error) {
            let why = errno(&error);
            record.log(Level::Crit, None, format_args!("stat() \"{file}\" failed ({why})"));
            return refuse(StatusCode::INTERNAL_SERVER_ERROR);
        }
    }
    forbidden(record, path)
}

fn forbidden(record: &Record, path: &Mapped) -> Served {
    let what = format_args!("directory index of \"{path}\" is forbidden");
    record.log(Level::Error, None, what);
    Served::Break(Err(Refusal::Status(StatusCode::FORBIDDEN)))
}

/// Nothing has that name.
fn is_missing(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidFilename, NotADirectory, NotFound};
    matches!(error.kind(), NotFound | NotADirectory | InvalidFilename)
}

fn unreadable(record: &Record, rules: &Rules, path: &Mapped, error: &io::Error) -> Refusal {
    let (level, status) = match error.kind() {
        _ if is_missing(error) => (Level::Error, StatusCode::NOT_FOUND),
        _ if error.raw_os_error() == Some(TOO_MANY_LINKS) => (Level::Error, StatusCode::FORBIDDEN),
        io::ErrorKind::PermissionDenied => (Level::Error, StatusCode::FORBIDDEN),
        _ => (Level::Crit, StatusCode::INTERNAL_SERVER_ERROR),
    };
    if status != StatusCode::NOT_FOUND || rules.files.log_not_found {
        let why = errno(error);
        record.log(level, None, format_args!("open() \"{path}\" failed ({why})"));
    }
    Refusal::Status(status)
}

/// The redirect to a directory's own path.
fn slash(record: &Record) -> Refusal {
    let mut location = Vec::new();
    uri::escape(record.path(), &mut location);
    location.push(b'/');
    if !record.args().is_empty() {
        location.push(b'?');
        location.extend_from_slice(record.args());
    }
    match HeaderValue::from_bytes(&target::redirect(record, location)) {
        Ok(location) => Refusal::Redirect(StatusCode::MOVED_PERMANENTLY, location),
        Err(_) => Refusal::Status(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

/// Sends the file, or what of it the client has not and wants.
fn send(record: &Record, rules: &Rules, file: File, found: &Metadata) -> Outcome {
    let length = found.len();
    let seconds = u64::try_from(found.mtime()).unwrap_or(0);
    let version = Version::new(seconds, length, rules.files.etag);
    let media = returning::media_type(record, rules);
    let mut answer = Response::new(Content::Empty);
    let fields = answer.headers_mut();
    insert(fields, LAST_MODIFIED, httpdate::fmt_http_date(version.changed));
    if let Some(tag) = &version.tag {
        insert(fields, ETAG, tag.clone());
        record.spelled.borrow_mut().push("ETag".into());
    }
    // Conditions and ranges are for what answers with 200.
    let whole = record.course.status.get() != 0;
    let asked = &record.head.headers;
    if !whole {
        match version.check(asked, rules.files.modified_since) {
            Fresh::Send => {}
            Fresh::Failed => return Err(Refusal::Status(StatusCode::PRECONDITION_FAILED)),
            Fresh::NotModified => {
                *answer.status_mut() = StatusCode::NOT_MODIFIED;
                return Ok(answer);
            }
        }
    }
    fields_of(&mut answer, &media);
    let ranged = !whole && rules.files.max_ranges > 0;
    let range = if ranged { version.range(asked) } else { None };
    let found = range.map_or(Wanted::All, |range| wanted(range, length, rules.files.max_ranges));
    let parts = match found {
        Wanted::Nothing => {
            let fields = answer.headers_mut();
            fields.clear();
            insert(fields, CONTENT_RANGE, format!("bytes */{length}"));
            let fields = Box::new(std::mem::take(fields));
            return Err(Refusal::With(StatusCode::RANGE_NOT_SATISFIABLE, fields));
        }
        Wanted::All => {
            if ranged {
                let bytes = HeaderValue::from_static("bytes");
                answer.headers_mut().insert(ACCEPT_RANGES, bytes);
            }
            vec![Part::File(0, length)]
        }
        Wanted::Parts(parts) => {
            *answer.status_mut() = StatusCode::PARTIAL_CONTENT;
            match parts.as_slice() {
                [(start, end)] => {
                    let range = format!("bytes {start}-{}/{length}", end - 1);
                    insert(answer.headers_mut(), CONTENT_RANGE, range);
                    vec![Part::File(*start, *end)]
                }
                parts => several(&mut answer, parts, length, &media),
            }
        }
    };
    *answer.body_mut() = Content::File(Box::new(Pieces::new(file, parts)));
    Ok(answer)
}

fn fields_of(answer: &mut Response<Content>, media: &HeaderValue) {
    answer.headers_mut().insert(CONTENT_TYPE, media.clone());
}

/// Several parts: each with its own fields, between boundaries.
fn several(
    answer: &mut Response<Content>,
    ranges: &[(u64, u64)],
    length: u64,
    media: &HeaderValue,
) -> Vec<Part> {
    let boundary = format!("{:020}", rand::random::<u64>());
    let media = media.to_str().unwrap_or("application/octet-stream");
    let mut parts = Vec::with_capacity(ranges.len() * 2 + 1);
    for (start, end) in ranges {
        let last = end - 1;
        let head = format!(
            "\r\n--{boundary}\r\nContent-Type: {media}\r\n\
             Content-Range: bytes {start}-{last}/{length}\r\n\r\n"
        );
        parts.push(Part::Text(Bytes::from(head)));
        parts.push(Part::File(*start, *end));
    }
    parts.push(Part::Text(Bytes::from(format!("\r\n--{boundary}--\r\n"))));
    let media = format!("multipart/byteranges; boundary={boundary}");
    insert(answer.headers_mut(), CONTENT_TYPE, media);
    parts
}

fn insert(fields: &mut HeaderMap, name: http::HeaderName, value: String) {
    // It is made of letters and digits.
    if let Ok(value) = HeaderValue::try_from(value) {
        fields.insert(name, value);
    }
}
