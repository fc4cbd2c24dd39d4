//! The head of an answer in other words than hyper's, as long as hyper's: its version and the
//! spelling of its field names.

use memchr::memchr;

use crate::http::Written;

/// What hyper says to clients of HTTP/1.0, and what nginx says to everyone.
const OLD: &[u8] = b"HTTP/1.0 ";
const NEW: &[u8] = b"HTTP/1.1 ";

/// The head at the start of `bytes` as it is to be written; none when there is none, or nothing to
/// be changed.
pub(super) fn mend(bytes: &[u8], written: &Written) -> Option<Vec<u8>> {
    let old = written.old && bytes.starts_with(OLD);
    if !old && !bytes.starts_with(NEW) {
        return None;
    }
    let mut head = Vec::with_capacity(bytes.len());
    head.extend_from_slice(NEW);
    let mut rest = bytes.get(NEW.len()..)?;
    let mut first = true;
    while let Some(end) = memchr(b'\n', rest) {
        let (line, behind) = rest.split_at_checked(end + 1)?;
        rest = behind;
        match written.names.iter().find(|name| !first && is_named(line, name)) {
            Some(name) => {
                head.extend_from_slice(name.as_bytes());
                head.extend_from_slice(line.get(name.len()..)?);
            }
            None => head.extend_from_slice(line),
        }
        first = false;
        if line.len() <= 2 {
            break;
        }
    }
    Some(head)
}

/// Whether a line is a field of this name.
fn is_named(line: &[u8], name: &str) -> bool {
    line.get(name.len()) == Some(&b':')
        && line.get(..name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mended(bytes: &str, old: bool, names: &[&str]) -> Option<String> {
        let names = names.iter().map(|name| Box::from(*name)).collect();
        mend(bytes.as_bytes(), &Written { old, names, trailers: false })
            .map(|head| String::from_utf8(head).unwrap())
    }

    #[test]
    fn names_go_out_as_the_server_spelled_them() {
        let head = "HTTP/1.1 200 OK\r\nEtag: a\r\nX-Real-Ip: 1\r\nX-Other: 2\r\n\r\nEtag: body";
        let expected = "HTTP/1.1 200 OK\r\nETag: a\r\nX-Real-IP: 1\r\nX-Other: 2\r\n\r\n";
        assert_eq!(mended(head, false, &["X-Real-IP", "ETag"]).as_deref(), Some(expected));
    }

    #[test]
    fn everyone_is_told_the_same_version() {
        let head = "HTTP/1.0 200 OK\r\nA: b\r\n\r\n";
        assert_eq!(mended(head, true, &[]).as_deref(), Some("HTTP/1.1 200 OK\r\nA: b\r\n\r\n"));
        assert_eq!(mended("0123", true, &[]), None);
    }

    #[test]
    fn only_whole_names_count() {
        let head = "HTTP/1.1 200 etag:\r\nX-Etag: a\r\nEtags: b\r\n\r\n";
        assert_eq!(mended(head, false, &["ETag"]).as_deref(), Some(head));
    }
}
