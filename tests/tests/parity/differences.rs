//! The differences from nginx that we choose to have, each with its reason.
//!
//! The run shows them, and fails when a case differs that is not here, or differs in other lines
//! than these, or does not differ any more.

/// One case that ends otherwise than with nginx.
pub(crate) struct Difference {
    /// The name of the case.
    pub(crate) case: &'static str,
    /// What only nginx shows, line by line.
    pub(crate) nginx: &'static [&'static str],
    /// What only the proxy shows.
    pub(crate) proxy: &'static [&'static str],
    /// Why ours is better.
    pub(crate) why: &'static str,
}

/// The one that is chosen for this case.
pub(crate) fn of(case: &str) -> Option<&'static Difference> {
    all().find(|known| known.case == case)
}

/// All of them.
pub(crate) fn all() -> impl Iterator<Item = &'static Difference> {
    CHOSEN
        .iter()
        .chain(crate::differences_passing::CHOSEN)
        .chain(crate::differences_framing::CHOSEN)
}

/// Those of most families.
const CHOSEN: &[Difference] = &[
    Difference {
        case: "the client half-closes and the worker still sends",
        nginx: &["client 1 < "],
        proxy: &["client 1 < last words"],
        why: "A half-close is passed on and the other direction finishes; nginx drops what the worker still sends.",
    },
    Difference {
        case: "the worker half-closes and the client still sends",
        nginx: &[],
        proxy: &["worker a < last words"],
        why: "A half-close is passed on and the other direction finishes; nginx drops what the client still sends.",
    },
    Difference {
        case: "101 that nobody asked for",
        nginx: &[
            "client 1 < HTTP/1.1 101 Switching Protocols",
            "client 1 < Connection: upgrade",
            "client 1 < Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
            "client 1 < Upgrade: websocket",
        ],
        proxy: &[
            "client 1 < HTTP/1.1 502 Bad Gateway",
            "client 1 < Connection: keep-alive",
            "client 1 < Content-Length: *",
            "client 1 < Content-Type: text/html",
            "client 1 < [by length] <html>\\r\\n<head><title>502 Bad Gateway</title></head>\\r\\n<body>\\r\\n<center><h1>502 Bad Gateway</h1></center>\\r\\n<hr><center>*</center>\\r\\n</body>\\r\\n</html>\\r\\n",
        ],
        why: "A 101 without a request for it is a bad gateway (RFC 9110, section 15.2.2): a client that waits for an answer would take what follows for one.",
    },
    Difference {
        case: "a 100 from the worker before its answer",
        nginx: &[
            "client 1 < HTTP/1.1 100 Continue",
            "client 1 < HTTP/1.1 200 OK",
            "client 1 < Content-Length: 2",
        ],
        proxy: &["client 1 < HTTP/1.1 200 OK", "client 1 < Content-Length: 2"],
        why: "An interim answer is skipped (RFC 9110, section 15.2); this nginx takes it for the final one and garbles what follows. The newest does as we do.",
    },
    Difference {
        case: "a 103 from the worker before its answer",
        nginx: &[
            "client 1 < HTTP/1.1 103 Early Hints",
            "client 1 < Link: </x>",
            "client 1 < HTTP/1.1 200 OK",
            "client 1 < Content-Length: 2",
        ],
        proxy: &["client 1 < HTTP/1.1 200 OK", "client 1 < Content-Length: 2"],
        why: "An interim answer is skipped (RFC 9110, section 15.2); this nginx takes it for the final one and garbles what follows. The newest does as we do.",
    },
    Difference {
        case: "the worker speaks no HTTP",
        nginx: &["client 1 < hello there", "client 1 < [until closed] "],
        proxy: &[
            "client 1 < HTTP/1.1 502 Bad Gateway",
            "client 1 < Connection: close",
            "client 1 < Content-Length: *",
            "client 1 < Content-Type: text/html",
            "client 1 < Date: *",
            "client 1 < Server: *",
            "client 1 < [by length] <html>\\r\\n<head><title>502 Bad Gateway</title></head>\\r\\n<body>\\r\\n<center><h1>502 Bad Gateway</h1></center>\\r\\n<hr><center>*</center>\\r\\n</body>\\r\\n</html>\\r\\n",
        ],
        why: "What is no HTTP/1 is a bad gateway; nginx passes it on as HTTP/0.9, bare, with no status.",
    },
    Difference {
        case: "a worker's answer with a bad length",
        nginx: &[
            "client 1 < HTTP/1.1 200 OK",
            "client 1 < Transfer-Encoding: chunked",
            "client 1 < [chunked] ",
        ],
        proxy: &[
            "client 1 < HTTP/1.1 502 Bad Gateway",
            "client 1 < Content-Length: *",
            "client 1 < Content-Type: text/html",
            "client 1 < [by length] <html>\\r\\n<head><title>502 Bad Gateway</title></head>\\r\\n<body>\\r\\n<center><h1>502 Bad Gateway</h1></center>\\r\\n<hr><center>*</center>\\r\\n</body>\\r\\n</html>\\r\\n",
        ],
        why: "A length that is none is a bad gateway (RFC 9112, section 6.3); nginx guesses.",
    },
    Difference {
        case: "an answer that stops in the middle",
        nginx: &["client 1 < [by length] "],
        proxy: &["client 1 < [by length] ok"],
        why: "Nothing is held back: the client has what came before the worker stopped. nginx loses its buffer.",
    },
    Difference {
        case: "a chunked body",
        nginx: &["worker a < Content-Length: 6", "worker a < [by length] hello!"],
        proxy: &["worker a < Transfer-Encoding: chunked", "worker a < [chunked] hello!"],
        why: "Bodies are not collected before they are passed on, so their length is not known.",
    },
    Difference {
        case: "a chunked body, streamed",
        nginx: &["worker a < Content-Length: 5", "worker a < [by length] hello"],
        proxy: &["worker a < Transfer-Encoding: chunked", "worker a < [chunked] hello"],
        why: "Bodies are not collected before they are passed on, so their length is not known.",
    },
    Difference {
        case: "a chunked body of nothing",
        nginx: &["worker a < Content-Length: 0", "worker a < [by length] "],
        proxy: &["worker a < Transfer-Encoding: chunked", "worker a < [chunked] "],
        why: "Bodies are not collected before they are passed on, so their length is not known.",
    },
    Difference {
        case: "chunk extensions",
        nginx: &["worker a < Content-Length: 2", "worker a < [by length] hi"],
        proxy: &["worker a < Transfer-Encoding: chunked", "worker a < [chunked] hi"],
        why: "Bodies are not collected before they are passed on, so their length is not known.",
    },
    Difference {
        case: "trailers",
        nginx: &["worker a < Content-Length: 2", "worker a < [by length] hi"],
        proxy: &["worker a < Transfer-Encoding: chunked", "worker a < [chunked] hi"],
        why: "Bodies are not collected before they are passed on, so their length is not known.",
    },
    Difference {
        case: "HTTP/0.9",
        nginx: &["client 1 < a", "client 1 < (closed)"],
        proxy: &[
            "client 1 < HTTP/1.1 400 Bad Request",
            "client 1 < Connection: close",
            "client 1 < Content-Length: *",
            "client 1 < Content-Type: text/html",
            "client 1 < Date: *",
            "client 1 < Server: *",
            "client 1 < [by length] <html>\\r\\n<head><title>400 Bad Request</title></head>\\r\\n<body>\\r\\n<center><h1>400 Bad Request</h1></center>\\r\\n<hr><center>*</center>\\r\\n</body>\\r\\n</html>\\r\\n",
        ],
        why: "HTTP/0.9 is not spoken: no client does, and a request without a version is more likely garbage.",
    },
    Difference {
        case: "error log: two tries, then none",
        nginx: &[],
        proxy: &[
            "log: TIME [error] PID: *N connect() to unix:a.sock failed (111: Connection refused) while connecting to upstream, client: 127.0.0.1, server: s, request: \"GET /2 HTTP/1.1\", upstream: \"http://unix:a.sock:/2\", host: \"h\"",
            "log: TIME [error] PID: *N connect() to unix:b.sock failed (111: Connection refused) while connecting to upstream, client: 127.0.0.1, server: s, request: \"GET /2 HTTP/1.1\", upstream: \"http://unix:b.sock:/2\", host: \"h\"",
        ],
        why: "Where nginx gives up, benched servers are asked before a request is refused: what they did is told.",
    },
    Difference {
        case: "error log: no answer in time",
        nginx: &[
            "log: TIME [error] PID: *N upstream timed out (110: Connection timed out) while reading response header from upstream, client: 127.0.0.1, server: , request: \"GET /p?q=1 HTTP/1.1\", upstream: \"http://unix:a.sock/p?q=1\", host: \"h.example\", referrer: \"http://r/\"",
        ],
        proxy: &[
            "log: TIME [error] PID: *N upstream timed out (110: Connection timed out) while reading response header from upstream, client: 127.0.0.1, server: , request: \"GET /p?q=1 HTTP/1.1\", upstream: \"http://unix:a.sock:/p?q=1\", host: \"h.example\", referrer: \"http://r/\"",
        ],
        why: "The colon ends a socket's path everywhere; nginx has forgotten by then that the address is one.",
    },
    Difference {
        case: "error log: no HTTP",
        nginx: &["client 1 < garbage", "client 1 < [until closed] "],
        proxy: &[
            "client 1 < HTTP/1.1 502 Bad Gateway",
            "client 1 < Connection: close",
            "client 1 < Content-Length: *",
            "client 1 < Content-Type: text/html",
            "client 1 < Date: *",
            "client 1 < Server: *",
            "client 1 < [by length] <html>\\r\\n<head><title>502 Bad Gateway</title></head>\\r\\n<body>\\r\\n<center><h1>502 Bad Gateway</h1></center>\\r\\n<hr><center>*</center>\\r\\n</body>\\r\\n</html>\\r\\n",
        ],
        why: "What is no HTTP/1 is a bad gateway; nginx passes it on as HTTP/0.9. The log says the same.",
    },
    Difference {
        case: "keepalive_timeout 0",
        nginx: &["client 1 < Connection: keep-alive"],
        proxy: &["client 1 < Connection: close"],
        why: "The answer says what happens. nginx closes too, but says keep-alive when `return` stands outside of locations.",
    },
    Difference {
        case: "no reason",
        nginx: &["client 1 < HTTP/1.1 200"],
        proxy: &["client 1 < HTTP/1.1 200 "],
        why: "The space stands in the line even where the words are missing (RFC 9112, section 4).",
    },
    Difference {
        case: "spaces around values",
        nginx: &["worker a < X-C: 	3	"],
        proxy: &["worker a < X-C: 3"],
        why: "Blanks around a value are no part of it, tabs no more than spaces (RFC 9110, section 5.5).",
    },
    Difference {
        case: "the length is set",
        nginx: &["worker a < Content-Length: 0", "worker a < [by length] "],
        proxy: &[],
        why: "Framing is the proxy's own: a length that is not the body's would smuggle requests.",
    },
    Difference {
        case: "304 with a length",
        nginx: &["client 1 < Content-Length: 9"],
        proxy: &[],
        why: "A 304 may leave its length out (RFC 9110, section 8.6), and none can be taken for a body's then.",
    },
    Difference {
        case: "-t: an unknown variable",
        nginx: &["[emerg] unknown \"nope\" variable"],
        proxy: &["[emerg] unknown \"nope\" variable in {dir}/case.conf:4"],
        why: "The line is said.",
    },
    Difference {
        case: "-t: an unknown variable in return",
        nginx: &["[emerg] unknown \"nope\" variable"],
        proxy: &["[emerg] unknown \"nope\" variable in {dir}/case.conf:4"],
        why: "The line is said.",
    },
    Difference {
        case: "-t: a key that is none",
        nginx: &["[emerg] unknown \"nope\" variable"],
        proxy: &["[emerg] unknown \"nope\" variable in {dir}/case.conf:4"],
        why: "The line is said.",
    },
    Difference {
        case: "-t: an unknown variable in if=",
        nginx: &["[emerg] unknown \"nope\" variable"],
        proxy: &["[emerg] unknown \"nope\" variable in {dir}/case.conf:4"],
        why: "The line is said.",
    },
    Difference {
        case: "-t: one name twice",
        nginx: &["[warn] conflicting server name \"a\" on 127.0.0.1:{port}, ignored"],
        proxy: &[
            "[warn] conflicting server name \"a\" on 127.0.0.1:{port}, ignored in {dir}/case.conf:4",
        ],
        why: "The line is said.",
    },
    Difference {
        case: "-t: a bad regex",
        nginx: &[
            "[emerg] pcre2_compile() failed: missing closing parenthesis in \"a(b\" in {dir}/case.conf:4",
        ],
        proxy: &[
            "[emerg] regex compile failed: Opening parenthesis without closing parenthesis in \"a(b\" in {dir}/case.conf:4",
        ],
        why: "Another engine, in its own words.",
    },
    Difference {
        case: "-t: a bad name regex",
        nginx: &[
            "[emerg] pcre2_compile() failed: missing closing parenthesis in \"a(b\" in {dir}/case.conf:4",
        ],
        proxy: &[
            "[emerg] regex compile failed: Opening parenthesis without closing parenthesis in \"a(b\" in {dir}/case.conf:4",
        ],
        why: "Another engine, in its own words.",
    },
    Difference {
        case: "-t: a bad wildcard",
        nginx: &[
            "exit Some(0)",
            "the configuration file {dir}/case.conf syntax is ok",
            "configuration file {dir}/case.conf test is successful",
        ],
        proxy: &[
            "exit Some(1)",
            "[emerg] invalid server name or wildcard \"a.*.b\" in {dir}/case.conf:4",
            "configuration file {dir}/case.conf test failed",
        ],
        why: "Such a name never matches. nginx refuses it too, but only once a second server has the address.",
    },
    Difference {
        case: "-t: proxy_http_version",
        nginx: &["[emerg] invalid value \"2\" in {dir}/case.conf:4"],
        proxy: &[
            "[emerg] HTTP/2 to the servers is not supported by this proxy yet in {dir}/case.conf:4",
        ],
        why: "The newest nginx knows the value: it is named as what is missing, not as a mistake.",
    },
    Difference {
        case: "101 to an upgrade that was not passed",
        nginx: &[
            "client 1 < HTTP/1.1 101 Switching Protocols",
            "client 1 < Connection: upgrade",
            "client 1 < Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
            "client 1 < Upgrade: websocket",
            "client 1 < (closed)",
        ],
        proxy: &[
            "client 1 < HTTP/1.1 502 Bad Gateway",
            "client 1 < Connection: keep-alive",
            "client 1 < Content-Length: *",
            "client 1 < Content-Type: text/html",
            "client 1 < [by length] <html>\\r\\n<head><title>502 Bad Gateway</title></head>\\r\\n<body>\\r\\n<center><h1>502 Bad Gateway</h1></center>\\r\\n<hr><center>*</center>\\r\\n</body>\\r\\n</html>\\r\\n",
            "client 1 < (kept open)",
        ],
        why: "The worker was not asked to switch, so that its 101 is a bad gateway (RFC 9110, section 15.2.2).",
    },
    Difference {
        case: "a fragment",
        nginx: &["worker a < GET /a#b HTTP/1.1"],
        proxy: &["worker a < GET /a HTTP/1.1"],
        why: "A request target has no fragment (RFC 9112, section 3.2): a worker may not know what to do with one.",
    },
    Difference {
        case: "a control character in a value",
        nginx: &[
            "client 1 < HTTP/1.1 200 OK",
            "client 1 < Connection: keep-alive",
            "client 1 < Content-Length: 2",
            "client 1 < [by length] ok",
            "client 1 < (kept open)",
            "worker a < GET / HTTP/1.1",
            "worker a < Host: localhost",
            "worker a < X: a\u{1}b",
        ],
        proxy: &[
            "client 1 < HTTP/1.1 400 Bad Request",
            "client 1 < Connection: close",
            "client 1 < Content-Length: *",
            "client 1 < Content-Type: text/html",
            "client 1 < [by length] <html>\\r\\n<head><title>400 Bad Request</title></head>\\r\\n<body>\\r\\n<center><h1>400 Bad Request</h1></center>\\r\\n<hr><center>*</center>\\r\\n</body>\\r\\n</html>\\r\\n",
            "client 1 < (closed)",
        ],
        why: "Control characters stand in no value (RFC 9110, section 5.5); nginx refuses only NUL and CR among them.",
    },
    Difference {
        case: "a target of all characters",
        nginx: &["worker a < GET /a<b>`c\"d{e}|^\\f?g<h>`\"{} HTTP/1.1"],
        proxy: &["worker a < GET /a%3Cb%3E%60c%22d%7Be%7D|^\\f?g%3Ch%3E%60%22%7B%7D HTTP/1.1"],
        why: "What stands in no URI (RFC 3986, section 2) goes on escaped; nginx passes it on raw.",
    },
    Difference {
        case: "the case of names to the client",
        nginx: &["client 1 < Content-Length: 0"],
        proxy: &["client 1 < content-length: 0"],
        why: "The worker's spelling reaches the client for every name; nginx keeps it but for those that it writes itself.",
    },
    Difference {
        case: "server_name_in_redirect on;",
        nginx: &[
            "client 1 < Location: http://:{port}/x",
            "client 2 < Location: http://:{port}/y?q",
            "client 3 < Location: http://:{port}/dir/?q",
        ],
        proxy: &[
            "client 1 < Location: http://127.0.0.1:{port}/x",
            "client 2 < Location: http://127.0.0.1:{port}/y?q",
            "client 3 < Location: http://127.0.0.1:{port}/dir/?q",
        ],
        why: "A server without a name is named by its address: there is no URL without a host.",
    },
    Difference {
        case: "etag off and a condition",
        nginx: &["client 1 < (closed)"],
        proxy: &["client 1 < (kept open)"],
        why: "The answer says keep-alive, and so it is; nginx closes after any 412.",
    },
    Difference {
        case: "an error page for a range",
        nginx: &["client 1 < ETag: \"499602d2-a\""],
        proxy: &[],
        why: "The answer has the tag of the page that it is; nginx adds that of the file that was asked for.",
    },
    Difference {
        case: "-t: a named location twice",
        nginx: &[
            "exit Some(0)",
            "the configuration file {dir}/case.conf syntax is ok",
            "configuration file {dir}/case.conf test is successful",
        ],
        proxy: &[
            "exit Some(1)",
            "[emerg] duplicate location \"@a\" in {dir}/case.conf:4",
            "configuration file {dir}/case.conf test failed",
        ],
        why: "Nothing is ever sent to the second one: it is a mistake, as it is in locations with a path.",
    },
];
