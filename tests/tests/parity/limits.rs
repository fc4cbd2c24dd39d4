//! How much is let in: `limit_req`, `limit_conn`.

use std::sync::Arc;

use tests::worker::Script;

use crate::case::{Case, LAST, http};
use crate::scene::Scene;

const ZONES: &str = "limit_req_zone $http_x zone=slow:1m rate=1r/m; \
    limit_req_zone $http_y zone=quick:1m rate=4r/s; limit_conn_zone $http_x$arg_x zone=few:1m; \
    limit_conn_zone $http_y zone=some:1m; \
    log_format f '$uri $status [$limit_req_status] [$limit_conn_status]'; error_log e.log notice;";

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = requests();
    cases.extend(connections());
    cases
}

/// A server that passes everything to the worker `a`, with this in its location.
fn limited(lines: &str) -> String {
    limited_in(&format!("location / {{ proxy_pass http://unix:a.sock; {lines} }}"))
}

fn limited_in(lines: &str) -> String {
    http(&format!("{ZONES} server {{ listen 127.0.0.1:{{port}}; access_log a.log f; {lines} }}"))
}

/// Asks on connections of their own, with these fields each.
fn ask_each(scene: &mut Scene, fields: &[&str]) {
    for (position, fields) in fields.iter().enumerate() {
        let mut client = scene.connect();
        client.send(format!(
            "GET /{position} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n{fields}\r\n"
        ));
        client.response();
        client.end();
    }
}

const X: &str = "X: 1\r\n";
const Y: &str = "Y: 1\r\n";
const BOTH: &str = "X: 1\r\nY: 1\r\n";

fn requests() -> Vec<Case> {
    let case = |lines: &str, fields: &'static [&'static str]| {
        Case::new(lines, limited(lines))
            .client(|scene| ask_each(scene, fields))
            .log("a.log", fields.len())
    };
    let told = |lines: &str, fields: &'static [&'static str]| {
        Case::new(format!("{lines} told"), limited(lines))
            .client(|scene| ask_each(scene, fields))
            .log("e.log", 1)
    };
    vec![
        case("limit_req zone=slow;", &[X, X, "X: 2\r\n", "", "", X]),
        case("limit_req zone=slow burst=2 nodelay;", &[X, X, X, X, X]),
        case("limit_req zone=slow burst=2 nodelay; limit_req_status 429;", &[X, X, X, X]),
        case("limit_req zone=slow burst=1 delay=1;", &[X, X, X]),
        case("limit_req zone=slow; limit_req_dry_run on;", &[X, X]),
        case("limit_req zone=quick burst=3;", &[Y, Y, Y, Y]),
        case("limit_req zone=slow burst=1; limit_req_dry_run on;", &[X, X, X]),
        case("limit_req zone=slow burst=1 nodelay; limit_req zone=quick burst=9;", &[BOTH, BOTH, BOTH, Y]),
        case("limit_req zone=quick burst=9; limit_req zone=slow burst=1 nodelay;", &[BOTH, BOTH, BOTH, X]),
        told("limit_req zone=slow;", &[X, X]),
        told("limit_req zone=slow; limit_req_log_level warn;", &[X, X]),
        told("limit_req zone=slow; limit_req_log_level notice; limit_req_dry_run on;", &[X, X]),
        told("limit_req zone=quick burst=3;", &[Y, Y]),
        told("limit_req zone=quick burst=3; limit_req_log_level warn;", &[Y, Y]),
        told("limit_req zone=slow burst=1; limit_req_dry_run on;", &[X, X]),
        Case::new("limit_req at the server, and one level that says otherwise", limited_in(
            "limit_req zone=slow; location / { proxy_pass http://unix:a.sock; } \
             location /1 { limit_req zone=quick; proxy_pass http://unix:a.sock; }",
        )).client(|scene| ask_each(scene, &[X, X, X])).log("a.log", 3),
        Case::new("limit_req and an error page", limited_in(
            "error_page 503 /sorry; location / { limit_req zone=slow; proxy_pass http://unix:a.sock; } \
             location /sorry { limit_req zone=slow; proxy_pass http://unix:a.sock; }",
        )).client(|scene| ask_each(scene, &[X, X])).log("a.log", 2),
        Case::new("limit_req counts once, wherever a request is sent", limited_in(
            "limit_req zone=slow; location / { try_files /none @a; } location @a { proxy_pass http://unix:a.sock; }",
        )).client(|scene| ask_each(scene, &[X, X])).log("a.log", 2),
        Case::new("limit_req before allow", limited("limit_req zone=slow; deny all;"))
            .client(|scene| ask_each(scene, &[X, X]))
            .log("a.log", 2),
        Case::new("limit_req after return", limited_in("limit_req zone=slow; location / { return 200 x; }"))
            .client(|scene| ask_each(scene, &[X, X]))
            .log("a.log", 2),
        Case::new("limit_req of a file", limited_in("limit_req zone=slow; root {dir}; location / { }"))
            .file("0", "zero").file("1", "one")
            .client(|scene| ask_each(scene, &[X, X])),
    ]
}

const ASK: &str =
    "GET /tunnel HTTP/1.1\r\nHost: h\r\nX: 1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";

/// Answers a handshake and sends back what comes; anything else gets its answer.
fn worker() -> Script {
    Arc::new(|visit| {
        while let Some(head) = visit.request() {
            let raw = if head.header("upgrade").is_some() {
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
            } else {
                "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
            };
            if !visit.send(raw.as_bytes()) {
                return;
            }
            if raw.starts_with("HTTP/1.1 101") {
                visit.echo();
                return;
            }
        }
    })
}

/// Opens a tunnel, asks beside it, closes it, and asks until that is let in.
fn beside_a_tunnel(scene: &mut Scene) {
    let mut tunnel = scene.connect();
    tunnel.send(ASK);
    tunnel.head();
    tunnel.send("word");
    tunnel.read(4);
    ask_each(scene, &[X, "X: 2\r\n", ""]);
    drop(tunnel);
    for _ in 0..1000 {
        let mut client = scene.connect();
        let choice = client.choice("/?x=1");
        if choice != "503" {
            return scene.note_choices(&[choice]);
        }
    }
}

fn connections() -> Vec<Case> {
    const PASSES: &str =
        "proxy_set_header Connection $http_connection; proxy_set_header Upgrade $http_upgrade;";
    let case =
        |lines: &str| Case::new(lines, limited(&format!("{PASSES} {lines}"))).worker("a", worker());
    vec![
        case("limit_conn few 1;").client(beside_a_tunnel),
        case("limit_conn few 2;").client(beside_a_tunnel),
        case("limit_conn some 1; limit_conn few 1;").client(beside_a_tunnel),
        case("limit_conn few 1; limit_conn_dry_run on;").client(beside_a_tunnel),
        case("limit_conn few 1; limit_conn_status 429;").client(|scene| {
            let mut tunnel = scene.connect();
            tunnel.send(ASK);
            tunnel.head();
            ask_each(scene, &[X]);
        }),
        case("limit_conn few 1; limit_conn_log_level warn;")
            .client(|scene| {
                let mut tunnel = scene.connect();
                tunnel.send(ASK);
                tunnel.head();
                ask_each(scene, &[X]);
            })
            .log("e.log", 1),
        case("limit_conn few 1; limit_conn_log_level notice; limit_conn_dry_run on;")
            .client(|scene| {
                let mut tunnel = scene.connect();
                tunnel.send(ASK);
                tunnel.head();
                ask_each(scene, &[X]);
            })
            .log("e.log", 1),
        case("limit_conn few 9;").asks(LAST),
        Case::new("a key too long to be counted", limited("limit_conn few 1;"))
            .asks(format!(
                "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nX: {}\r\n\r\n",
                "k".repeat(256)
            ))
            .log("e.log", 1),
    ]
}
