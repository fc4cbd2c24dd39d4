//! Where the proxy is not equal to nginx yet: work to do, grouped by cause.
//!
//! Unlike the chosen differences these are no decision: each of them goes when its cause does,
//! and the run says which may be taken off.

/// A cause, and the cases that show it.
pub(crate) const OPEN: &[(&str, &[&str])] = &[
    (
        "hyper says HTTP/1.0 to a client of HTTP/1.0; nginx says HTTP/1.1",
        &[
            "HTTP/1.0 without Host",
            "HTTP/1.0 with Host",
            "HTTP/1.0 keep-alive",
            "Expect: 100-continue over HTTP/1.0",
            "a chunked answer to HTTP/1.0",
            "an answer by length to HTTP/1.0",
            "an answer until the end to HTTP/1.0",
            "no Host is the empty name",
            "default_server and no Host",
            "return to HTTP/1.0",
            "a redirect for a client without Host",
            "404 to HTTP/1.0",
            "502: refused, to HTTP/1.0",
            "HTTP/1.0 asks for an upgrade",
        ],
    ),
    (
        "hyper answers what it can't parse by itself: a bare 400 without Server, page or log line, where nginx has its page (and 505 for HTTP/2.0 and above; it takes HTTP/1.2 for 1.1)",
        &[
            "HTTP/1.2",
            "HTTP/2.0 in a request line",
            "no version at all",
            "a name with a space",
            "a space before the colon",
            "a line without a colon",
            "a folded line",
            "two lengths that do not",
            "a length that is no number",
            "a negative length",
            "chunked over HTTP/1.0",
            "400: no request at all",
            "400: binary",
            "505",
            "log: of no request",
        ],
    ),
    (
        "names that nginx writes itself (Content-Length) go to the client in the worker's spelling",
        &["the case of names to the client"],
    ),
    (
        "what nginx refuses: no value for Host, small methods, two lengths, length and chunked together; codings but chunked (501), which hang with us",
        &[
            "an empty Host",
            "a lower-case method",
            "two lengths that agree",
            "length and chunked together",
            "an unknown transfer coding",
        ],
    ),
    (
        "a header with an underscore is dropped (underscores_in_headers is off)",
        &["a name with an underscore"],
    ),
    ("the request line is passed on as it came, with its fragment", &["a fragment"]),
    (
        "large_client_header_buffers and proxy_buffer_size: 414, 400 and 502 for what is too large",
        &["414", "400: a header too large", "502: the answer's head too large"],
    ),
    ("keepalive_timeout: an idle connection is closed", &["keepalive_timeout"]),
];

/// The cause that is known for this case.
pub(crate) fn cause(case: &str) -> Option<&'static str> {
    OPEN.iter().find_map(|(cause, cases)| cases.contains(&case).then_some(*cause))
}
