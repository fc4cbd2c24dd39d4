//! What variables are worth that few ask for.

use crate::case::{Case, http, proxied, server};

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = bodies();
    cases.extend(shares());
    cases.extend(addresses());
    cases.extend(rates());
    cases.push(
        Case::new(
            "$realpath_root",
            server("location / { root {dir}/x/..; return 200 \"$document_root $realpath_root\"; }"),
        )
        .file("x/f.txt", "")
        .gets("/"),
    );
    cases.push(
        Case::new(
            "$realpath_root of what is not there",
            server("location / { root {dir}/none; return 200 \"[$realpath_root]\"; }"),
        )
        .gets("/"),
    );
    cases
}

fn bodies() -> Vec<Case> {
    const BODY: &str = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello";
    const CHUNKS: &str = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n\
                          3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n";
    let case =
        |name: &str, inside: &str| Case::new(format!("$request_body {name}"), proxied(inside));
    let field = "proxy_set_header Connection ''; proxy_set_header X-Body $request_body;";
    let large = "x".repeat(40_000);
    let logged = |name: &str, location: &str| {
        let text = format!(
            "log_format b '[$request_body]'; server {{ listen 127.0.0.1:{{port}}; access_log b.log b; \
             location / {{ {location} }} }}"
        );
        Case::new(format!("$request_body {name}"), http(&text))
            .client(|scene| {
                let mut client = scene.connect();
                client.send(BODY);
                client.response();
            })
            .log("b.log", 1)
    };
    vec![
        case("to a server", field).asks(BODY),
        case("in chunks to a server", field).asks(CHUNKS),
        case("of nothing", field).gets("/"),
        case("that is too large", field)
            .asks(format!("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 40000\r\n\r\n{large}")),
        case(
            "that is not too large",
            "client_body_buffer_size 64k; proxy_set_body \"<$request_body>\";",
        )
        .asks(format!("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 40000\r\n\r\n{large}")),
        case("in another body", "proxy_set_body \"<$request_body>\";").asks(BODY),
        case(
            "that is not passed on",
            &format!("proxy_pass_request_body off; proxy_set_header Content-Length ''; {field}"),
        )
        .asks(BODY),
        logged("in the log", "proxy_pass http://unix:a.sock;"),
        logged("in the log, of a text", "return 200 text;"),
    ]
}

fn addresses() -> Vec<Case> {
    let case = |name: &str, lines: &str| {
        let text = format!(
            "geo $arg_ip $where {{ {lines} }} geo $mine {{ 127.0.0.0/8 here; }} \
             server {{ listen 127.0.0.1:{{port}}; location / {{ return 200 \"$arg_ip [$where] $mine\"; }} }}"
        );
        Case::new(format!("geo: {name}"), http(&text))
            .file("more.geo", "10.2.0.0/16 two; 11.0.0.0/8 eleven;")
            .client(|scene| {
                for ip in [
                    "10.0.0.1",
                    "10.0.0.9",
                    "10.0.0.10",
                    "10.1.2.3",
                    "10.2.2.3",
                    "11.1.1.1",
                    "12.0.0.1",
                    "::1",
                    "fe80::1",
                    "::ffff:10.1.2.3",
                    "nowhere",
                    "255.255.255.255",
                ] {
                    scene.get_each(&[&format!("/?ip={ip}")]);
                }
            })
    };
    vec![
        case(
            "networks",
            "default other; 10.0.0.0/8 ten; 10.1.0.0/16 one; 10.1.2.3 host; fe80::/10 link; ::1 self; 255.255.255.255 none;",
        ),
        case("without a default", "10.0.0.0/8 ten;"),
        case("a default of networks", "0.0.0.0/0 all; 10.0.0.0/8 ten;"),
        case(
            "included and deleted",
            "include more.geo; delete 11.0.0.0/8; 10.0.0.0/8 ten; 10.0.0.0/8 again;",
        ),
        case("ranges", "ranges; default other; 10.0.0.0-10.0.0.9 a; 10.0.0.10-10.1.255.255 b;"),
        case(
            "ranges in ranges",
            "ranges; 10.0.0.0-10.255.255.255 a; 10.0.0.9-10.0.0.9 b; 10.1.0.0-10.1.2.3 c; 10.0.0.0-10.0.0.1 d;",
        ),
        case(
            "ranges deleted",
            "ranges; 10.0.0.0-10.0.0.9 a; delete 10.0.0.0-10.0.0.9; 12.0.0.0-12.255.255.255 c;",
        ),
        case("nothing", ""),
    ]
}

fn shares() -> Vec<Case> {
    let case = |name: &str, parts: &str| {
        let text = format!(
            "split_clients \"${{arg_k}}AAA\" $share {{ {parts} }} server {{ listen 127.0.0.1:{{port}}; \
             location / {{ return 200 \"$arg_k [$share]\"; }} }}"
        );
        Case::new(format!("split_clients: {name}"), http(&text)).client(|scene| {
            for key in 0..40 {
                scene.get_each(&[&format!("/?k={}", "key".repeat(key % 5) + &key.to_string())]);
            }
        })
    };
    vec![
        case("three", "0.5% one; 20% two; * three;"),
        case("halves", "50% a; 50% b;"),
        case("some of all", "33.33% a; 33.33% b;"),
        case("all of them", "* a;"),
        case("nobody", ""),
    ]
}

fn rates() -> Vec<Case> {
    let case = |name: &str, inside: &str| {
        let text = format!(
            "log_format r '$limit_rate'; server {{ listen 127.0.0.1:{{port}}; access_log r.log r; \
             error_log e.log; location / {{ {inside} }} }}"
        );
        Case::new(format!("$limit_rate {name}"), http(&text))
            .client(|scene| scene.get_each(&["/"]))
            .log("r.log", 1)
    };
    vec![
        case("that nobody sets", "proxy_pass http://unix:a.sock;"),
        case("of a directive", "limit_rate 64k; proxy_pass http://unix:a.sock;"),
        case("that is set", "limit_rate 64k; set $limit_rate 128k; proxy_pass http://unix:a.sock;"),
        case(
            "before it is set",
            "set $before $limit_rate; set $limit_rate 1m; return 200 \"$before $limit_rate\";",
        ),
        case("that is none", "set $limit_rate quick; return 200 \"[$limit_rate]\";")
            .log("e.log", 1),
        case(
            "that is set to nothing",
            "limit_rate 64k; set $limit_rate 0; proxy_pass http://unix:a.sock;",
        ),
    ]
}
