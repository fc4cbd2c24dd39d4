//! How many bytes a head was on the wire, counted from what it was parsed into.

use http::HeaderMap;

/// A status line without its words.
pub(super) const STATUS: usize = "HTTP/1.1 200 \r\n".len();

/// A head whose first line, its end included, is so long.
pub(super) fn head(line: usize, headers: &HeaderMap) -> u64 {
    let fields: usize =
        headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    u64::try_from(line + fields + 2).unwrap_or(u64::MAX)
}
