//! `return` and `map`.

use crate::case::{Case, http, server};

pub(crate) fn cases() -> Vec<Case> {
    let case = |directive: &str| {
        Case::new(directive, server(&format!("location / {{ {directive} }}"))).gets("/p?q=1")
    };
    let mut cases: Vec<Case> = [
        "return 200 text;",
        "return 200;",
        "return 200 'two words\\n';",
        "return 200 \"$request_method $uri $args\";",
        "return 201 made;",
        "return 204;",
        "return 301 /there;",
        "return 301 https://$host$request_uri;",
        "return 302 http://elsewhere/;",
        "return 303 /x;",
        "return 307 /x;",
        "return 308 /x;",
        "return http://elsewhere$request_uri;",
        "return 302 there;",
        "return 400;",
        "return 401;",
        "return 403;",
        "return 404;",
        "return 404 'own text';",
        "return 405;",
        "return 410;",
        "return 413;",
        "return 418;",
        "return 426;",
        "return 429;",
        "return 444;",
        "return 499;",
        "return 500;",
        "return 501;",
        "return 502;",
        "return 503;",
        "return 504;",
        "return 505;",
    ]
    .into_iter()
    .map(case)
    .collect();
    cases.extend([
        Case::new(
            "return: types",
            server(
                "types { a/b x Y; } types { c/d z.q; } location /t { types { }  return 200; } \
                 location / { return 200; } location /i { include t.types; return 200; }",
            ),
        )
        .file("t.types", "types { e/f\n html x; }\n")
        .client(|scene| {
            scene.get_each(&[
                "/1.x",
                "/2.y",
                "/3.html",
                "/t/4.x",
                "/i/5.x",
                "/.x",
                "/6.x/7",
                "/i/8.HTML",
            ])
        }),
        Case::new("HEAD of a return", server("return 200 text;"))
            .asks("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n"),
        Case::new("HEAD of a 404", server("return 404;"))
            .asks("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n"),
        Case::new("return to HTTP/1.0", server("return 200 text;")).asks("GET / HTTP/1.0\r\n\r\n"),
        Case::new("return and a body", server("return 200 text;"))
            .asks("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"),
        Case::new("return and a chunked body", server("return 200 text;")).asks(
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        ),
        Case::new(
            "a redirect by path on a server with a name",
            server("server_name n; return 301 /x;"),
        )
        .gets("/"),
        Case::new("a redirect for a client without Host", server("server_name n; return 301 /x;"))
            .asks("GET / HTTP/1.0\r\n\r\n"),
    ]);
    cases.extend(maps());
    cases
}

fn maps() -> Vec<Case> {
    let case = |name: &str, map: &str| {
        let server = "server { listen 127.0.0.1:{port}; return 200 \"[$out]\"; }";
        Case::new(name, http(&format!("{map}\n{server}")))
    };
    let upgrade = "map $http_upgrade $out { default upgrade; '' close; }";
    let names = r"map $host $out { hostnames; default d; example.com exact; *.example.com leading; www.* trailing; ~^re(\d)$ re-$1; ~*^CASE$ icase; }";
    let ask = |host: &str| format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n");
    let mut cases = vec![
        case("map: the empty string", upgrade).gets("/"),
        Case::new("map: a value holds for the request", http("map $uri $m { /a A; /b B; } map $uri $v { volatile; /a A; /b B; } server { listen 127.0.0.1:{port}; location /a { set $one $m$v; rewrite ^ /b; } location /b { return 200 '$one $m$v'; } }")).gets("/a"),
        case("map: the default", upgrade)
            .asks("GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n\r\n"),
        case("map: no default", "map $uri $out { /a x; }")
            .client(|scene| scene.get_each(&["/a", "/b"])),
        case("map: case of the source", "map $uri $out { /A upper; /b lower; }")
            .client(|scene| scene.get_each(&["/A", "/a", "/B"])),
        case("map: a variable as value", "map $uri $out { /a $host; default $uri-$args; }")
            .client(|scene| scene.get_each(&["/a", "/b?c"])),
        case("map: of two variables", "map $host$uri $out { h/a both; }").gets("/a"),
        case("map: through a map", "map $in $out { 1 one; } map $uri $in { /a 1; }").gets("/a"),
        case("map: an escaped word", r"map $uri $out { \default not; default is; }")
            .gets("/default"),
    ];
    for host in ["example.com", "a.example.com", "www.x", "re7", "case", "other"] {
        cases.push(case(&format!("map: host {host}"), names).asks(ask(host)));
    }
    cases
}
