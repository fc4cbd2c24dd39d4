//! Where the proxy is not equal to nginx yet: work to do, grouped by cause.
//!
//! Unlike the chosen differences these are no decision: each of them goes when its cause does,
//! and the run says which may be taken off.

/// A cause, and the cases that show it.
pub(crate) const OPEN: &[(&str, &[&str])] = &[
    (
        "names that nginx writes itself (Content-Length) go to the client in the worker's spelling",
        &["the case of names to the client"],
    ),
    (
        "proxy_buffer_size: 502 for an answer's head that is too large",
        &["502: the answer's head too large"],
    ),
];

/// The cause that is known for this case.
pub(crate) fn cause(case: &str) -> Option<&'static str> {
    OPEN.iter().find_map(|(cause, cases)| cases.contains(&case).then_some(*cause))
}
