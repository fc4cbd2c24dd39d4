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
        "error log: `referrer` is missing, a `no live upstreams` follows each failure, and it says `http://u:/` for `http://u/`; other words for an answer cut short",
        &[
            "error log: two tries, then none",
            "error log: no answer in time",
            "error log: no HTTP",
            "error log: an answer cut short",
        ],
    ),
    (
        "-t: `syntax is ok` before an error of the kind, a file and line where nginx has none, other words for a bad regex; no events at all; wildcards amid a name; no types",
        &[
            "-t: no events",
            "-t: an empty file",
            "-t: an unknown variable",
            "-t: an unknown variable in return",
            "-t: a host that is not found",
            "-t: one name twice",
            "-t: a bad regex",
            "-t: a bad name regex",
            "-t: a bad wildcard",
            "-t: proxy_pass to a host that is not found",
            "-t: proxy_http_version",
        ],
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
    ("proxy_set_header Content-Length has no effect", &["the length is set"]),
    (
        "a header with an underscore is dropped (underscores_in_headers is off)",
        &["a name with an underscore"],
    ),
    ("the request line is passed on as it came, with its fragment", &["a fragment"]),
    (
        "a space behind the colon of an empty value, none behind a status without reason; tabs around a value",
        &["an empty value", "no reason", "spaces around values"],
    ),
    ("the length in a 304 is passed on", &["304 with a length"]),
    (
        "the types that nginx knows without `types`: text/html, image/gif, image/jpeg; and none for a 204",
        &["location of /x.JPG"],
    ),
    (
        "large_client_header_buffers and proxy_buffer_size: 414, 400 and 502 for what is too large",
        &["414", "400: a header too large", "502: the answer's head too large"],
    ),
    (
        "keepalive_timeout: an idle connection is closed; with 0 nginx still says keep-alive",
        &["keepalive_timeout", "keepalive_timeout 0"],
    ),
];

/// The cause that is known for this case.
pub(crate) fn cause(case: &str) -> Option<&'static str> {
    OPEN.iter().find_map(|(cause, cases)| cases.contains(&case).then_some(*cause))
}
