//! Which server gets a request: round robin, least_conn, failures.

use std::sync::Arc;

use tests::worker::Script;

use crate::case::{Case, balanced};

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = sequences();
    cases.extend(held());
    cases.extend(failures());
    cases
}

/// Twelve requests one after another.
fn twelve(name: &str, upstream: &str) -> Case {
    Case::new(name, balanced(upstream, ""))
        .named_workers(&["a", "b", "c"])
        .client(|scene| scene.get_each(&["/"; 12]))
}

fn sequences() -> Vec<Case> {
    vec![
        twelve("round robin", "server unix:a.sock; server unix:b.sock; server unix:c.sock;"),
        twelve(
            "round robin, weights",
            "server unix:a.sock weight=5; server unix:b.sock; server unix:c.sock weight=2;",
        ),
        twelve(
            "round robin, one down",
            "server unix:a.sock; server unix:b.sock down; server unix:c.sock;",
        ),
        twelve(
            "round robin, a backup",
            "server unix:a.sock; server unix:b.sock; server unix:c.sock backup;",
        ),
        twelve(
            "round robin, one refuses",
            "server unix:a.sock; server unix:b.sock; server unix:c.sock;",
        )
        .refusing("b"),
        twelve(
            "round robin, all but the backup refuse",
            "server unix:a.sock; server unix:b.sock; server unix:c.sock backup;",
        )
        .refusing("a")
        .refusing("b"),
        twelve(
            "least_conn, one after another",
            "least_conn; server unix:a.sock; server unix:b.sock; server unix:c.sock;",
        ),
        twelve(
            "least_conn, weights, one after another",
            "least_conn; server unix:a.sock weight=3; server unix:b.sock weight=2; server unix:c.sock;",
        ),
        twelve(
            "least_conn, one refuses",
            "least_conn; server unix:a.sock; server unix:b.sock; server unix:c.sock;",
        )
        .refusing("a"),
    ]
}

/// Says its name through the tunnel and holds it.
fn held_by(name: &'static str) -> Script {
    Arc::new(move |visit| {
        if visit.request().is_some() {
            visit.send(format!("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n{name}").as_bytes());
            visit.read_to_end();
        }
    })
}

/// Twelve tunnels, all held.
fn held() -> Vec<Case> {
    let case = |name: &str, upstream: &str| {
        let passes = "proxy_set_header Connection upgrade; proxy_set_header Upgrade x;";
        Case::new(name, balanced(upstream, passes))
            .worker("a", held_by("a"))
            .worker("b", held_by("b"))
            .worker("c", held_by("c"))
            .client(|scene| {
                let mut clients: Vec<_> = (0..12).map(|_| scene.connect()).collect();
                for client in &mut clients {
                    client.send(
                        "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n",
                    );
                    client.head();
                    client.read(1);
                }
            })
    };
    vec![
        case(
            "least_conn, held",
            "least_conn; server unix:a.sock; server unix:b.sock; server unix:c.sock;",
        ),
        case(
            "least_conn, weights, held",
            "least_conn; server unix:a.sock weight=3; server unix:b.sock weight=2; server unix:c.sock;",
        ),
        case(
            "least_conn, a backup, held",
            "least_conn; server unix:a.sock; server unix:b.sock; server unix:c.sock backup;",
        ),
        case(
            "least_conn, max_conns, held",
            "least_conn; server unix:a.sock max_conns=2; server unix:b.sock max_conns=3; server unix:c.sock;",
        ),
        case(
            "round robin, held",
            "server unix:a.sock weight=2; server unix:b.sock; server unix:c.sock;",
        ),
    ]
}

fn failures() -> Vec<Case> {
    let two = "server unix:a.sock; server unix:b.sock;";
    let case = |name: &str, upstream: &str, location: &str| {
        Case::new(name, balanced(upstream, location)).named_workers(&["a", "b"])
    };
    let silent: Script = Arc::new(|visit| while visit.request().is_some() {});
    let closes: Script = Arc::new(|visit| drop(visit.request()));
    let post = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc";
    vec![
        case("the next one after a refusal", two, "").refusing("a").gets("/"),
        case("the next one after a refusal, with a body", two, "").refusing("a").asks(post),
        case("the next one after a close", two, "").worker("a", closes.clone()).gets("/"),
        case("no next one after a close for a POST", two, "")
            .worker("a", closes.clone())
            .asks(post),
        case("the next one after a timeout", two, "proxy_read_timeout 300ms;")
            .worker("a", silent.clone())
            .gets("/"),
        case("proxy_next_upstream off", two, "proxy_next_upstream off;").refusing("a").gets("/"),
        case(
            "proxy_next_upstream without timeout",
            two,
            "proxy_next_upstream error; proxy_read_timeout 300ms;",
        )
        .worker("a", silent)
        .gets("/"),
        case("proxy_next_upstream http_503", two, "proxy_next_upstream error http_503;")
            .answers("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")
            .gets("/"),
        case(
            "proxy_next_upstream non_idempotent",
            two,
            "proxy_next_upstream error non_idempotent;",
        )
        .worker("a", closes)
        .asks(post),
        case("proxy_next_upstream http_503, with a body", two, "proxy_next_upstream http_503;")
            .answers("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")
            .asks("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"),
        case(
            "proxy_next_upstream_tries",
            "server unix:x.sock; server unix:y.sock; server unix:a.sock;",
            "proxy_next_upstream_tries 2;",
        )
        .gets("/"),
        case("a page, all away, with a time for the next", two, "proxy_next_upstream_timeout 5s;")
            .refusing("a")
            .refusing("b")
            .gets("/"),
        case(
            "a handshake, all away, with a time for the next",
            two,
            "proxy_next_upstream_timeout 300ms; proxy_set_header Connection $http_connection;
             proxy_set_header Upgrade $http_upgrade;",
        )
        .refusing("a")
        .refusing("b")
        .asks("GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"),
        case("max_fails=0", "server unix:a.sock max_fails=0; server unix:b.sock;", "")
            .refusing("a")
            .client(|scene| scene.get_each(&["/"; 6])),
        case(
            "max_fails=2",
            "server unix:a.sock max_fails=2 fail_timeout=60s; server unix:b.sock;",
            "",
        )
        .refusing("a")
        .client(|scene| scene.get_each(&["/"; 8])),
    ]
}
