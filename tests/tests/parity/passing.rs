//! What goes out to a worker: to which, by which method, with which fields and body.

use tests::worker::answer;

use crate::case::{Case, OK, http, proxied, server};

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = requests();
    cases.extend(variables());
    cases.extend(next());
    cases
}

const POST: &str = "POST /x?q=1 HTTP/1.1\r\nHost: h\r\nX-A: 1\r\nContent-Type: t/t\r\nContent-Length: 5\r\n\r\nhello";

fn requests() -> Vec<Case> {
    let case = |text: &str, raw: &str| {
        let method = raw.split(' ').next().unwrap_or_default();
        Case::new(format!("a {method} with {text}"), proxied(text)).asks(raw)
    };
    let get = "GET /x?q=1 HTTP/1.1\r\nHost: h\r\nX-A: 1\r\n\r\n";
    let head = "HEAD /x HTTP/1.1\r\nHost: h\r\n\r\n";
    vec![
        case("proxy_method POST;", get),
        case("proxy_method post;", get),
        case("proxy_method PATCH;", POST),
        case("proxy_method GET;", head),
        case("proxy_method $arg_q;", get),
        case("proxy_method HEAD;", get).answers("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"),
        case("proxy_set_body x;", get),
        case("proxy_set_body \"x $request_uri\";", POST),
        case("proxy_set_body $arg_q;", POST),
        case("proxy_set_body \"\";", POST),
        case("proxy_set_body x; proxy_set_header Connection \"\"; proxy_set_header Content-Type a/b;", POST),
        case("proxy_pass_request_headers off;", POST),
        case("proxy_pass_request_headers off; proxy_set_header Connection \"\"; proxy_set_header X-B b;", get),
        case("proxy_pass_request_body off; proxy_set_header Connection \"\"; proxy_set_header Content-Length \"\";", POST),
        case("proxy_pass_request_body off;", get),
        case("proxy_pass_request_body off; proxy_pass_request_headers off; proxy_set_header Connection \"\"; proxy_set_header Content-Length \"\";", POST),
        case("proxy_socket_keepalive on; proxy_bind off;", get),
        case("proxy_request_buffering off; proxy_buffering off;", POST),
        Case::new(
            "proxy_bind",
            server("location / { proxy_pass http://127.0.0.1:{port}/in; proxy_bind 127.0.0.9; } location /in { return 200 $remote_addr; }"),
        )
        .gets("/"),
        Case::new(
            "proxy_bind transparent",
            server("location / { proxy_pass http://127.0.0.1:{port}/in; proxy_bind 127.0.0.9 transparent; } location /in { return 200 $remote_addr; }"),
        )
        .gets("/"),
        case("proxy_ignore_client_abort on;", get).client(|scene| {
            let mut client = scene.connect();
            client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
            client.half_close();
            client.response();
            client.read_to_end();
        }),
        Case::new(
            "proxy_bind with a variable",
            server("location / { proxy_pass http://127.0.0.1:{port}/in; proxy_bind $arg_a; } location /in { return 200 $remote_addr; }"),
        )
        .client(|scene| scene.get_each(&["/?a=127.0.0.7", "/", "/?a=nowhere"])),
    ]
}

fn variables() -> Vec<Case> {
    let case = |name: &str, location: &str, target: &str| {
        let text = format!(
            "upstream Up {{ server unix:a.sock; }} server {{ listen 127.0.0.1:{{port}}; \
             add_header X-To \"$proxy_host $proxy_port\"; {location} \
             location /other {{ proxy_pass http://localhost:{{t}}; }} }}"
        );
        Case::new(format!("proxy_pass with variables: {name}"), http(&text))
            .tcp_worker("t", answer(OK))
            .gets(target)
    };
    vec![
        case("an upstream", "location / { proxy_pass http://$arg_to; }", "/x?to=up"),
        case(
            "an upstream with a port",
            "location / { proxy_pass http://$arg_to; error_log e.log; }",
            "/x?to=up:80",
        )
        .log("e.log", 1),
        case("an address", "location / { proxy_pass http://127.0.0.1:$arg_to; }", "/x?to={t}"),
        case(
            "an address by set",
            "location / { set $to 127.0.0.1:{t}; proxy_pass http://$to; }",
            "/x%20y?a=b",
        ),
        case(
            "a path by set",
            "location / { set $to unix:a.sock; proxy_pass http://$to; }",
            "/x?a=b",
        ),
        case(
            "a path and a URI",
            "location / { set $to unix:a.sock; proxy_pass http://$to:/y/; }",
            "/x?a=b",
        ),
        case("a URI", "location /x/ { set $to up; proxy_pass http://$to/y/; }", "/x/z?a=b"),
        case(
            "a URI of variables",
            "location /x/ { proxy_pass http://up/y/$arg_a?$args; }",
            "/x/z?a=b",
        ),
        case("only a query", "location /x/ { set $to up; proxy_pass http://$to?b=c; }", "/x/z?a=b"),
        case("$request_uri", "location / { proxy_pass http://up$request_uri; }", "/x%20/../z?a=b"),
        case("a capture", "location ~ ^/(\\w+)/(.*) { proxy_pass http://$1/$2; }", "/up/z?a=b"),
        case("all of it", "location / { set $to http://up/z; proxy_pass $to; }", "/x"),
        case(
            "a rewrite",
            "location / { rewrite ^/x(.*) /y$1 break; set $to up; proxy_pass http://$to; }",
            "/xyz?a=b",
        ),
        case(
            "a rewrite before",
            "location / { set $to up; rewrite ^/x(.*) /y$1 break; proxy_pass http://$to; }",
            "/x%20z?a=b",
        ),
        case(
            "a host that another names",
            "location / { set $to localhost:{t}; proxy_pass http://$to; }",
            "/x",
        ),
        case(
            "a name",
            "location / { set $to example.invalid; proxy_pass http://$to; error_log e.log; }",
            "/x",
        )
        .log("e.log", 1),
        case("no scheme", "location / { set $to up; proxy_pass $to; error_log e.log; }", "/x")
            .log("e.log", 1),
        case("no host", "location / { proxy_pass http://$arg_to; error_log e.log; }", "/x")
            .log("e.log", 1),
        case(
            "a bad port",
            "location / { set $to up:x; proxy_pass http://$to; error_log e.log; }",
            "/x",
        )
        .log("e.log", 1),
        case(
            "Host",
            "location / { set $to 127.0.0.1:{t}; proxy_pass http://$to; proxy_set_header Connection \"\"; proxy_set_header Host $proxy_host:$proxy_port; }",
            "/x",
        ),
        case(
            "in if",
            "location / { set $to up; if ($arg_a) { proxy_pass http://$to; } }",
            "/x?a=b",
        ),
        case(
            "an error page of a fixed one",
            "location / { set $to example.invalid:81; proxy_pass http://$to; error_page 502 = @b; } location @b { proxy_pass http://up; }",
            "/x",
        ),
        case(
            "an error page",
            "location / { set $to example.invalid; proxy_pass http://$to; error_page 502 = @b; } location @b { set $to up; proxy_pass http://$to; }",
            "/x",
        ),
    ]
}

fn next() -> Vec<Case> {
    let case = |next: &str, status: &str, raw: &str| {
        let text = format!(
            "upstream u {{ server unix:a.sock; server unix:b.sock; }} server {{ listen 127.0.0.1:{{port}}; \
             location / {{ proxy_pass http://u; proxy_next_upstream {next}; add_header X-Tries \"$upstream_status\" always; }} }}"
        );
        let method = raw.split(' ').next().unwrap_or_default().to_owned();
        let answers = format!("HTTP/1.1 {status} X\r\nContent-Length: 1\r\n\r\na");
        Case::new(format!("next: {next} on {status} to {method}"), http(&text))
            .answers(answers)
            .worker("b", answer("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nb"))
            .asks(raw)
    };
    let get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
    let mut cases: Vec<_> = ["500", "502", "503", "504", "403", "404", "429"]
        .into_iter()
        .flat_map(|status| {
            [
                case(&format!("http_{status}"), status, get),
                case("error timeout", status, get),
                case(&format!("http_{status}"), status, POST),
                case(&format!("http_{status} non_idempotent"), status, POST),
            ]
        })
        .collect();
    cases.push(case("http_500; proxy_next_upstream_tries 1", "500", get));
    cases.push(case("http_500 off", "500", get));
    for (status, again) in [("404", "stays"), ("500", "is benched")] {
        let text = format!(
            "upstream u {{ server unix:a.sock; server unix:b.sock; }} server {{ listen 127.0.0.1:{{port}}; \
             location / {{ proxy_pass http://u; proxy_next_upstream http_{status}; add_header X-Tries \"$upstream_status\" always; }} }}"
        );
        cases.push(
            Case::new(format!("next: a server with a {status} {again}"), http(&text))
                .answers(format!("HTTP/1.1 {status} X\r\nContent-Length: 1\r\n\r\na"))
                .worker("b", answer("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nb"))
                .client(|scene| scene.get_each(&["/1", "/2", "/3", "/4"])),
        );
    }
    cases
}
