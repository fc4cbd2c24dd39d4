//! `stub_status`, and the variables that come with it.

use crate::case::{Case, http, server};

pub(crate) fn cases() -> Vec<Case> {
    let stub = "location /stub { stub_status; }";
    let names = "location /names { return 200 \
                 \"$connections_active $connections_reading $connections_writing $connections_waiting\"; }";
    let ask = |method: &str| {
        let raw = format!("{method} /stub HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n");
        played(format!("stub_status: {method}"), stub, vec![raw])
    };
    let get = |target: &str| format!("GET {target} HTTP/1.1\r\nHost: h\r\n\r\n");
    let mut cases: Vec<Case> =
        ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"].into_iter().map(ask).collect();
    cases.extend([
        played("stub_status: old form", "location / { stub_status on; }", vec![get("/")]),
        played("stub_status: in a server", "stub_status;", vec![get("/")]),
        played(
            "stub_status: in a server with a location",
            "stub_status; location /x { return 200 x; }",
            vec![get("/x"), get("/y")],
        ),
        played(
            "stub_status: the last word counts",
            "location /a { proxy_pass http://unix:a.sock; stub_status; } \
             location /b { stub_status; proxy_pass http://unix:a.sock; }",
            vec![get("/a"), get("/b")],
        ),
        played(
            "stub_status: inside",
            "location /l { stub_status; limit_except GET { deny all; } } \
             location /n { stub_status; location /n/m { return 200 m; } }",
            vec![
                "POST /l HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n".to_owned(),
                get("/l"),
                get("/n/m"),
            ],
        ),
        Case::new(
            "stub_status: who is there",
            server(&format!("{stub} {names} location /kept {{ return 200 kept; }}")),
        )
        .client(|scene| {
            let mut kept = scene.connect();
            kept.send("GET /kept HTTP/1.1\r\nHost: h\r\n\r\n");
            kept.response();
            let mut begun = scene.connect();
            begun.send("GET /kept HTT");
            // Whoever is asked last has seen the others.
            for target in ["/kept", "/stub", "/names"] {
                kept.send(format!("GET {target} HTTP/1.1\r\nHost: h\r\n\r\n"));
                kept.response();
            }
        }),
        Case::check("stub_status: two arguments", server("location / { stub_status a b; }")),
        Case::check("stub_status: twice", server("location / { stub_status; stub_status; }")),
        Case::check("stub_status: in http", http("stub_status;")),
        Case::check("stub_status: in an if", server("location / { if ($uri) { stub_status; } }")),
    ]);
    cases
}

/// One client that asks for this. Before that it asks for something else, so that whoever has only
/// looked whether the front is there has left.
fn played(name: impl Into<String>, config: &str, asks: Vec<String>) -> Case {
    Case::new(name, server(&format!("location /kept {{ return 200 kept; }} {config}"))).client(
        move |scene| {
            let mut client = scene.connect();
            for _ in 0..2 {
                client.send("GET /kept HTTP/1.1\r\nHost: h\r\n\r\n");
                client.response();
            }
            for ask in &asks {
                client.send(ask);
                client.response_to(ask.split(' ').next().unwrap_or_default());
            }
        },
    )
}
