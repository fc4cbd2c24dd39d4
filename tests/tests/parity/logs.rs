//! Access and error logs, line by line.

use std::sync::Arc;

use tests::worker::{Script, answer, answer_and_close};

use crate::case::{Case, OK, http, proxied};

const ASK: &str = "GET /p?q=1 HTTP/1.1\r\nHost: h.example\r\nUser-Agent: ua \"x\" \\ \u{e9}\r\n\
                   Referer: http://r/\r\nConnection: close\r\n\r\n";

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = access();
    cases.extend(lengths());
    cases.extend(tries());
    cases.extend(pipelined());
    cases.extend(cut_off());
    cases.extend(error());
    cases
}

fn logged(format: &str, inside: &str) -> String {
    http(&format!(
        "{format}\n    server {{ listen 127.0.0.1:{{port}}; {inside} location / {{ proxy_pass http://unix:a.sock; }} }}"
    ))
}

/// What was sent, counted: with everything that is on the wire.
fn lengths() -> Vec<Case> {
    let format = "log_format f '$status|$body_bytes_sent|$bytes_sent|$sent_http_content_length|$sent_http_transfer_encoding|$sent_http_content_type'; server_tokens off;";
    let get =
        |target: &str| format!("GET {target} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    let case = |name: &str| {
        Case::new(
            name,
            logged(
                format,
                "access_log a.log f; location /r { return 200 text; } location /n { return 404; } location /e { return 204; }",
            ),
        )
    };
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n12\r\neighteen bytes, so\r\n0\r\n\r\n";
    vec![
        case("log: bytes of an answer").asks(ASK).log("a.log", 1),
        case("log: bytes of a text").asks(get("/r")).log("a.log", 1),
        case("log: bytes of a page").asks(get("/n")).log("a.log", 1),
        case("log: bytes of nothing").asks(get("/e")).log("a.log", 1),
        case("log: bytes of a 502").refusing("a").asks(ASK).log("a.log", 1),
        case("log: bytes of chunks").answers(chunked).asks(get("/")).log("a.log", 1),
        case("log: bytes of chunks for HTTP/1.0")
            .answers(chunked)
            .asks("GET / HTTP/1.0\r\n\r\n")
            .log("a.log", 1),
        case("log: bytes of an answer to HEAD")
            .answers("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")
            .asks("HEAD / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
            .log("a.log", 1),
        case("log: bytes of an answer until closed")
            .worker("a", answer_and_close("HTTP/1.1 200 OK\r\n\r\nsome bytes"))
            .asks(get("/"))
            .log("a.log", 1),
        case("log: bytes of a large answer in chunks")
            .answers(format!(
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n800\r\n{}\r\n0\r\n\r\n",
                "x".repeat(0x800)
            ))
            .asks(get("/"))
            .log("a.log", 1),
    ]
}

/// Heads that never become whole.
fn cut_off() -> Vec<Case> {
    let format = "log_format f '$request|$status|$body_bytes_sent|$http_user_agent|$connection_requests|$request_completion|$server_name'; client_header_timeout 500ms;";
    let case = |name: &str, file: &'static str, sent: &'static str, waits: bool| {
        let inside = "server_name s; access_log a.log f; error_log e.log info;";
        Case::new(format!("log: a head that is cut off {name}, {file}"), logged(format, inside))
            .client(move |scene| {
                let mut client = scene.connect();
                client.send(sent);
                if sent.starts_with("GET /1") {
                    client.response();
                }
                if !waits {
                    client.half_close();
                }
                client.read_to_end();
            })
            .log(file, if sent.starts_with("GET /1") && file == "a.log" { 2 } else { 1 })
    };
    let mut cases = Vec::new();
    for file in ["a.log", "e.log"] {
        for (name, waits) in [("by its client", false), ("late", true)] {
            for (where_, sent) in [
                ("in its line", "GET /x HT"),
                ("in a field", "GET /x?y HTTP/1.1\r\nHost: h\r\nUser-Agent: u\r\nAcc"),
                ("behind another", "GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHo"),
            ] {
                cases.push(case(&format!("{name}, {where_}"), file, sent, waits));
            }
        }
    }
    cases
}

/// What the servers did, one after another.
fn tries() -> Vec<Case> {
    let format = "log_format f '$status|$upstream_addr|$upstream_status|$upstream_connect_time|$upstream_header_time|$upstream_response_time|$upstream_response_length|$upstream_http_x|$upstream_cookie_c|$sent_http_x';";
    let case = |name: &str, servers: &str, inside: &str| {
        Case::new(name, http(&format!("{format} upstream u {{ {servers} }} server {{ listen 127.0.0.1:{{port}}; access_log a.log f; location / {{ proxy_pass http://u; {inside} }} }}")))
            .answers("HTTP/1.1 200 OK\r\nX: from a\r\nSet-Cookie: b=1\r\nSet-Cookie: c=2; Path=/\r\nContent-Length: 2\r\n\r\nok")
            .log("a.log", 1)
    };
    let busy = answer("HTTP/1.1 503 Busy\r\nX: from b\r\nContent-Length: 4\r\n\r\nbusy");
    let one = "server unix:a.sock;";
    vec![
        case("log: one server", one, "").asks(ASK),
        case("log: the second after a refusal", "server unix:x.sock; server unix:a.sock;", "")
            .asks(ASK),
        case(
            "log: the second after a 503",
            "server unix:b.sock; server unix:a.sock;",
            "proxy_next_upstream http_503;",
        )
        .worker("b", busy.clone())
        .asks(ASK),
        case("log: a 503 that is passed on", "server unix:b.sock; server unix:a.sock;", "")
            .worker("b", busy)
            .asks(ASK),
        case("log: two refuse", "server unix:x.sock; server unix:y.sock;", "").asks(ASK),
        case("log: all are down", "server unix:a.sock down; server unix:b.sock down;", "")
            .asks(ASK),
        case("log: a close without an answer", one, "")
            .worker("a", Arc::new(|visit| drop(visit.request())))
            .asks(ASK),
        case("log: no answer in time", one, "proxy_read_timeout 300ms;")
            .worker("a", Arc::new(|visit| while visit.request().is_some() {}))
            .asks(ASK),
        case("log: an answer cut short", one, "")
            .worker("a", answer_and_close("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok"))
            .asks(ASK),
    ]
}

/// Requests that come together with the one before them.
fn pipelined() -> Vec<Case> {
    let text = http(
        "log_format f '$request_uri|$pipe|$connection_requests'; server { listen 127.0.0.1:{port}; access_log a.log f; location /proxied { proxy_pass http://unix:a.sock; } return 200 x; }",
    );
    let case = |name: &str, pieces: &'static [&'static str], requests: usize| {
        Case::new(name, text.clone())
            .client(move |scene| {
                let mut client = scene.connect();
                for piece in pieces {
                    client.send(piece);
                    // An answer for each request that is whole by now.
                    for _ in 0..piece.matches("\r\n\r\n").count() {
                        client.response();
                    }
                }
            })
            .log("a.log", requests)
    };
    vec![
        case(
            "log: one by one",
            &["GET /1 HTTP/1.1\r\nHost: h\r\n\r\n", "GET /2 HTTP/1.1\r\nHost: h\r\n\r\n"],
            2,
        ),
        case(
            "log: three at once",
            &[
                "GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\nGET /proxied HTTP/1.1\r\nHost: h\r\n\r\n",
                "GET /4 HTTP/1.1\r\nHost: h\r\n\r\n",
            ],
            4,
        ),
        case(
            "log: one and a half",
            &[
                "GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HT",
                "TP/1.1\r\nHost: h\r\n\r\n",
                "GET /3 HTTP/1.1\r\nHost: h\r\n\r\n",
            ],
            3,
        ),
        case(
            "log: a head that nginx mends, and another one",
            &["GET  /1 HTTP/1.1\r\nHost: h\r\nodd line\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n"],
            2,
        ),
        case(
            "log: halves of a head",
            &["GET /1 HTTP/1.1\r\nHo", "st: h\r\n\r\n", "GET /2 HTTP/1.1\r\nHost: h\r\n\r\n"],
            2,
        ),
    ]
}

fn access() -> Vec<Case> {
    let variable = |name: &str, variables: &str| {
        let format = format!("log_format f '{variables}';");
        Case::new(name, logged(&format, "access_log a.log f;")).asks(ASK).log("a.log", 1)
    };
    vec![
        Case::new("combined", logged("", "access_log a.log combined;")).asks(ASK).log("a.log", 1),
        Case::new("combined by default", logged("", "access_log a.log;")).asks(ASK).log("a.log", 1),
        variable("log: the request", "$remote_addr|$remote_user|$request|$request_method|$request_uri|$uri|$args|$server_protocol|$host|$http_host|$scheme"),
        variable("log: the answer", "$status|$body_bytes_sent|$sent_http_content_length|$sent_http_connection|$request_completion"),
        variable("log: lengths", "$request_length|$content_length|$content_type"),
        variable("log: the upstream", "$upstream_addr|$upstream_status|$upstream_response_length|$upstream_bytes_received|$upstream_bytes_sent|$upstream_http_content_length"),
        variable("log: times", "$request_time|$upstream_connect_time|$upstream_header_time|$upstream_response_time|$msec|$time_local|$time_iso8601"),
        variable("log: the connection", "$connection_requests|$pipe|$server_name|$server_addr|$server_port"),
        variable("log: headers and cookies", "$http_user_agent|$http_referer|$http_missing|$cookie_x|$arg_q|$http_connection"),
        Case::new("log: escape=json", logged("log_format f escape=json '{\"ua\":\"$http_user_agent\",\"none\":\"$http_missing\"}';", "access_log a.log f;")).asks(ASK).log("a.log", 1),
        Case::new("log: escape=none", logged("log_format f escape=none '$http_user_agent';", "access_log a.log f;")).asks(ASK).log("a.log", 1),
        Case::new("log: a format in pieces", logged("log_format f '$request '\n '$status'  \" x\";", "access_log a.log f;")).asks(ASK).log("a.log", 1),
        Case::new("log: of a bad request", logged("log_format f '$request|$status|$host';", "access_log a.log f;")).asks("GET / HTTP/1.1\r\n\r\n").log("a.log", 1),
        Case::new("log: of no request", logged("log_format f '$request|$status|$http_host';", "access_log a.log f;")).asks("?\r\n\r\n").log("a.log", 1),
        Case::new("log: of a 502", logged("log_format f '$request|$status|$upstream_addr|$upstream_status';", "access_log a.log f;")).refusing("a").asks(ASK).log("a.log", 1),
        Case::new("log: of two tries", http("log_format f '$status|$upstream_addr|$upstream_status';\n upstream u { server unix:a.sock; server unix:b.sock; } server { listen 127.0.0.1:{port}; access_log a.log f; location / { proxy_pass http://u; } }"))
            .refusing("a").worker("b", answer(OK)).asks(ASK).log("a.log", 1),
        Case::new("log: of 444", http("log_format f '$request|$status|$body_bytes_sent'; server { listen 127.0.0.1:{port}; access_log a.log f; return 444; }")).asks(ASK).log("a.log", 1),
        Case::new("log: of a tunnel", logged("log_format f '$request|$status|$upstream_status|$sent_http_upgrade|$sent_http_connection';", "access_log a.log f; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $http_connection;"))
            .worker("a", tunnel())
            .client(|scene| {
                let mut client = scene.connect();
                client.send("GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
                client.head();
                client.send("abc");
                client.read(3);
            })
            .log("a.log", 1),
        Case::new("log: off in a location", http("server { listen 127.0.0.1:{port}; access_log a.log; location /a { access_log off; return 200 a; } location / { return 200 b; } }"))
            .client(|scene| scene.get_each(&["/a", "/b"])).log("a.log", 1),
        Case::new("log: two files", http("log_format one '1 $uri'; server { listen 127.0.0.1:{port}; access_log a.log one; access_log b.log; return 200 x; }"))
            .asks(ASK).log("a.log", 1),
        Case::new("log: if=", http("map $arg_log $loggable { yes 1; no 0; } log_format f '$request'; server { listen 127.0.0.1:{port}; access_log a.log f if=$loggable; return 200 x; }"))
            .client(|scene| scene.get_each(&["/?log=yes", "/?log=no", "/?log=0", "/", "/last?log=yes"])).log("a.log", 2),
        Case::new("log: if= of a text", http("log_format f '$request'; server { listen 127.0.0.1:{port}; access_log a.log f if=0$arg_a; access_log a.log f if=; return 200 x; }"))
            .client(|scene| scene.get_each(&["/", "/?a=0", "/?a=x"])).log("a.log", 2),
        Case::new("log: the last if= counts", http("log_format f '$request'; server { listen 127.0.0.1:{port}; access_log a.log f if=$arg_a if=$arg_b; return 200 x; }"))
            .client(|scene| scene.get_each(&["/?a=1", "/?b=1"])).log("a.log", 1),
        Case::new("log: if= by the answer", http("map $status $bad { ~^[45] 1; default 0; } log_format f '$request $status'; server { listen 127.0.0.1:{port}; access_log a.log f if=$bad; location /a { return 404; } return 200 x; }"))
            .client(|scene| scene.get_each(&["/", "/a"])).log("a.log", 1),
        Case::new("log: a buffer that is written in time", http("log_format f '$request'; server { listen 127.0.0.1:{port}; access_log a.log f buffer=4k flush=100ms; return 200 x; }"))
            .client(|scene| scene.get_each(&["/1", "/2", "/3"])).log("a.log", 3),
        Case::new("log: a buffer that is full", http("log_format f '$request'; server { listen 127.0.0.1:{port}; access_log a.log f buffer=64; return 200 x; }"))
            .client(|scene| scene.get_each(&["/1", "/2", "/3", "/4", "/5", "/6", "/7"])).log("a.log", 6),
        Case::new("log: off counts beside another log", http("server { listen 127.0.0.1:{port}; access_log b.log; location /a { access_log off; access_log a.log; return 200 a; } location /b { access_log a.log; access_log off; location /b/c { return 200 c; } return 200 b; } location / { return 200 x; } }"))
            .client(|scene| scene.get_each(&["/a", "/b", "/b/c", "/"])).log("b.log", 1),
    ]
}

fn tunnel() -> Script {
    Arc::new(|visit| {
        if visit.request().is_some() {
            visit.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
            visit.echo();
        }
    })
}

fn error() -> Vec<Case> {
    let case = |name: &str, text: String| {
        Case::new(name, text.replacen("http {", "error_log e.log;\nhttp {", 1))
    };
    let two = "upstream u { server unix:a.sock; server unix:b.sock; } server { listen 127.0.0.1:{port}; server_name s; location / { proxy_pass http://u; } }";
    vec![
        Case::new(
            "error log: two of them, by level",
            http(&format!("error_log e.log crit; {two}")).replace(
                "location /",
                "error_log e.log error; error_log other.log crit; location /",
            ),
        )
        .refusing("a")
        .worker("b", answer(OK))
        .asks(ASK)
        .log("e.log", 1),
        Case::new(
            "error log: too serious for it",
            http(&format!("error_log e.log error; {two}")).replace(
                "location /",
                "error_log other.log error; error_log e.log alert; location /",
            ),
        )
        .refusing("a")
        .worker("b", answer(OK))
        .asks(ASK)
        .log("other.log", 1),
        case("error log: refused", proxied("")).refusing("a").asks(ASK).log("e.log", 1),
        case("error log: no such socket", proxied("").replace("a.sock", "no.sock"))
            .asks(ASK)
            .log("e.log", 1),
        case("error log: two tries, then none", http(two))
            .refusing("a")
            .refusing("b")
            .client(|scene| scene.get_each(&["/1", "/2"]))
            .log("e.log", 3),
        case("error log: no answer in time", proxied("proxy_read_timeout 300ms;"))
            .worker("a", Arc::new(|visit| while visit.request().is_some() {}))
            .asks(ASK)
            .log("e.log", 1),
        case("error log: closed without an answer", proxied(""))
            .worker("a", Arc::new(|visit| drop(visit.request())))
            .asks(ASK)
            .log("e.log", 1),
        case("error log: no HTTP", proxied(""))
            .worker("a", answer_and_close("garbage\r\n\r\n"))
            .asks(ASK)
            .log("e.log", 1),
        case("error log: too large a body", proxied("client_max_body_size 1;"))
            .asks("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc")
            .log("e.log", 1),
        case("error log: an answer cut short", proxied(""))
            .worker("a", answer_and_close("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok"))
            .asks(ASK)
            .log("e.log", 1),
    ]
}
