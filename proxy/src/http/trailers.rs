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
    /// Whether an answer with this status has trailers, so that it goes out in chunks.
    pub(super) fn has_trailers(&self, status: StatusCode) -> bool {
        let bare = status.is_informational() || matches!(status.as_u16(), 204 | 304);
        !bare
            && self.head.version == Version::HTTP_11
            && self.head.method != Method::HEAD
            && self.trailers_of(is_fine(status)).next().is_some()
    }

    /// The answer has ended: its trailers, line by line.
    pub(super) fn end_with_trailers(&self) -> &[u8] {
        self.trailers.get_or_init(|| {
            let fine = StatusCode::from_u16(self.status.get()).is_ok_and(is_fine);
            let mut lines = Vec::new();
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

    /// `$sent_trailer_NAME`: underscores in it stand for hyphens, too.
    pub(super) fn write_sent_trailer(&self, name: &HeaderName, out: &mut Vec<u8>) -> bool {
        let lines = self.trailers.get().map_or(&b""[..], |lines| lines);
        let mut found = false;
        for line in lines.split(|byte| *byte == b'\n') {
            let Some(at) = line.windows(2).position(|end| end == b": ") else { continue };
            let (its, value) = line.split_at_checked(at).unwrap_or_default();
            let its = String::from_utf8_lossy(its).replace('_', "-");
            if its.eq_ignore_ascii_case(name.as_str()) {
                out.extend_from_slice(if found { b", " } else { b"" });
                out.extend_from_slice(value.get(2..).unwrap_or_default().trim_ascii_end());
                found = true;
            }
        }
        found
    }
}
