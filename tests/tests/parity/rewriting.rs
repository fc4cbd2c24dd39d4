//! `set`, `if`, `rewrite`, `break`, and `return` among them.

use crate::case::{Case, OK, http, server};

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = rewrites();
    cases.extend(ifs());
    cases.extend(sets());
    cases.extend(to_workers());
    cases.extend(logs());
    cases
}

/// What a rewrite in a location comes to: the place that answers says where the request is.
fn rewrites() -> Vec<Case> {
    let around = |lines: &str| {
        server(&format!(
            "location /b/ {{ return 200 \"b $uri $args $1\"; }} location /a {{ {lines} \
             return 200 \"a $uri $is_args$args $1\"; }} location / {{ return 200 \"root $uri\"; }}"
        ))
    };
    let mut cases: Vec<Case> = [
        "rewrite ^/a/(.*)$ /b/$1;",
        "rewrite ^/a/(.*)$ /b/$1 last;",
        "rewrite ^/a/(.*)$ /b/$1 break;",
        "rewrite ^/a/(.*)$ /b/$1 redirect;",
        "rewrite ^/a/(.*)$ /b/$1 permanent;",
        "rewrite ^/a/(.*)$ /b/$1? last;",
        "rewrite ^/a/(.*)$ /b/$1?x=1 last;",
        "rewrite ^/a/(.*)$ /b/?x=$1 last;",
        "rewrite ^/a/(.*)$ /b/?x=$1? last;",
        "rewrite ^/a/(.*)$ /b/$1? redirect;",
        "rewrite ^/a/(.*)$ /b/?x=$1 redirect;",
        "rewrite ^/a/(.*)$ http://elsewhere/$1;",
        "rewrite ^/a/(.*)$ https://elsewhere/$1 permanent;",
        "rewrite ^/a/(.*)$ $scheme://$host/$1 last;",
        "rewrite ^/a/(.*)$ /b/$1 last; return 404;",
        "rewrite ^/x /never last;",
        "rewrite ^/a/(?<rest>.*)$ /b/$rest last;",
        "rewrite ^ /b/ last;",
        "rewrite ^ b/ last;",
        "rewrite ^ ?x last;",
        "rewrite ^/a/(.*)$ /a/$1x last;",
        "rewrite ^ /b/; break;",
        "break; rewrite ^ /b/ last;",
        "rewrite ^/a/(.*)$ /c/$1; rewrite ^/c/(.*)$ /b/$1 last;",
    ]
    .into_iter()
    .map(|lines| {
        Case::new(lines, around(lines))
            .client(|scene| scene.get_each(&["/a/one", "/a/t%20wo?q=1&r", "/a/+%3F%26", "/a/"]))
    })
    .collect();
    cases.extend([
        Case::new(
            "a rewrite in the server",
            server("rewrite ^/old/(.*)$ /new/$1; location /new/ { return 200 \"$uri $args\"; }"),
        )
        .client(|scene| scene.get_each(&["/old/x?y", "/new/z"])),
        Case::new(
            "last in the server",
            server("rewrite ^/a /b last; rewrite ^/b /c last; location / { return 200 $uri; }"),
        )
        .client(|scene| scene.get_each(&["/a", "/b"])),
        Case::new(
            "a cycle of rewrites",
            server("error_log e.log; location / { rewrite ^(.*)$ $1x last; }"),
        )
        .asks("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        .log("e.log", 1),
        Case::new(
            "$request_uri after a rewrite",
            server("location /a { rewrite ^ /b?z last; } location /b { return 200 \"$request_uri $uri $args $request\"; }"),
        )
        .gets("/a?q"),
        Case::new("a rewrite without a replacement for HEAD", server("rewrite ^ /x redirect;"))
            .asks("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n"),
    ]);
    cases
}

fn ifs() -> Vec<Case> {
    let conditions = [
        "$arg_x",
        "$arg_x = one",
        "$arg_x != one",
        "$arg_x ~ ^O",
        "$arg_x ~* ^O",
        "$arg_x !~ ^o",
        "$arg_x !~* ^O",
        "$arg_x ~ (n)(e)",
        "$arg_x = $arg_y",
        " $arg_x ",
        "$request_method = POST",
        "-f {dir}/there.txt",
        "!-f {dir}/there.txt",
        "-f {dir}/$arg_x",
        "-d {dir}",
        "!-d {dir}/there.txt",
        "-e {dir}/there.txt",
        "!-e {dir}/not",
        "-x {dir}/there.txt",
        "-x {dir}",
    ];
    let asked = ["/", "/?x=", "/?x=0", "/?x=one", "/?x=one&y=one", "/?x=there.txt"];
    let mut cases: Vec<Case> = conditions
        .into_iter()
        .map(|condition| {
            let text = format!(
                "location / {{ if ({condition}) {{ return 200 \"yes $1\"; }} return 200 no; }}"
            );
            Case::new(format!("if ({condition})"), server(&text))
                .file("there.txt", "x")
                .client(move |scene| scene.get_each(&asked))
        })
        .collect();
    cases.extend([
        Case::new(
            "if in the server",
            server("if ($arg_x) { return 200 x; } if ($arg_y) { rewrite ^ /y; } location / { return 200 $uri; }"),
        )
        .client(|scene| scene.get_each(&["/?x=1", "/?y=1", "/z"])),
        Case::new(
            "the settings of an if",
            server(
                "location / { add_header X-In outer; if ($arg_x) { add_header X-In inner; } \
                 if ($arg_y) { set $v 1; } return 200 ok; }",
            ),
        )
        .client(|scene| scene.get_each(&["/", "/?x=1", "/?y=1", "/?x=1&y=1"])),
        Case::new(
            "proxy_pass in an if",
            server(
                "location / { if ($arg_x) { proxy_pass http://unix:b.sock; } \
                 if ($arg_y) { set $v 1; } proxy_pass http://unix:a.sock; }",
            ),
        )
        .named_workers(&["a", "b"])
        .client(|scene| scene.get_each(&["/", "/?x=1", "/?y=1", "/?x=1&y=1"])),
        Case::new(
            "an error page in an if",
            server("location / { if ($arg_x) { error_page 404 /e; return 404; } return 404; } location = /e { return 200 page; }"),
        )
        .client(|scene| scene.get_each(&["/?x=1", "/"])),
    ]);
    cases
}

fn sets() -> Vec<Case> {
    let case = |name: &str, lines: &str| Case::new(name, server(lines));
    vec![
        case("set", "set $a one; set $b \"$a-$uri\"; set $a two; return 200 \"$a $b\";").gets("/x"),
        case("set: a name in another case", "set $Aa one; return 200 \"$aA\";").gets("/x"),
        case("set $args", "location / { set $args new=1; return 200 \"$args $query_string $arg_new $is_args $request_uri\"; }").gets("/x?old"),
        case("set before and after a location", "set $a server; location / { set $b $a-loc; return 200 \"$a $b\"; }").gets("/"),
        case("set: captured in an if", "location / { if ($uri ~ ^/(\\w+)/(?<two>\\w+)) { set $a $1; } return 200 \"$a $two\"; }")
            .client(|scene| scene.get_each(&["/x/y", "/x"])),
        case("set: not set", "error_log e.log warn; location / { if ($arg_x) { set $a 1; } return 200 \"[$a]\"; }")
            .client(|scene| scene.get_each(&["/?x=1", "/"]))
            .log("e.log", 1),
        case("set: not set and not told", "error_log e.log warn; uninitialized_variable_warn off; location / { if ($arg_x) { set $a 1; } return 200 \"[$a]\"; } location /z { error_log e.log; return 500; }")
            .gets("/"),
        Case::new("set: a map's variable", http("map $arg_x $m { 1 one; default other; } server { listen 127.0.0.1:{port}; location / { if ($arg_y) { set $m set; } return 200 $m; } }"))
            .client(|scene| scene.get_each(&["/?x=1", "/?x=1&y=1"])),
    ]
}

/// What a worker is asked for after a rewrite.
fn to_workers() -> Vec<Case> {
    let case = |name: &str, lines: &str| {
        Case::new(name, server(lines))
            .answers(OK)
            .client(|scene| scene.get_each(&["/a/b%20c?q=1", "/a/x+y", "/a//z/../w"]))
    };
    vec![
        case(
            "passed on after last",
            "location /a { rewrite ^/a(.*)$ /p$1 last; } location /p { proxy_pass http://unix:a.sock; }",
        ),
        case(
            "passed on after break",
            "location /a { rewrite ^/a(.*)$ /p$1 break; proxy_pass http://unix:a.sock; }",
        ),
        case(
            "passed on after break with a URI",
            "location /a { rewrite ^/a(.*)$ /p$1 break; proxy_pass http://unix:a.sock:/u; }",
        ),
        case(
            "passed on after last with a URI",
            "location /a { rewrite ^/a(.*)$ /p$1 last; } location /p/ { proxy_pass http://unix:a.sock:/u/; }",
        ),
        case(
            "passed on after set $args",
            "location /a { set $args z; proxy_pass http://unix:a.sock; }",
        ),
        case(
            "passed on from a named location",
            "location /a { try_files /none @p; } location @p { proxy_pass http://unix:a.sock; }",
        ),
        case(
            "passed on from a named location that rewrites",
            "location /a { try_files /none @p; } location @p { rewrite ^/a(.*)$ /n$1 break; proxy_pass http://unix:a.sock; }",
        ),
    ]
}

fn logs() -> Vec<Case> {
    let ask = "GET /a/b?q HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
    vec![
        Case::new("rewrite_log", server("error_log e.log notice; rewrite_log on; location /a { rewrite ^/x /y; rewrite ^/a(.*)$ /b$1?z last; } location /b { if ($uri ~ b$) { return 200 \"$uri $args\"; } }"))
            .asks(ask)
            .log("e.log", 4),
        Case::new("rewrite_log of a redirect", server("error_log e.log notice; rewrite_log on; location / { rewrite ^/a(.*)$ /b$1 redirect; }"))
            .asks(ask)
            .log("e.log", 2),
        Case::new("a rewrite to nothing", server("error_log e.log; location / { rewrite ^ ?x; }")).asks(ask).log("e.log", 1),
    ]
}
