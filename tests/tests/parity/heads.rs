//! Request lines and heads: methods, versions, targets, what is passed on and what is not.

use tests::worker::{answer, answer_and_close};

use crate::case::{Case, LAST, OK, proxied, server};

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = requests();
    cases.extend(headers());
    cases.extend(refusals());
    cases.extend(pipelines());
    cases.extend(responses());
    cases.extend(conversations());
    cases.extend(expectations());
    cases
}

fn requests() -> Vec<Case> {
    let case = |name: &str| Case::new(name, proxied(""));
    let mut cases = vec![
        case("GET").gets("/a/b?c=d&e"),
        case("HEAD")
            .answers("HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n")
            .asks("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n"),
        case("HTTP/1.0 without Host").asks("GET / HTTP/1.0\r\n\r\n"),
        case("HTTP/1.0 with Host").asks("GET / HTTP/1.0\r\nHost: old\r\n\r\n"),
        case("HTTP/1.0 keep-alive").asks("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"),
        case("HTTP/1.1 without Host").asks("GET / HTTP/1.1\r\n\r\n"),
        case("an empty Host").asks("GET / HTTP/1.1\r\nHost:\r\n\r\n"),
        case("two Hosts").asks("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
        case("a bad Host").asks("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"),
        case("absolute form").asks("GET http://other:80/x?y HTTP/1.1\r\nHost: h\r\n\r\n"),
        case("absolute form without path").asks("GET http://other HTTP/1.1\r\nHost: h\r\n\r\n"),
        case("asterisk form").asks("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n"),
        case("CONNECT").asks("CONNECT h:80 HTTP/1.1\r\nHost: h:80\r\n\r\n"),
        case("TRACE").asks("TRACE / HTTP/1.1\r\nHost: h\r\n\r\n"),
        case("an unknown method").asks("BREW /pot HTTP/1.1\r\nHost: h\r\n\r\n"),
        case("a lower-case method").asks("get / HTTP/1.1\r\nHost: h\r\n\r\n"),
        case("HTTP/1.2").asks("GET / HTTP/1.2\r\nHost: h\r\n\r\n"),
        case("HTTP/2.0 in a request line").asks("GET / HTTP/2.0\r\nHost: h\r\n\r\n"),
        case("no version at all").asks("GET / nonsense\r\nHost: h\r\n\r\n"),
        case("empty lines first").asks("\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n"),
        case("bare line feeds").asks("GET / HTTP/1.1\nHost: h\n\r\n"),
        case("escapes are left as written").gets("/a%20b/%2e%2e/c%2Fd?x=%41"),
        case("dots and slashes are left as written").gets("/a/../b//c/./d"),
        case("above the root").gets("/../x"),
        case("a fragment").gets("/a#b"),
        case("a bad escape").gets("/a%zz"),
        case("an escaped zero").gets("/a%00b"),
    ];
    for method in ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
        let raw = format!("{method} /x HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc");
        cases.push(case(method).asks(raw));
    }
    cases
}

fn headers() -> Vec<Case> {
    let case = |name: &str, lines: &str| {
        let raw = format!("GET / HTTP/1.1\r\nHost: h\r\n{lines}\r\n");
        Case::new(name, proxied("")).asks(raw)
    };
    vec![
        case("the case of names to the worker", "X-lower: 1\r\nX-UPPER: 2\r\nx-mixed-CASE: 3\r\n"),
        case("duplicate headers", "X-A: 1\r\nX-B: 2\r\nX-A: 3\r\nx-a: 4\r\n"),
        case("an empty value", "X-Empty:\r\nX-Blank:   \r\n"),
        case("spaces around values", "X-A:1\r\nX-B:   2  \r\nX-C:\t3\t\r\n"),
        case("bytes above ASCII in a value", "X-A: caf\u{e9}\r\n"),
        case("cookies", "Cookie: a=1\r\nCookie: b=2\r\n"),
        case("hop-by-hop headers", "TE: trailers\r\nKeep-Alive: 5\r\nProxy-Connection: x\r\n"),
        case("proxy authorisation", "Proxy-Authorization: Basic eA==\r\n"),
        case("headers named in Connection", "Connection: X-Mine, close\r\nX-Mine: 1\r\n"),
        case("Connection: close", "Connection: close\r\n"),
        case("Connection: keep-alive", "Connection: keep-alive\r\n"),
        case("Connection in other case", "connection: CLOSE\r\n"),
        case("two Connection headers", "Connection: keep-alive\r\nConnection: close\r\n"),
        case("a name with an underscore", "X_Under: 1\r\nX-Fine: 2\r\n"),
        case("a name with a space", "X Space: 1\r\n"),
        case("a space before the colon", "X-Space : 1\r\n"),
        case("a line without a colon", "nonsense\r\n"),
        case("a folded line", "X-Fold: a\r\n b\r\n"),
        case(
            "an accepted list",
            "Accept: */*\r\nAccept-Encoding: gzip, br\r\nRange: bytes=0-1\r\n",
        ),
        case(
            "conditions",
            "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\nIf-None-Match: \"x\"\r\n",
        ),
        case("a long header", &format!("X-Long: {}\r\n", "y".repeat(3000))),
    ]
}

/// What comes before a head is refused, and the limits of one.
fn refusals() -> Vec<Case> {
    let case = |name: &str, raw: &[u8]| Case::new(name, proxied("")).asks(raw.to_vec());
    let head = |lines: &str| format!("GET / HTTP/1.1\r\nHost: h\r\n{lines}\r\n").into_bytes();
    let target = |length: usize| {
        let target = "x".repeat(length - "GET / HTTP/1.1\r\n".len());
        format!("GET /{target} HTTP/1.1\r\nHost: h\r\n\r\n").into_bytes()
    };
    let field = |length: usize| format!("X: {}\r\n", "y".repeat(length - "X: \r\n".len()));
    let mut cases = vec![
        case("a control character in a value", &head("X: a\u{1}b\r\n")),
        case("a zero in a value", &head("X: a\0b\r\n")),
        case("a return in a value", &head("X: a\rb\r\n")),
        case("returns behind a value", &head("X: a\r\r\n")),
        case("a field without a name", &head(": a\r\n")),
        case("names of odd characters", &head("X~Y: a\r\nX.Y: b\r\nX_Y: c\r\nX-Y: d\r\n")),
        case("no length in Content-Length", &head("Content-Length:\r\n")),
        case("a length beyond all files", &head("Content-Length: 9223372036854775808\r\n")),
        case(
            "the transfer coding twice",
            &head("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
        ),
        case("HTTP/1.10", b"GET / HTTP/1.10\r\nHost: h\r\n\r\n"),
        case("HTTP/0.9 by its number", b"GET / HTTP/0.9\r\nHost: h\r\n\r\n"),
        case("spaces in a request line", b"GET  /  HTTP/1.1 \r\nHost: h\r\n\r\n"),
        case("a space in a target", b"GET /a b HTTP/1.1\r\nHost: h\r\n\r\n"),
        case("a control character in a target", b"GET /a\x01b HTTP/1.1\r\nHost: h\r\n\r\n"),
        case(
            "a target of all characters",
            b"GET /a<b>`c\"d{e}|^\\f?g<h>`\"{} HTTP/1.1\r\nHost: h\r\n\r\n",
        ),
        case("CONNECT to a path", b"CONNECT /x HTTP/1.1\r\nHost: h\r\n\r\n"),
        case("an absolute form without Host", b"GET http://o/ HTTP/1.1\r\n\r\n"),
        case("an absolute form and a bad Host", b"GET http://o/ HTTP/1.1\r\nHost: a/b\r\n\r\n"),
        case("a refusal to HEAD", b"HEAD / HTTP/1.1\r\n\r\n").client(|scene| {
            let mut client = scene.connect();
            client.send("HEAD / HTTP/1.1\r\n\r\n");
            client.response_to("HEAD");
            client.read_to_end();
        }),
        case("a method that is none, without a line", b"").client(|scene| {
            let mut client = scene.connect();
            client.send("get");
            client.response();
            client.read_to_end();
        }),
    ];
    for name in ["Expect", "Authorization", "If-Match", "If-Range", "Upgrade", "User-Agent"] {
        let lines = format!("{name}: a\r\n{name}: b\r\n");
        cases.push(case(&format!("two of {name}"), &head(&lines)));
    }
    for length in [8192, 8193] {
        cases.push(case(&format!("a request line of {length} bytes"), &target(length)));
        cases.push(case(&format!("a field of {length} bytes"), &head(&field(length))));
    }
    for length in [8000, 8190, 8192] {
        let fields = field(length).repeat(4);
        cases.push(case(&format!("four fields of {length} bytes"), &head(&fields)));
    }
    cases
}

/// Several requests on one connection, of which the last may be refused.
fn pipelines() -> Vec<Case> {
    const GET: &str = "GET /x HTTP/1.1\r\nHost: h\r\n\r\n";
    let case = |name: &str, answers: usize, raw: String| {
        Case::new(name, proxied("")).client(move |scene| {
            let mut client = scene.connect();
            client.send(&raw);
            (0..answers).for_each(|_| client.response());
            client.end();
        })
    };
    let pieces = |name: &str, answers: usize, raw: String| {
        Case::new(name, proxied("")).client(move |scene| {
            let mut client = scene.connect();
            for piece in raw.as_bytes().chunks(7) {
                client.send(piece);
            }
            (0..answers).for_each(|_| client.response());
            client.end();
        })
    };
    let chunked = "POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
    let length = "POST /l HTTP/1.1\r\nHost: h\r\nContent-Length: 18\r\n\r\n";
    let inner = "GET / HTTP/9.9\r\n\r\n";
    let odd = "GET  /o HTTP/1.7\r\nHost: h\r\nX_Y: 1\r\nX-Z: 2\r\n\r\n";
    vec![
        case("a bad request behind good ones", 3, format!("{GET}{GET}x\r\n\r\n{GET}")),
        case("a version behind good ones", 3, format!("{GET}{odd}GET / HTTP/2.0\r\n\r\n")),
        case("a head in a body is none", 2, format!("{length}{inner}{GET}")),
        case("odd heads in a row", 3, format!("{odd}{odd}{odd}")),
        pieces("odd heads in pieces", 3, format!("{odd}{GET}{odd}")),
        pieces("a body like a head in pieces", 2, format!("{length}{inner}{GET}")),
        pieces("a bad request in pieces", 2, format!("{GET}GET / HTTP/1.1\r\nHost : h\r\n\r\n")),
        case(
            "a request behind one that asks for an upgrade",
            2,
            format!("GET /u HTTP/1.1\r\nHost: h\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n{GET}"),
        ),
        Case::new("a chunked body and a request behind", server("return 200 x;")).client(
            move |scene| {
                let mut client = scene.connect();
                client
                    .send(format!("{chunked}12;x=y\r\n{inner}\r\n0\r\nT: 1\r\n\r\n{GET}x\r\n\r\n"));
                (0..3).for_each(|_| client.response());
                client.end();
            },
        ),
    ]
}

fn responses() -> Vec<Case> {
    let case = |name: &str, raw: &str| Case::new(name, proxied("")).answers(raw).gets("/");
    vec![
        case(
            "the case of names to the client",
            "HTTP/1.1 200 OK\r\nx-lower: 1\r\nX-UPPER: 2\r\ncontent-length: 0\r\n\r\n",
        ),
        case(
            "a reason of the worker's own",
            "HTTP/1.1 299 Quite Fine\r\nContent-Length: 0\r\n\r\n",
        ),
        case("no reason", "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n"),
        case(
            "duplicate headers back",
            "HTTP/1.1 200 OK\r\nSet-Cookie: a\r\nX-A: 1\r\nSet-Cookie: b\r\nX-A: 2\r\nContent-Length: 0\r\n\r\n",
        ),
        case("an empty value back", "HTTP/1.1 200 OK\r\nX-Empty:\r\nContent-Length: 0\r\n\r\n"),
        case(
            "Server and Date of the worker",
            "HTTP/1.1 200 OK\r\nServer: w/1\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 0\r\n\r\n",
        ),
        case(
            "hop-by-hop headers back",
            "HTTP/1.1 200 OK\r\nKeep-Alive: timeout=5\r\nConnection: X-Mine\r\nX-Mine: 1\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n",
        ),
        case(
            "an upgrade offered with a 200",
            "HTTP/1.1 200 OK\r\nUpgrade: h2c\r\nConnection: upgrade\r\nContent-Length: 0\r\n\r\n",
        ),
        case(
            "Content-Type and dates",
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nLast-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\nETag: \"e\"\r\nExpires: 0\r\nCache-Control: no-store\r\nContent-Length: 0\r\n\r\n",
        ),
        case(
            "a redirect to elsewhere",
            "HTTP/1.1 302 Found\r\nLocation: http://elsewhere/x\r\nContent-Length: 0\r\n\r\n",
        ),
        case(
            "a redirect with a path",
            "HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n",
        ),
        case(
            "an error of the worker's own",
            "HTTP/1.1 503 Busy\r\nContent-Length: 4\r\nRetry-After: 1\r\n\r\nbusy",
        ),
        case(
            "401",
            "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=x\r\nContent-Length: 0\r\n\r\n",
        ),
        case(
            "nginx's private headers",
            "HTTP/1.1 200 OK\r\nX-Accel-Charset: x\r\nX-Accel-Limit-Rate: 0\r\nX-Accel-Buffering: no\r\nContent-Length: 0\r\n\r\n",
        ),
        case("HTTP/1.0 from the worker", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"),
        case("bare line feeds from the worker", "HTTP/1.1 200 OK\nContent-Length: 2\n\nok"),
        Case::new("a 100 from the worker before its answer", proxied(""))
            .worker("a", answer_and_close(format!("HTTP/1.1 100 Continue\r\n\r\n{OK}")))
            .asks(LAST),
        Case::new("a 103 from the worker before its answer", proxied(""))
            .worker(
                "a",
                answer_and_close(format!("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n{OK}")),
            )
            .asks(LAST),
    ]
}

fn conversations() -> Vec<Case> {
    vec![
        Case::new("two requests one after another", proxied("")).client(|scene| {
            let mut client = scene.connect();
            for target in ["/1", "/2"] {
                client.send(format!("GET {target} HTTP/1.1\r\nHost: h\r\n\r\n"));
                client.response();
            }
            client.end();
        }),
        Case::new("pipelined requests", proxied("")).client(|scene| {
            let mut client = scene.connect();
            let one = |n: u8| format!("GET /{n} HTTP/1.1\r\nHost: h\r\n\r\n");
            client.send([one(1), one(2), one(3)].concat());
            (0..3).for_each(|_| client.response());
            client.end();
        }),
        Case::new("pipelined requests with bodies", proxied("")).client(|scene| {
            let mut client = scene.connect();
            let one = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc";
            client.send([one, one].concat());
            (0..2).for_each(|_| client.response());
            client.end();
        }),
        Case::new("a pipelined request behind a close", proxied("")).client(|scene| {
            let mut client = scene.connect();
            client.send("GET /1 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n");
            client.response();
            client.read_to_end();
        }),
        Case::new("a request in pieces", proxied("")).client(|scene| {
            let mut client = scene.connect();
            for piece in ["GE", "T / HT", "TP/1.1\r", "\nHost: h\r\nX-A: ", "1\r\n\r", "\n"] {
                client.send(piece);
            }
            client.response();
            client.end();
        }),
        Case::new("a client that has said all it will say", proxied("")).client(|scene| {
            let mut client = scene.connect();
            client.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
            client.response();
            client.half_close();
            client.read_to_end();
        }),
        Case::new("the worker closes without an answer", proxied(""))
            .worker("a", std::sync::Arc::new(|visit| drop(visit.request())))
            .gets("/"),
        Case::new("the worker closes amid its head", proxied(""))
            .worker("a", answer_and_close("HTTP/1.1 200 OK\r\nContent-Le"))
            .gets("/"),
        Case::new("the worker speaks no HTTP", proxied(""))
            .worker("a", answer_and_close("hello there\r\n\r\n"))
            .asks(LAST),
        Case::new("a worker's answer with a bad length", proxied(""))
            .worker("a", answer_and_close("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"))
            .gets("/"),
        Case::new("kept connections to the worker", crate::case::balanced("server unix:a.sock; keepalive 4;", ""))
            .connections()
            .client(|scene| {
                let mut client = scene.connect();
                for target in ["/1", "/2", "/3"] {
                    client.send(format!("GET {target} HTTP/1.1\r\nHost: h\r\n\r\n"));
                    client.response();
                }
            }),
        Case::new("a kept connection that the worker closes", crate::case::balanced("server unix:a.sock; keepalive 4;", ""))
            .worker("a", answer_and_close("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"))
            .connections()
            .client(|scene| scene.get_each(&["/1", "/2"])),
    ]
}

fn expectations() -> Vec<Case> {
    let head = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n";
    vec![
        Case::new("Expect: 100-continue", proxied("")).client(move |scene| {
            let mut client = scene.connect();
            client.send(head);
            client.head();
            client.send("abc");
            client.response();
            client.end();
        }),
        Case::new("Expect: 100-continue answered by the front", server("return 403;"))
            .worker("a", answer(OK))
            .client(move |scene| {
                let mut client = scene.connect();
                client.send(head);
                client.response();
            }),
        Case::new("Expect: 100-continue over HTTP/1.0", proxied("")).client(|scene| {
            let mut client = scene.connect();
            client.send("POST / HTTP/1.0\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\nabc");
            client.response();
        }),
    ]
}
