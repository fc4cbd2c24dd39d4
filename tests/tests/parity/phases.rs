//! Named locations, `internal`, `error_page`, `try_files`, `limit_except`, `allow` and `deny`.

use tests::worker::answer;

use crate::case::{Case, OK, http, server};

const LAST: &str = "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = error_pages();
    cases.extend(error_pages_and_workers());
    cases.extend(tries());
    cases.extend(locations());
    cases.extend(access());
    cases.extend(real_ip());
    cases.extend(redirects());
    cases.extend(added());
    cases
}

fn error_pages() -> Vec<Case> {
    const PLACES: &str = "location = /e { return 200 page; } location = /own { return 403; } \
        location = /moved { return 301 /there; } location @n { return 200 \"named $uri\"; } \
        location = /inner { internal; return 200 \"inner $uri $args $request_uri $request_method $status\"; }";
    let case = |name: &str, lines: &str| {
        Case::new(name, server(&format!("{PLACES} location / {{ {lines} return 404; }}")))
            .client(|scene| scene.get_each(&["/x?q=1"]))
    };
    let mut cases: Vec<Case> = [
        "error_page 404 /e;",
        "error_page 404 = /e;",
        "error_page 404 =200 /e;",
        "error_page 404 =503 /e;",
        "error_page 404 =302 /e;",
        "error_page 403 404 /inner;",
        "error_page 404 /inner?a=b;",
        "error_page 404 $uri/x;",
        "error_page 404 /inner?$args;",
        "error_page 404 @n;",
        "error_page 404 =200 @n;",
        "error_page 404 = @n;",
        "error_page 404 @nobody;",
        "error_page 404 http://elsewhere/;",
        "error_page 404 =301 http://elsewhere$request_uri;",
        "error_page 404 =200 http://elsewhere/;",
        "error_page 404 =307 https://elsewhere/;",
        "error_page 404 /own;",
        "error_page 404 /moved;",
        "error_page 404 = /moved;",
        "error_page 404 /none;",
        "error_page 500 /e;",
        "error_page 403 /e; error_page 404 /own;",
        "recursive_error_pages on; error_page 404 /none;",
    ]
    .into_iter()
    .map(|lines| case(lines, lines))
    .collect();
    let everywhere = |name: &str, lines: &str| Case::new(name, server(lines));
    cases.extend([
        everywhere("recursive_error_pages", "recursive_error_pages on; error_page 403 /e; location / { error_page 404 /own; return 404; } location /own { return 403; } location /e { return 200 e; }").gets("/"),
        everywhere("a cycle of error pages", "error_log e.log; recursive_error_pages on; error_page 404 /x; location / { return 404; }").asks(LAST).log("e.log", 1),
        everywhere("an error page of a return with a redirect", "error_page 301 /e; location / { return 301 /x; } location = /e { return 200 e; }").gets("/"),
        everywhere("an error page and a text", "error_page 404 /e; location / { return 404 text; } location = /e { return 200 e; }").gets("/"),
        everywhere("an error page of the server", "error_page 404 /e; location /a { return 404; } location = /e { return 200 e; } location /b { error_page 500 /e; return 404; }")
            .client(|scene| scene.get_each(&["/a", "/b"])),
        everywhere("an error page for HEAD", "error_page 404 /e; location / { return 404; } location = /e { return 200 $request_method; }")
            .asks("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n"),
        everywhere("an error page for POST", "error_page 404 /e; location / { return 404; } location = /e { return 200 $request_method; }")
            .asks("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"),
        everywhere("an error page for a bad request", "error_page 400 /e; location = /e { return 200 e; }")
            .asks("GET / HTTP/1.1\r\n\r\n"),
        everywhere("an error page for a large head", "error_page 494 400 /e; location = /e { return 200 e; }")
            .asks(format!("GET / HTTP/1.1\r\nHost: h\r\nX: {}\r\n\r\n", "x".repeat(40_000))),
        everywhere("an error page for a large body", "client_max_body_size 1; error_page 413 /e; location = /e { return 200 e; } location / { proxy_pass http://unix:a.sock; }")
            .asks("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"),
        everywhere("the log of an error's page", "error_page 404 /e; access_log a.log; location / { return 404; } location = /e { access_log a.log; return 200 e; }")
            .asks(LAST),
    ]);
    cases
}

fn error_pages_and_workers() -> Vec<Case> {
    let post = "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc";
    let fallback = "location / { error_page 502 = @b; proxy_pass http://unix:a.sock; } location @b { proxy_pass http://unix:b.sock; }";
    vec![
        Case::new("an error page for a 502", server("error_page 502 /e; location = /e { return 200 sorry; } location / { proxy_pass http://unix:a.sock; }"))
            .refusing("a").gets("/"),
        Case::new("a fallback", server(fallback)).refusing("a").worker("b", answer(OK)).gets("/x?y"),
        Case::new("a fallback for a body", server(fallback)).refusing("a").worker("b", answer(OK)).asks(post),
        Case::new("no fallback for a worker's own 502", server(fallback))
            .answers("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 3\r\n\r\nown").worker("b", answer(OK)).gets("/"),
        Case::new("a page from a worker", server("error_page 404 /e; location /e { proxy_pass http://unix:a.sock; } location / { return 404; }")).gets("/?q"),
        Case::new("a page from a worker that fails", server("error_page 404 /e; location /e { proxy_pass http://unix:a.sock; } location / { return 404; }")).refusing("a").gets("/?q"),
        Case::new("a page from a worker with a URI", server("error_page 404 /e/page; location /e/ { proxy_pass http://unix:a.sock:/w/; } location / { return 404; }")).gets("/?q"),
    ]
}

fn tries() -> Vec<Case> {
    let files = |case: Case| {
        case.file("www/f.txt", "f").file("www/d/index.html", "d").file("www/50%.txt", "half")
    };
    let asked = ["/f.txt", "/d", "/d/", "/none", "/none?q=1", "/f.txt/", "/f.txt?q"];
    let case = |lines: &str| {
        let text = format!(
            "root {{dir}}/www; location / {{ try_files {lines}; }} location = /fb {{ return 200 \"fb $uri $args $request_uri\"; }} location @n {{ return 200 \"n $uri $args\"; }}"
        );
        files(Case::new(format!("try_files {lines}"), server(&text)))
            .client(move |scene| scene.get_each(&asked))
    };
    let mut cases: Vec<Case> = [
        "$uri $uri/ /fb",
        "$uri /fb?x=$uri",
        "$uri @n",
        "$uri @nobody",
        "$uri =404",
        "$uri =503",
        "$uri $uri/ =204",
        "$uri/ =403",
        "/f.txt /fb",
        "$uri /none2",
        "$uri /f.txt",
        "/d/ /fb",
    ]
    .into_iter()
    .map(case)
    .collect();
    cases.extend([
        files(Case::new("try_files in the server", server("root {dir}/www; try_files $uri /fb; location = /fb { return 200 fb; } location /loc { return 200 loc; }")))
            .client(|scene| scene.get_each(&["/f.txt", "/none", "/loc"])),
        files(Case::new("try_files under an alias", server("location /al/ { alias {dir}/www/; try_files $uri $uri/ =404; }")))
            .client(|scene| scene.get_each(&["/al/f.txt", "/al/d/", "/al/none"])),
        files(Case::new("try_files under an alias in a regex", server("location ~ ^/q/(.*)$ { alias {dir}/www; try_files /$1 /d/ =404; } location ~ ^/r/(.*)$ { alias {dir}/www; try_files /$1 /q/f.txt; }")))
            .client(|scene| scene.get_each(&["/q/f.txt", "/q/none", "/q/d/", "/r/f.txt", "/r/none"])),
        files(Case::new("try_files before a worker", server("root {dir}/www; location / { try_files $uri @w; } location @w { proxy_pass http://unix:a.sock; }")))
            .client(|scene| scene.get_each(&["/f.txt", "/none?q=%41"])),
        files(Case::new("try_files and a worker in one place", server("root {dir}/www; location / { try_files /f.txt =404; proxy_pass http://unix:a.sock; }")))
            .client(|scene| scene.get_each(&["/x", "/x%20y?q=%41"])),
    ]);
    cases
}

fn locations() -> Vec<Case> {
    vec![
        Case::new("merge_slashes off", server("merge_slashes off; location /a/ { return 200 \"a $uri\"; } location / { return 200 $uri; }"))
            .client(|scene| scene.get_each(&["/a//b", "//", "/a//../b", "/a/.//b", "//a/b", "/a%2F%2Fb", "/a///..//b"])),
        Case::new("internal", server("location /in { internal; return 200 in; } location /out { rewrite ^ /in last; } location /error { error_page 403 =200 /in; return 403; }"))
            .client(|scene| scene.get_each(&["/in", "/out", "/error"])),
        Case::new("a named location is no path", server("location @n { return 200 n; } location / { return 200 $uri; }")).gets("/@n"),
        Case::new("nested locations", server("location /a/ { set $x a; location /a/b/ { return 200 \"b $x\"; location ~ c$ { return 200 \"c $x\"; } } location ~ \\.x$ { return 200 x; } return 200 a; }"))
            .client(|scene| scene.get_each(&["/a/", "/a/b/", "/a/b/c", "/a/q.x", "/a/b/q.x"])),
        Case::new("limit_except", server("location / { limit_except GET { deny all; } return 200 in; }"))
            .asks("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"),
        Case::new("limit_except before a worker", server("location / { limit_except GET POST { deny all; } proxy_pass http://unix:a.sock; }"))
            .client(|scene| {
                for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"] {
                    let mut client = scene.connect();
                    client.send(format!("{method} / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"));
                    client.response_to(method);
                    client.end();
                }
            }),
        Case::new("limit_except with a worker of its own", server("location / { limit_except GET { proxy_pass http://unix:b.sock; } proxy_pass http://unix:a.sock; }"))
            .named_workers(&["a", "b"])
            .asks("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"),
    ]
}

fn access() -> Vec<Case> {
    let case = |lines: &str| {
        Case::new(
            lines,
            server(&format!("location / {{ {lines} proxy_pass http://unix:a.sock; }}")),
        )
        .gets("/")
    };
    let mut cases: Vec<Case> = [
        "allow all;",
        "deny all;",
        "allow 127.0.0.1; deny all;",
        "deny 127.0.0.1; allow all;",
        "allow 127.0.0.0/8; deny all;",
        "deny 127.0.0.0/30;",
        "allow 10.0.0.0/8; deny all;",
        "allow ::1; deny all;",
        "allow unix:; deny all;",
        "deny 192.168.1.1; deny 10.0.0.0/8;",
        "deny 127.0.0.1/0;",
        "satisfy any; deny all;",
        "satisfy any; allow 127.0.0.1; deny all;",
    ]
    .into_iter()
    .map(case)
    .collect();
    cases.extend([
        Case::new("deny in http", http("deny all; server { listen 127.0.0.1:{port}; location / { proxy_pass http://unix:a.sock; } location /open { allow all; proxy_pass http://unix:a.sock; } location /return { return 200 in; } }"))
            .client(|scene| scene.get_each(&["/", "/open", "/return"])),
        Case::new("an error page for the denied", server("location / { deny all; error_page 403 /no; } location = /no { allow all; return 200 no; }")).gets("/"),
        Case::new("an error page that is denied", server("deny all; error_page 403 /no; location = /no { proxy_pass http://unix:a.sock; }")).gets("/"),
        Case::new("the log of the denied", server("error_log e.log; deny all; location / { proxy_pass http://unix:a.sock; }")).asks(LAST).log("e.log", 1),
    ]);
    cases
}

fn real_ip() -> Vec<Case> {
    let fields = [
        "X-Real-IP: 10.1.1.1",
        "X-Real-IP: 10.1.1.1:81",
        "X-Real-IP: nobody",
        "X-Real-IP: 10.1.1.1, 10.2.2.2",
        "X-Forwarded-For: 10.1.1.1, 192.168.1.1, 127.0.0.1",
        "X-Forwarded-For: 10.1.1.1\r\nX-Forwarded-For: 192.168.1.1",
        "X-Forwarded-For: ::1",
        "X-Mine: 10.9.9.9",
        "X-None: 10.1.1.1",
    ];
    [
        "set_real_ip_from 127.0.0.1;",
        "set_real_ip_from 10.0.0.0/8;",
        "set_real_ip_from 127.0.0.0/8; real_ip_header X-Forwarded-For;",
        "set_real_ip_from 127.0.0.0/8; set_real_ip_from 192.168.0.0/16; real_ip_header X-Forwarded-For; real_ip_recursive on;",
        "set_real_ip_from 127.0.0.1; real_ip_header X-Mine;",
        "set_real_ip_from localhost;",
        "set_real_ip_from 10.0.0.1; set_real_ip_from localhost; real_ip_header X-Forwarded-For;",
        "set_real_ip_from unix:;",
        "real_ip_header X-Mine;",
    ]
    .into_iter()
    .map(|lines| {
        let places = "location / { proxy_set_header Connection ''; proxy_set_header X-Seen \"$remote_addr $proxy_add_x_forwarded_for\"; deny 10.1.1.1; proxy_pass http://unix:a.sock; }";
        Case::new(lines, server(&format!("{lines} {places}"))).client(move |scene| {
            for field in fields {
                let mut client = scene.connect();
                client.send(format!("GET / HTTP/1.1\r\nHost: h\r\n{field}\r\n\r\n"));
                client.response();
                client.end();
            }
        })
    })
    .collect()
}

fn redirects() -> Vec<Case> {
    [
        "absolute_redirect off;",
        "port_in_redirect off;",
        "server_name n; server_name_in_redirect on;",
        "server_name_in_redirect on;",
        "absolute_redirect off; server_name_in_redirect on;",
    ]
    .into_iter()
    .map(|lines| {
        let text = format!("{lines} location = /r {{ return 301 /x; }} location = /w {{ rewrite ^ /y permanent; }} location /dir/ {{ proxy_pass http://unix:a.sock; }}");
        Case::new(lines, server(&text)).client(|scene| scene.get_each(&["/r", "/w?q", "/dir?q"]))
    })
    .collect()
}

fn added() -> Vec<Case> {
    let answers = "location = /200 { return 200 x; } location = /204 { return 204; } location = /301 { return 301 /x; } location = /404 { return 404; } location = /500 { return 500; } location / { proxy_pass http://unix:a.sock; }";
    let asked = ["/200", "/204", "/301", "/404", "/500", "/w"];
    let mut cases: Vec<Case> = [
        "add_header X-A a;",
        "add_header X-A a always;",
        "add_header X-A a; add_header X-A b; add_header X-B $uri;",
        "add_header X-A $arg_none;",
        "add_header Cache-Control no-store; add_header Cache-Control private always;",
        "add_header ETag '\"x\"'; add_header Last-Modified never;",
    ]
    .into_iter()
    .map(|lines| {
        Case::new(lines, server(&format!("{lines} {answers}")))
            .client(move |scene| scene.get_each(&asked))
    })
    .collect();
    cases.push(
        Case::new("add_header of another level", server("add_header X-A outer; location /a { return 200 a; } location /b { add_header X-B inner; return 200 b; }"))
            .client(|scene| scene.get_each(&["/a", "/b"])),
    );
    cases
}
