//! Whether a client has a file already, by its date and its tag (RFC 9110, section 13).

use std::time::{Duration, SystemTime};

use http::header::{
    IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE, RANGE,
};
use http::{HeaderMap, HeaderValue};

/// How If-Modified-Since is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ModifiedSince {
    /// Not at all.
    Off,
    /// It must be the file's own time.
    Exact,
    /// It may be later.
    Before,
}

/// What tells one state of a file from another.
#[derive(Debug)]
pub(super) struct Version {
    /// When it was changed, in whole seconds.
    pub(super) changed: SystemTime,
    /// Its ETag, when it has one.
    pub(super) tag: Option<String>,
}

/// What the conditions of a request come to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fresh {
    /// The file is sent.
    Send,
    /// 304
    NotModified,
    /// 412
    Failed,
}

impl Version {
    /// Of a file that was changed so many seconds after 1970, and is so many bytes long.
    pub(super) fn new(seconds: u64, length: u64, tagged: bool) -> Self {
        let changed = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        Self { changed, tag: tagged.then(|| format!("\"{seconds:x}-{length:x}\"")) }
    }

    /// Weighs the conditions, in nginx's order.
    pub(super) fn check(&self, headers: &HeaderMap, rule: ModifiedSince) -> Fresh {
        let unmodified = headers.get(IF_UNMODIFIED_SINCE);
        if unmodified.is_some_and(|date| time(date).is_none_or(|date| date < self.changed)) {
            return Fresh::Failed;
        }
        if headers.get(IF_MATCH).is_some_and(|tags| !self.is_in(tags, false)) {
            return Fresh::Failed;
        }
        let (since, none) = (headers.get(IF_MODIFIED_SINCE), headers.get(IF_NONE_MATCH));
        if since.is_none() && none.is_none() {
            return Fresh::Send;
        }
        let modified = since.is_some_and(|date| self.is_modified(date, rule));
        if modified || none.is_some_and(|tags| !self.is_in(tags, true)) {
            return Fresh::Send;
        }
        Fresh::NotModified
    }

    /// The ranges that a client asks for, unless it has another version of the file.
    pub(super) fn range<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        let range = headers.get(RANGE)?.to_str().ok()?;
        if let Some(condition) = headers.get(IF_RANGE) {
            let same = if condition.as_bytes().ends_with(b"\"") {
                self.tag.as_ref().is_some_and(|tag| tag.as_bytes() == condition.as_bytes())
            } else {
                time(condition) == Some(self.changed)
            };
            if !same {
                return None;
            }
        }
        let (unit, ranges) = range.split_at_checked(6)?;
        (unit.eq_ignore_ascii_case("bytes=") && !ranges.is_empty()).then_some(ranges)
    }

    fn is_modified(&self, date: &HeaderValue, rule: ModifiedSince) -> bool {
        match (rule, time(date)) {
            (ModifiedSince::Off, _) | (_, None) => true,
            (ModifiedSince::Exact, Some(date)) => date != self.changed,
            (ModifiedSince::Before, Some(date)) => date < self.changed,
        }
    }

    /// Whether the list names this version.
    fn is_in(&self, tags: &HeaderValue, weak: bool) -> bool {
        let Ok(tags) = tags.to_str() else { return false };
        if tags == "*" {
            return true;
        }
        let Some(own) = &self.tag else { return false };
        tags.split(',').map(str::trim).any(|tag| {
            let tag = if weak { tag.strip_prefix("W/").unwrap_or(tag) } else { tag };
            tag == own
        })
    }
}

fn time(date: &HeaderValue) -> Option<SystemTime> {
    httpdate::parse_http_date(date.to_str().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATE: &str = "Fri, 13 Feb 2009 23:31:30 GMT";
    const LATER: &str = "Fri, 13 Feb 2009 23:31:31 GMT";
    const EARLIER: &str = "Fri, 13 Feb 2009 23:31:29 GMT";

    fn check(fields: &[(http::HeaderName, &str)], rule: ModifiedSince) -> Fresh {
        let fields = fields.iter().map(|(name, value)| (name.clone(), value.parse().unwrap()));
        Version::new(1_234_567_890, 16, true).check(&fields.collect(), rule)
    }

    #[test]
    fn dates_and_tags_are_weighed_as_nginx_does_it() {
        let tag = "\"499602d2-10\"";
        let weak = "\"x\", W/\"499602d2-10\"";
        for (fields, expected) in [
            (vec![], Fresh::Send),
            (vec![(IF_MODIFIED_SINCE, DATE)], Fresh::NotModified),
            (vec![(IF_MODIFIED_SINCE, LATER)], Fresh::Send),
            (vec![(IF_MODIFIED_SINCE, "yesterday")], Fresh::Send),
            (vec![(IF_NONE_MATCH, tag)], Fresh::NotModified),
            (vec![(IF_NONE_MATCH, weak)], Fresh::NotModified),
            (vec![(IF_NONE_MATCH, "*")], Fresh::NotModified),
            (vec![(IF_NONE_MATCH, "\"x\"")], Fresh::Send),
            (vec![(IF_NONE_MATCH, tag), (IF_MODIFIED_SINCE, LATER)], Fresh::Send),
            (vec![(IF_MATCH, tag)], Fresh::Send),
            (vec![(IF_MATCH, weak)], Fresh::Failed),
            (vec![(IF_UNMODIFIED_SINCE, DATE)], Fresh::Send),
            (vec![(IF_UNMODIFIED_SINCE, EARLIER)], Fresh::Failed),
            (vec![(IF_UNMODIFIED_SINCE, "x")], Fresh::Failed),
        ] {
            assert_eq!(check(&fields, ModifiedSince::Exact), expected, "{fields:?}");
        }
        let since = |date| check(&[(IF_MODIFIED_SINCE, date)], ModifiedSince::Before);
        assert_eq!((since(LATER), since(EARLIER)), (Fresh::NotModified, Fresh::Send));
        assert_eq!(check(&[(IF_MODIFIED_SINCE, DATE)], ModifiedSince::Off), Fresh::Send);
    }
}
