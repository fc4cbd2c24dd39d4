//! Trailers: the fields that stand behind an answer's last chunk (RFC 9112, 7.1.2).

use http::{HeaderName, HeaderValue, Method, StatusCode, Version};

use super::record::Record;
use super::reply::is_fine;
use crate::route::Template;

/// An `add_trailer` directive.
#[derive(Debug)]
pub(crate) struct Trailer {
    /// The field's name as it goes out, and its colon.
    pub(crate) start: Box<str>,
    /// Its value.
    pub(crate) value: Template,
    /// Whether it is added to errors, too.
    pub(crate) always: bool,
}

impl Record {
    /// Whether an answer with this status has trailers, so that it goes out in chunks; perhaps its
    /// server's `own`.
    pub(super) fn has_trailers(&self, status: StatusCode, own: bool) -> bool {
        let bare = status.is_informational() || matches!(status.as_u16(), 204 | 304);
        !bare
            && self.head.version == Version::HTTP_11
            && self.head.method != Method::HEAD
            && (own || self.trailers_of(is_fine(status)).next().is_some())
    }

    /// The answer has ended: its trailers, line by line.
    pub(super) fn end_with_trailers(&self) -> &[u8] {
        self.trailers.get_or_init(|| {
            let fine = StatusCode::from_u16(self.status.get()).is_ok_and(is_fine);
            let hide = self.forwarding().map_or(&[][..], |forwarding| &forwarding.passing.hide);
            let mut lines = Vec::new();
            passed(&self.upstream_trailers.borrow(), hide, &mut lines);
            for trailer in self.trailers_of(fine) {
                let mut value = Vec::new();
                trailer.value.render(self, &mut value);
                // What can't stand in a field is left out, and what is empty.
                if !value.is_empty() && HeaderValue::from_bytes(&value).is_ok() {
                    for part in [trailer.start.as_bytes(), &value, b"\r\n"] {
                        lines.extend_from_slice(part);
                    }
                }
            }
            lines.into()
        })
    }

    fn trailers_of(&self, fine: bool) -> impl Iterator<Item = &Trailer> {
        let all = self.rules().map_or(&[][..], |rules| &rules.trailers);
        all.iter().filter(move |trailer| fine || trailer.always)
    }

    /// `$sent_trailer_NAME`
    pub(super) fn write_sent_trailer(&self, name: &HeaderName, out: &mut Vec<u8>) -> bool {
        self.trailers.get().is_some_and(|lines| write(lines, name, out))
    }

    /// `$upstream_trailer_NAME`
    pub(super) fn write_upstream_trailer(&self, name: &HeaderName, out: &mut Vec<u8>) -> bool {
        write(&self.upstream_trailers.borrow(), name, out)
    }
}

/// The names and values in lines of fields.
fn fields(lines: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    lines.split(|byte| *byte == b'\n').filter_map(|line| {
        let (name, value) = line.split_at_checked(line.iter().position(|byte| *byte == b':')?)?;
        Some((name, value.get(1..).unwrap_or_default().trim_ascii()))
    })
}

/// Passes on what is not hidden.
pub(super) fn passed(lines: &[u8], hide: &[HeaderName], out: &mut Vec<u8>) {
    let is_hidden = |name: &[u8]| {
        hide.iter().any(|hidden| hidden.as_str().as_bytes().eq_ignore_ascii_case(name))
    };
    for (name, value) in fields(lines).filter(|(name, _)| !is_hidden(name)) {
        for part in [name, b": ", value, b"\r\n"] {
            out.extend_from_slice(part);
        }
    }
}

/// The values of one field; its name has hyphens for underscores.
fn write(lines: &[u8], name: &HeaderName, out: &mut Vec<u8>) -> bool {
    let is = |byte: u8| if byte == b'_' { b'-' } else { byte.to_ascii_lowercase() };
    let same = |its: &[u8]| its.iter().map(|byte| is(*byte)).eq(name.as_str().bytes());
    let mut found = false;
    for (_, value) in fields(lines).filter(|(its, _)| same(its)) {
        out.extend_from_slice(if found { b", " } else { b"" });
        out.extend_from_slice(value);
        found = true;
    }
    found
}
