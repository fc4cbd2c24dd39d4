//! Which server a request falls to.

use crate::case::{Case, http};

const NAMES: &str = r#"
    server { listen 127.0.0.1:{port}; server_name first; return 200 "first $server_name"; }
    server { listen 127.0.0.1:{port}; server_name example.com www.example.com; return 200 "exact $server_name"; }
    server { listen 127.0.0.1:{port}; server_name *.example.com; return 200 "leading $server_name"; }
    server { listen 127.0.0.1:{port}; server_name *.long.example.com; return 200 "longer $server_name"; }
    server { listen 127.0.0.1:{port}; server_name www.example.*; return 200 "trailing $server_name"; }
    server { listen 127.0.0.1:{port}; server_name .dot.org; return 200 "dot $server_name"; }
    server { listen 127.0.0.1:{port}; server_name ~^(?<who>\w+)\.re\.net$; return 200 "regex $who $1"; }
    server { listen 127.0.0.1:{port}; server_name ~re; return 200 "second regex"; }
    server { listen 127.0.0.1:{port}; server_name ""; return 200 "empty"; }
"#;

pub(crate) fn cases() -> Vec<Case> {
    let hosts = [
        "first",
        "unknown",
        "example.com",
        "EXAMPLE.com:81",
        "www.example.com",
        "www.example.com.",
        "x.example.com",
        "x.y.example.com",
        "x.long.example.com",
        "www.example.de",
        "www.example.co.uk",
        "dot.org",
        "a.dot.org",
        "ann.re.net",
        "more",
        "127.0.0.1",
        "[::1]",
    ];
    let ask = |host: &str| format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n");
    let mut cases: Vec<Case> = hosts
        .iter()
        .map(|host| Case::new(format!("server of {host}"), http(NAMES)).asks(ask(host)))
        .collect();
    let two = |one: &str, other: &str| {
        http(&format!(
            "server {{ listen 127.0.0.1:{{port}}; server_name one; {one} }}\n\
             server {{ listen 127.0.0.1:{{port}} default_server; server_name two; {other} }}"
        ))
    };
    let both = http(
        "server { listen {port}; server_name a; return 200 all; }
         server { listen 127.0.0.1:{port}; server_name b; return 200 \"own $server_name\"; }
         server { listen 127.0.0.1:{port} default_server; server_name c; return 200 \"own $server_name\"; }",
    );
    cases.extend(["a", "b", "c", "x"].map(|host| {
        Case::new(format!("listen: an address inside of *, for {host}"), &*both).asks(ask(host))
    }));
    let options = [
        "default",
        "default_server bind",
        "backlog=1",
        "rcvbuf=16k sndbuf=32k",
        "so_keepalive=on",
        "so_keepalive=off",
        "so_keepalive=1m::5",
        "reuseport",
        "deferred",
        "ipv6only=on",
    ];
    cases.extend(options.map(|options| {
        let server = format!("server {{ listen 127.0.0.1:{{port}} {options}; return 200 x; }}");
        Case::new(format!("listen: {options}"), http(&server)).asks(ask("x"))
    }));
    cases.push(
        Case::new(
            "listen: a range of one",
            http("server { listen 127.0.0.1:{port}-{port}; return 200 x; }"),
        )
        .asks(ask("x")),
    );
    cases.extend([
        Case::new("no Host is the empty name", http(NAMES)).asks("GET / HTTP/1.0\r\n\r\n"),
        Case::new("the absolute form names the server", http(NAMES))
            .asks("GET http://example.com/ HTTP/1.1\r\nHost: first\r\n\r\n"),
        Case::new("default_server", two("return 200 one;", "return 200 two;")).asks(ask("x")),
        Case::new("default_server and no Host", two("return 200 one;", "return 200 two;"))
            .asks("GET / HTTP/1.0\r\n\r\n"),
        Case::new("default_server is not above a name", two("return 200 one;", "return 200 two;"))
            .asks(ask("one")),
        Case::new("a name for each request of a connection", http(NAMES)).client(|scene| {
            let mut client = scene.connect();
            for host in ["first", "x.example.com", "unknown"] {
                client.send(format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n"));
                client.response();
            }
        }),
    ]);
    cases
}
