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
        ("an unknown variable in if= without a server", "access_log a.log combined if=$nope;"),
        (
            "an unknown variable in if= that no server has",
            "access_log a.log combined if=$nope; server { access_log off; }",
        ),
        ("an unknown variable in if=", "server { access_log a.log combined if=$nope; }"),
        (
            "two buffers of one log",
            "server { access_log a.log combined buffer=8k; location / { access_log a.log combined buffer=9k; } }",
        ),
        ("one buffer", "server { proxy_buffers 1 4k; }"),
        ("two buffers", "server { location / { proxy_buffers 2 4k; } }"),
        (
            "busy buffers that are too small",
            "server { location / { proxy_busy_buffers_size 1k; } }",
        ),
        (
            "busy buffers that are too large",
            "server { location / { proxy_busy_buffers_size 64k; } }",
        ),
        ("a large head", "server { location / { proxy_buffer_size 64k; } }"),
        (
            "a large head that fits",
            "server { location / { proxy_buffer_size 64k; proxy_buffers 8 64k; } }",
        ),
        (
            "an answer's field twice",
            "proxy_ignore_headers Vary; server { proxy_ignore_headers Vary vary; }",
        ),
        ("return without a code", "server { return x; }"),
        ("return with a bad code", "server { return 1000; }"),
        ("return with too much", "server { return 200 a b; }"),
    ];
    cases.extend(http.into_iter().chain(phases()).map(|(name, text)| {
        let text = format!("events {{}}\nhttp {{\n    access_log off;\n    {text}\n}}\n");
        Case::check(format!("-t: {name}"), text)
    }));
    cases
}

/// Mistakes in what rewrites requests, limits them and serves files.
fn phases() -> Vec<(&'static str, &'static str)> {
    vec![
        ("set without a variable", "server { set a b; }"),
        ("set with too little", "server { set $a; }"),
        ("set of nginx's own", "server { set $uri b; }"),
        ("set in http", "set $a b;"),
        ("if without parentheses", "server { if $uri { } }"),
        ("if that does not end", "server { if ($uri { } }"),
        ("if of nothing", "server { if () { } }"),
        ("if of no variable", "server { if (uri) { } }"),
        ("if with too much", "server { if ($uri a b c) { } }"),
        ("if with half of it", "server { if ($uri =) { } }"),
        ("if with an operator that is none", "server { if ($uri == a) { } }"),
        ("if with a test that is none", "server { if (-z a) { } }"),
        ("if with a test of nothing", "server { if (-f) { } }"),
        ("if with a test of two", "server { if (-f a b) { } }"),
        ("if in http", "if ($uri) { }"),
        ("if in an if", "server { location / { if ($uri) { if ($uri) { } } } }"),
        ("proxy_pass in a server's if", "server { if ($uri) { proxy_pass http://unix:a; } }"),
        ("a location in an if", "server { location / { if ($uri) { location /a { } } } }"),
        ("rewrite with a flag that is none", "server { rewrite a b c; }"),
        ("rewrite with too little", "server { rewrite a; }"),
        ("break with an argument", "server { break a; }"),
        ("rewrite_log", "rewrite_log maybe;"),
        ("uninitialized_variable_warn", "uninitialized_variable_warn 1;"),
        ("internal in a server", "server { internal; }"),
        ("internal with an argument", "server { location / { internal on; } }"),
        ("error_page with too little", "error_page 404;"),
        ("error_page without a code", "error_page = /a;"),
        ("error_page of no code", "error_page x /a;"),
        ("error_page of a small code", "error_page 200 /a;"),
        ("error_page of a large code", "error_page 600 /a;"),
        ("error_page of 499", "error_page 499 /a;"),
        ("error_page with a bad code", "error_page 404 =x /a;"),
        ("recursive_error_pages", "recursive_error_pages yes;"),
        ("try_files with too little", "server { try_files a; }"),
        ("try_files with a bad code", "server { try_files a =x; }"),
        ("try_files with a large code", "server { try_files a =1000; }"),
        ("try_files twice", "server { location / { try_files a b; try_files a b; } }"),
        ("try_files in http", "try_files a b;"),
        ("limit_except in a server", "server { limit_except GET { } }"),
        ("limit_except of no method", "server { location / { limit_except GO { } } }"),
        (
            "limit_except twice",
            "server { location / { limit_except GET { } limit_except GET { } } }",
        ),
        ("satisfy", "satisfy some;"),
        ("satisfy twice", "satisfy all; satisfy any;"),
        ("allow of no address", "allow nobody;"),
        ("allow of a bad network", "allow 10.0.0.0/33;"),
        ("deny with low bits", "deny 10.0.0.1/8;"),
        ("deny with too much", "deny all all;"),
        ("a named location in a location", "server { location /a { location @b { } } }"),
        ("a location in a named one", "server { location @a { location /b { } } }"),
        ("a named location twice", "server { location @a { } location @a { } }"),
        ("set_real_ip_from nobody", "set_real_ip_from nobody.invalid;"),
        ("set_real_ip_from nobody, in a server", "server { set_real_ip_from nobody.invalid; }"),
        ("set_real_ip_from a bad network", "set_real_ip_from 10.0.0.0/x;"),
        ("real_ip_header twice", "real_ip_header A; real_ip_header B;"),
        ("real_ip_recursive", "real_ip_recursive x;"),
        ("root twice", "server { root a; root b; }"),
        ("root and alias", "server { location / { root a; alias b; } }"),
        ("alias in a server", "server { alias a; }"),
        ("alias in a named location", "server { location @a { alias b; } }"),
        ("root of itself", "server { root a$document_root; }"),
        ("index of nothing", "index '';"),
        ("index absolute and more", "index /a b;"),
        ("etag", "etag maybe;"),
        ("max_ranges", "max_ranges x;"),
        ("if_modified_since", "if_modified_since never;"),
        ("log_not_found", "log_not_found x;"),
        ("add_header with too little", "add_header X-A;"),
        ("add_header with a word", "add_header X-A a sometimes;"),
        ("absolute_redirect", "absolute_redirect x;"),
        ("port_in_redirect twice", "port_in_redirect on; port_in_redirect on;"),
        ("server_name_in_redirect", "server_name_in_redirect 1;"),
        (
            "proxy_pass with a URI in an if",
            "server { location / { if ($uri) { proxy_pass http://unix:a:/b; } } }",
        ),
        (
            "proxy_pass with a URI in a named location",
            "server { location @a { proxy_pass http://unix:a:/b; } }",
        ),
        (
            "proxy_pass with a URI in limit_except",
            "server { location / { limit_except GET { proxy_pass http://unix:a:/b; } } }",
        ),
    ]
}
