//! `-t`: what a good file is told, and what a bad one is, in nginx's own words.

use crate::case::Case;

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = vec![
        Case::check(
            "-t: good",
            "events {}\nhttp { server { listen 127.0.0.1:{port}; return 200; } }\n",
        ),
        Case::check("-t: included", "events {}\nhttp { include ./in.conf; }\n")
            .file("in.conf", "map $uri $a { x y; }\n"),
        Case::check(
            "-t: included by glob",
            "events {}\nhttp { include in*.conf; include none*.conf; }\n",
        )
        .file("in1.conf", "map $uri $a { x y; }\n")
        .file("in2.conf", "map $uri $b { x y; }\n"),
        Case::check("-t: bad in an included file", "events {}\nhttp {\n include in.conf;\n}\n")
            .file("in.conf", "\n\nfoo;\n"),
        Case::check("-t: no such file to include", "events {}\nhttp {\n include no.conf;\n}\n"),
        Case::check("-t: no events", "http { }\n"),
        Case::check("-t: an empty file", ""),
    ];
    let top = [
        ("unknown directive", "foo bar;"),
        ("an end that is missing", "http {"),
        ("an end too many", "}"),
        ("no semicolon", "pid x.pid"),
        ("no semicolon before a block's end", "http { access_log off }"),
        ("an unexpected semicolon", ";"),
        ("an unexpected brace", "{"),
        ("a block that is none", "pid { }"),
        ("a directive that is a block", "http;"),
        ("a quote that does not end", "pid \"x;\n"),
        ("a quote and more", "pid \"x\"y;"),
        ("in the wrong place", "listen 80;"),
        ("a duplicate", "pid a; pid b;"),
        ("a duplicate block", "http { } http { }"),
        ("too few arguments", "pid;"),
        ("too many arguments", "pid a b;"),
        ("not on nor off", "daemon maybe;"),
        ("worker_processes", "worker_processes few;"),
        ("a log in no directory", "error_log no/such/e.log;"),
    ];
    cases.extend(
        top.map(|(name, text)| {
            Case::check(format!("-t: {name}"), format!("events {{}}\n{text}\n"))
        }),
    );
    let http = [
        ("a time", "keepalive_timeout 5x;"),
        ("a size", "client_max_body_size 1q;"),
        ("an unknown log format", "access_log x nope;"),
        ("an unknown variable", "log_format f '$nope'; server { access_log a.log f; }"),
        ("an unknown variable in return", "server { return 200 $nope; }"),
        ("a map without its end", "map $a $b { x y z; }"),
        ("a map's variable", "map $a b { x y; }"),
        ("an upstream without servers", "upstream u { }"),
        ("a duplicate upstream", "upstream u { server unix:a; } upstream u { server unix:a; }"),
        ("a server's parameter", "upstream u { server unix:a weigth=2; }"),
        ("a server's weight", "upstream u { server unix:a weight=x; }"),
        ("a server's fail_timeout", "upstream u { server unix:a fail_timeout=x; }"),
        ("least_conn with an argument", "upstream u { least_conn x; server unix:a; }"),
        ("two methods", "upstream u { server unix:a; least_conn; }"),
        ("a host that is not found", "upstream u { server no.such.host.invalid; }"),
        ("a port", "server { listen 127.0.0.1:99999; }"),
        ("a listen parameter", "server { listen 127.0.0.1:{port} nope; }"),
        ("listen twice", "server { listen 127.0.0.1:{port}; listen 127.0.0.1:{port}; }"),
        (
            "two default servers",
            "server { listen 127.0.0.1:{port} default_server; } server { listen 127.0.0.1:{port} default_server; }",
        ),
        (
            "one name twice",
            "server { listen 127.0.0.1:{port}; server_name a; } server { listen 127.0.0.1:{port}; server_name a; }",
        ),
        ("a bad regex", "server { location ~ a(b { } }"),
        ("a bad name regex", "server { server_name ~a(b; }"),
        ("a bad wildcard", "server { server_name a.*.b; }"),
        ("a location twice", "server { location /a { } location /a { } }"),
        ("a location outside", "server { location /a { location /b { } } }"),
        ("a location's modifier", "server { location ! /a { } }"),
        ("proxy_pass without http", "server { location / { proxy_pass unix:a; } }"),
        (
            "proxy_pass twice",
            "server { location / { proxy_pass http://unix:a; proxy_pass http://unix:b; } }",
        ),
        (
            "proxy_pass with a URI in a regex",
            "server { location ~ a { proxy_pass http://unix:a:/b; } }",
        ),
        ("proxy_pass in a server", "server { proxy_pass http://unix:a; }"),
        (
            "proxy_pass to a host that is not found",
            "server { location / { proxy_pass http://no.such.host.invalid; } }",
        ),
        ("proxy_http_version", "server { location / { proxy_http_version 2; } }"),
        ("proxy_set_header with one argument", "proxy_set_header X;"),
        ("proxy_next_upstream", "proxy_next_upstream sometimes;"),
        (
            "an upstream with a port",
            "upstream u { server unix:a; } server { location / { proxy_pass http://u:81; } }",
        ),
        (
            "one address by two names",
            "server { listen 127.0.0.1:{port}; listen localhost:{port}; }",
        ),
        ("keepalive_time", "keepalive_time 1h; server { keepalive_time 1x; }"),
        ("two ways of choosing", "upstream u { least_conn; ip_hash; server unix:a; }"),
        (
            "three ways of choosing",
            "upstream u {\n hash $uri;\n hash $uri consistent;\n random;\n server unix:a; }",
        ),
        ("a key that is none", "upstream u { hash $nope; server unix:a; }"),
        ("a key without a name", "upstream u { hash a$; server unix:a; }"),
        (
            "a backup before the method",
            "upstream u { server unix:a backup; server unix:b; hash $uri; }",
        ),
        (
            "a backup after the method",
            "upstream u { hash $uri; server unix:a; server unix:b backup; }",
        ),
        ("an unknown variable in if=", "server { access_log a.log combined if=$nope; }"),
        (
            "two buffers of one log",
            "server { access_log a.log combined buffer=8k; location / { access_log a.log combined buffer=9k; } }",
        ),
        ("return without a code", "server { return x; }"),
        ("return with a bad code", "server { return 1000; }"),
        ("return with too much", "server { return 200 a b; }"),
    ];
    cases.extend(http.map(|(name, text)| {
        let text = format!("events {{}}\nhttp {{\n    access_log off;\n    {text}\n}}\n");
        Case::check(format!("-t: {name}"), text)
    }));
    cases
}
