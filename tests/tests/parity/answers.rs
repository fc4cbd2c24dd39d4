//! What becomes of a worker's answer: its fields, redirects, cookies and errors.

use tests::worker::{answer, answer_and_close};

use crate::case::{Case, OK, http, proxied, server};

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = fields();
    cases.extend(redirects());
    cases.extend(cookies());
    cases.extend(intercepted());
    cases.extend(accel());
    cases.extend(bad());
    cases.extend(kept());
    cases.extend(parts());
    cases
}

/// Parts that the front cuts out.
fn parts() -> Vec<Case> {
    let ten = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\nETag: \"1\"\r\nAccept-Ranges: none\r\n\
               Last-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\nContent-Type: a/b\r\nX-A: 1\r\n\r\n0123456789";
    let case = |name: &str, fields: &str| {
        Case::new(format!("proxy_force_ranges: {name}"), proxied("proxy_force_ranges on;"))
            .answers(ten)
            .asks(format!("GET / HTTP/1.1\r\nHost: h\r\n{fields}\r\n"))
    };
    vec![
        case("no range", ""),
        case("the start", "Range: bytes=0-3\r\n"),
        case("the middle", "Range: bytes=3-5\r\n"),
        case("the end", "Range: bytes=-2\r\n"),
        case("behind the end", "Range: bytes=10-\r\n"),
        case("two", "Range: bytes=0-1,4-5\r\n"),
        case("another unit", "Range: lines=0-1\r\n"),
        case("the same tag", "Range: bytes=0-1\r\nIf-Range: \"1\"\r\n"),
        case("another tag", "Range: bytes=0-1\r\nIf-Range: \"2\"\r\n"),
        case("the same date", "Range: bytes=0-1\r\nIf-Range: Thu, 01 Jan 2026 00:00:00 GMT\r\n"),
        case("another date", "Range: bytes=0-1\r\nIf-Range: Fri, 02 Jan 2026 00:00:00 GMT\r\n"),
        case("of HEAD", "").asks("HEAD / HTTP/1.1\r\nHost: h\r\nRange: bytes=3-5\r\n\r\n"),
        case("of chunks", "Range: bytes=3-5\r\n")
            .answers("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"),
        case("of another status", "Range: bytes=0-0\r\n").answers(with("404 No", "")),
        case("of a part", "Range: bytes=0-0\r\n")
            .answers(with("206 Part", "Content-Range: bytes 0-1/5\r\n")),
        Case::new("proxy_force_ranges: off", proxied(""))
            .answers(ten)
            .asks("GET / HTTP/1.1\r\nHost: h\r\nRange: bytes=0-1\r\n\r\n"),
        Case::new(
            "proxy_force_ranges: max_ranges 0",
            proxied("proxy_force_ranges on; max_ranges 0;"),
        )
        .answers(ten)
        .asks("GET / HTTP/1.1\r\nHost: h\r\nRange: bytes=0-1\r\n\r\n"),
    ]
}

/// How long answers may be kept.
fn kept() -> Vec<Case> {
    let own = "Expires: Thu, 01 Jan 2026 00:00:00 GMT\r\nCache-Control: a\r\nCache-Control: b\r\n";
    let dated = "Last-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\n";
    let times = ["1h", "0", "-1", "+1d", "epoch", "max", "off", "1d 2h", "1y"];
    let mut cases = Vec::new();
    for time in times {
        let line = format!("expires {};", time.replace(' ', ""));
        cases.push(Case::new(line.clone(), proxied(&line)).answers(with("200 OK", own)).gets("/"));
    }
    for time in ["1h", "-1h", "10y", "0"] {
        let line = format!("expires modified {time};");
        let undated = proxied(&line);
        cases.push(
            Case::new(format!("{line} with a date"), undated.clone())
                .answers(with("200 OK", dated))
                .gets("/"),
        );
        if time != "10y" {
            cases.push(
                Case::new(format!("{line} without"), undated).answers(with("200 OK", "")).gets("/"),
            );
        }
    }
    for time in ["1h", "-1h", "epoch", "max", "off", "soon", "", "@30h", "+1d%202h", "0"] {
        let case = Case::new(
            format!("expires of a variable: {time}"),
            proxied(
                "set $when $arg_t; if ($arg_t = '+1d%202h') { set $when '+1d 2h'; } expires $when;",
            ),
        );
        cases.push(case.answers(with("200 OK", own)).gets(&format!("/?t={time}")));
    }
    for time in ["1h", "0", "-10y", "epoch", "off", "@1h"] {
        let case = Case::new(
            format!("expires modified of a variable: {time}"),
            proxied("expires modified $arg_t;"),
        );
        cases.push(case.answers(with("200 OK", dated)).gets(&format!("/?t={time}")));
    }
    for status in ["404 Not Found", "302 Found", "500 Internal Server Error"] {
        cases.push(
            Case::new(format!("expires of {status}"), proxied("expires 1h;"))
                .answers(with(status, ""))
                .gets("/"),
        );
    }
    cases
}

/// An answer of two bytes with these fields.
fn with(status: &str, fields: &str) -> String {
    format!("HTTP/1.1 {status}\r\nContent-Length: 2\r\n{fields}\r\nok")
}

fn fields() -> Vec<Case> {
    let many = with(
        "200 OK",
        "Server: w/1\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nX-Pad: p\r\nX-Powered-By: x\r\n\
         X-Two: 1\r\nX-Two: 2\r\nContent-Type: text/css\r\nX-Accel-Expires: 5\r\n\
         X-Accel-Charset: koi8-r\r\nX-Accel-Buffering: no\r\nVary: Accept\r\n",
    );
    [
        "",
        "proxy_hide_header X-Powered-By;",
        "proxy_hide_header x-two; proxy_hide_header X-POWERED-BY;",
        "proxy_hide_header Content-Type;",
        "proxy_hide_header Vary;",
        "proxy_hide_header Content-Length;",
        "proxy_pass_header X-Pad;",
        "proxy_pass_header X-Accel-Expires; proxy_pass_header X-Accel-Buffering;",
        "proxy_pass_header X-Accel-Charset; proxy_ignore_headers X-Accel-Charset;",
        "proxy_pass_header X-Powered-By; proxy_hide_header X-Powered-By;",
        "proxy_hide_header X-Pad; proxy_hide_header No-Such;",
        "proxy_ignore_headers Vary Expires Cache-Control Set-Cookie X-Accel-Expires;",
        "proxy_ignore_headers X-Accel-Buffering; proxy_ignore_headers X-Accel-Limit-Rate;",
    ]
    .into_iter()
    .map(|text| {
        Case::new(format!("fields of an answer: {text}"), proxied(text)).answers(&*many).gets("/")
    })
    .collect()
}

fn redirects() -> Vec<Case> {
    let location = |what: &str| with("302 Moved", &format!("Location: {what}\r\n"));
    let case = |name: &str, place: &str, inside: &str, to: &str| {
        let text = format!("location {place} {{ proxy_pass {inside} }}");
        Case::new(format!("proxy_redirect: {name}"), server(&text))
            .answers(location(to))
            .gets("/x/y?q=1")
    };
    let here = "http://unix:a.sock;";
    vec![
        case("default", "/x/", "http://unix:a.sock:/in/;", "http://unix:a.sock:/in/z"),
        case("default, elsewhere", "/x/", "http://unix:a.sock:/in/;", "http://other/in/z"),
        case("default, without a URI", "/x/", here, "http://unix:a.sock/z"),
        case("default in a pattern", "~ x", here, "http://unix:a.sock/z"),
        case("default, spelt out", "/x/", "http://unix:a.sock:/in/; proxy_redirect default;", "http://unix:a.sock:/in/z"),
        case("off", "/x/", "http://unix:a.sock:/in/; proxy_redirect off;", "http://unix:a.sock:/in/z"),
        case("a text", "/", "http://unix:a.sock; proxy_redirect http://in:8000/two/ http://out/one/;", "http://in:8000/two/z?a=b"),
        case("a text that is not there", "/", "http://unix:a.sock; proxy_redirect http://in/ /;", "http://on/z"),
        case("a path", "/", "http://unix:a.sock; proxy_redirect http://in/ /;", "http://in/z"),
        case("a path for a path", "/", "http://unix:a.sock; proxy_redirect / /one/;", "/z"),
        case("the case of a text", "/", "http://unix:a.sock; proxy_redirect http://in/ /;", "http://IN/z"),
        case("the first that fits", "/", "http://unix:a.sock; proxy_redirect http://in/a/ /1/; proxy_redirect http://in/ /2/; proxy_redirect http://in/b/ /3/;", "http://in/b/z"),
        case("default and a text", "/", "http://unix:a.sock:/; proxy_redirect default; proxy_redirect http://in/ /;", "http://in/z"),
        case("variables", "/", "http://unix:a.sock; proxy_redirect http://$host/ http://out/$arg_q/;", "http://h/z"),
        case("a pattern", "/", "http://unix:a.sock; proxy_redirect ~^http://[^:/]+(/.+)$ $1;", "http://in/z"),
        case("a pattern with a name", "/", "http://unix:a.sock; proxy_redirect ~^http://(?<who>[^/]+)/ http://out/$who/;", "http://in/z"),
        case("a pattern in any case", "/", "http://unix:a.sock; proxy_redirect ~*^HTTP://in(.*) $1;", "http://IN/z"),
        case("a pattern in its own case", "/", "http://unix:a.sock; proxy_redirect ~^HTTP://in(.*) $1;", "http://in/z"),
        case("a relative redirect", "/", "http://unix:a.sock; proxy_redirect http://in/ relative/; absolute_redirect off;", "http://in/z"),
        case("absolute_redirect off", "/", "http://unix:a.sock; proxy_redirect http://in/ /; absolute_redirect off;", "http://in/z"),
        case("a host of variables", "/", "http://$backend; set $backend unix:a.sock;", "http://unix:a.sock/z"),
        Case::new("proxy_redirect: a 201", proxied("proxy_redirect http://in/ /;"))
            .answers(with("201 Created", "Location: http://in/new\r\n"))
            .gets("/"),
        Case::new("proxy_redirect: Refresh", proxied("proxy_redirect http://in/ /out/;"))
            .answers(with("200 OK", "Refresh: 5; URL=http://in/z\r\n"))
            .gets("/"),
        Case::new("proxy_redirect: Refresh without a URL", proxied("proxy_redirect http://in/ /;"))
            .answers(with("200 OK", "Refresh: 5\r\n"))
            .gets("/"),
        Case::new(
            "proxy_redirect: of the level above",
            http("proxy_redirect http://in/ /above/; server { listen 127.0.0.1:{port}; location /a { proxy_pass http://unix:a.sock; } location /b { proxy_pass http://unix:a.sock; proxy_redirect off; } }"),
        )
        .answers(location("http://in/z"))
        .client(|scene| scene.get_each(&["/a", "/b"])),
    ]
}

fn cookies() -> Vec<Case> {
    let case = |text: &str, cookies: &[&str]| {
        let fields: String = cookies.iter().map(|c| format!("Set-Cookie: {c}\r\n")).collect();
        Case::new(format!("cookies: {text} {}", cookies.join(" | ")), proxied(text))
            .answers(with("200 OK", &fields))
            .gets("/?d=here.org")
    };
    let full = "a=b; Domain=in.org; Path=/two/x; HttpOnly";
    vec![
        case("", &[full]),
        case(
            "proxy_cookie_domain in.org out.org;",
            &[full, "c=d; domain=.IN.ORG", "e=f; domain=xin.org"],
        ),
        case("proxy_cookie_domain .in.org out.org;", &[full]),
        case("proxy_cookie_domain off;", &[full]),
        case("proxy_cookie_domain in.org $arg_d;", &[full]),
        case("proxy_cookie_domain $arg_d out.org;", &["a=b; Domain=here.org"]),
        case("proxy_cookie_domain ~\\.?([a-z]+\\.org)$ x.$1;", &[full, "c=d;Domain=A.IN.ORG"]),
        case("proxy_cookie_path /two/ /;", &[full, "c=d; path=/three", "e=f; PATH=/two/"]),
        case("proxy_cookie_path / /one/;", &[full, "c=d", "e=f; Path=/;Secure"]),
        case("proxy_cookie_path ~^/two/(.+)$ /$1;", &[full]),
        case("proxy_cookie_path ~*^/TWO/(.+)$ /$1;", &[full]),
        case("proxy_cookie_path ~^/TWO/(.+)$ /$1;", &[full]),
        case("proxy_cookie_path /a /1; proxy_cookie_path /two /2;", &[full]),
        case(
            "proxy_cookie_domain in.org out.org; proxy_cookie_path /two/ /;",
            &[full, "nothing", "x; path=/two/"],
        ),
        case("proxy_cookie_path / \"/; secure; HttpOnly\";", &["a=b; path=/"]),
        case("proxy_cookie_flags a secure;", &["a=b", "c=d", "A=e"]),
        case("proxy_cookie_flags a secure httponly samesite=strict;", &["a=b; path=/"]),
        case(
            "proxy_cookie_flags ~ nosecure nohttponly nosamesite;",
            &["a=b; Secure; HttpOnly; SameSite=Lax; path=/"],
        ),
        case("proxy_cookie_flags ~^s samesite=lax;", &["sid=b; SameSite=None", "Sid=c", "x=y"]),
        case("proxy_cookie_flags a samesite=none; proxy_cookie_flags ~ secure;", &["a=b", "c=d"]),
        case("proxy_cookie_flags a httponly httponly secure;", &["a=b; httponly; Secure"]),
        case("proxy_cookie_flags off;", &["a=b"]),
        case("proxy_cookie_flags ~ $arg_no secure;", &["a=b"]),
        case("proxy_cookie_flags ~ SECURE;", &["a=b"]),
    ]
}

fn intercepted() -> Vec<Case> {
    let case = |name: &str, inside: &str, raw: String| {
        let text = format!(
            "location / {{ proxy_pass http://unix:a.sock; {inside} }} location = /page {{ return 200 page; }} \
             location @b {{ proxy_pass http://unix:b.sock; }}"
        );
        Case::new(format!("proxy_intercept_errors: {name}"), server(&text))
            .answers(raw)
            .worker("b", answer(with("404 Not Here", "X-B: 1\r\n")))
            .gets("/")
    };
    let on = "proxy_intercept_errors on;";
    vec![
        case("off", "error_page 404 /page;", with("404 No", "X-A: 1\r\n")),
        case("on", &format!("{on} error_page 404 /page;"), with("404 No", "X-A: 1\r\n")),
        case("without a page", on, with("404 No", "X-A: 1\r\n")),
        case("with a page for another", &format!("{on} error_page 500 /page;"), with("404 No", "")),
        case(
            "with another status",
            &format!("{on} error_page 503 =200 /page;"),
            with("503 No", "Retry-After: 5\r\n"),
        ),
        case("by another server", &format!("{on} error_page 500 = @b;"), with("500 No", "")),
        case("by a URL", &format!("{on} error_page 404 http://other/;"), with("404 No", "")),
        case(
            "a redirect",
            &format!("{on} error_page 302 =200 /page;"),
            with("302 Go", "Location: http://x/\r\n"),
        ),
        case("200", &format!("{on} error_page 404 /page;"), with("200 OK", "")),
        case(
            "401",
            &format!("{on} error_page 401 /page;"),
            with("401 Who", "WWW-Authenticate: Basic realm=\"a\"\r\nX-A: 1\r\n"),
        ),
        case(
            "no page that is there",
            &format!("{on} error_page 404 @nowhere;"),
            with("404 No", ""),
        ),
    ]
}

fn accel() -> Vec<Case> {
    let case = |name: &str, inside: &str, fields: &str| {
        let text = format!(
            "location / {{ proxy_pass http://unix:a.sock; {inside} }} \
             location /in/ {{ internal; return 200 \"in $uri $args $request_method\"; }} \
             location /file {{ internal; root .; }} \
             location /b/ {{ internal; proxy_pass http://unix:b.sock; }} \
             location @n {{ return 200 \"n $uri $args\"; }} error_page 403 /in/error;"
        );
        Case::new(format!("X-Accel: {name}"), server(&text))
            .answers(with("200 OK", fields))
            .worker("b", answer("HTTP/1.1 201 OK\r\nContent-Length: 1\r\nContent-Type: b/b\r\nSet-Cookie: b\r\n\r\nb"))
            .file("file.txt", "a file")
            .gets("/x?q")
    };
    vec![
        case("to a location", "", "X-Accel-Redirect: /in/a?b=c\r\n"),
        case(
            "to a location, with fields",
            "",
            "X-Accel-Redirect: /in/a\r\nSet-Cookie: c\r\nSet-Cookie: d\r\nCache-Control: no-cache\r\nContent-Disposition: inline\r\nExpires: 0\r\nX-Other: o\r\nETag: \"1\"\r\n",
        ),
        case("to a named location", "", "X-Accel-Redirect: @n\r\n"),
        case("to a file", "", "X-Accel-Redirect: /file.txt\r\n"),
        case(
            "to a file, with its type",
            "",
            "X-Accel-Redirect: /file.txt\r\nContent-Type: a/a\r\nLast-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n",
        ),
        case("to no file", "", "X-Accel-Redirect: /file.not\r\n"),
        case(
            "to another worker",
            "",
            "X-Accel-Redirect: /b/z?y\r\nContent-Type: a/a\r\nSet-Cookie: a\r\n",
        ),
        case("to an escaped path", "", "X-Accel-Redirect: /in/%61%20b?c=%20d\r\n"),
        case("to above", "", "X-Accel-Redirect: /in/../x\r\n"),
        case("to above, escaped", "", "X-Accel-Redirect: /in/%2e%2e/x\r\n"),
        case("to nowhere", "", "X-Accel-Redirect: @nowhere\r\n"),
        case("in a circle", "", "X-Accel-Redirect: /x\r\n"),
        case("ignored", "proxy_ignore_headers X-Accel-Redirect;", "X-Accel-Redirect: /in/a\r\n"),
        case(
            "ignored and passed",
            "proxy_ignore_headers X-Accel-Redirect; proxy_pass_header X-Accel-Redirect;",
            "X-Accel-Redirect: /in/a\r\n",
        ),
        case(
            "hidden and followed",
            "proxy_hide_header X-Accel-Redirect;",
            "X-Accel-Redirect: /in/a\r\n",
        ),
        case("a POST", "", "X-Accel-Redirect: /in/a\r\n")
            .asks("POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi"),
        case("a POST to another worker", "", "X-Accel-Redirect: /b/a\r\n")
            .asks("POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi"),
        case("HEAD", "", "X-Accel-Redirect: /in/a\r\n").asks("HEAD /x HTTP/1.1\r\nHost: h\r\n\r\n"),
        case("a fast rate", "", "X-Accel-Limit-Rate: 1000000\r\n"),
        case(
            "off",
            "",
            "X-Accel-Limit-Rate: off\r\nX-Accel-Buffering: no\r\nX-Accel-Expires: 0\r\n",
        ),
    ]
}

fn bad() -> Vec<Case> {
    let case = |name: &str, inside: &str, raw: String| {
        Case::new(name, proxied(&format!("error_log e.log; {inside}")))
            .worker("a", answer_and_close(raw))
            .log("e.log", 1)
            .gets("/")
    };
    let long = |length: usize| with("200 OK", &format!("X: {}\r\n", "y".repeat(length)));
    vec![
        case("a head that is too large", "proxy_buffer_size 1k;", long(2000)),
        case(
            "more than was promised",
            "",
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok and more".into(),
        ),
        case(
            "more than the last chunk",
            "",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\nmore".into(),
        ),
        case("nothing", "", String::new()),
        case("a field without its colon", "", "HTTP/1.1 200 OK\r\nX y: z\r\n\r\n".into()),
        case("a field with a zero", "", "HTTP/1.1 200 OK\r\nX: y\0z\r\n\r\n".into()),
        case("a folded field", "", "HTTP/1.1 200 OK\r\nX: y\r\n z\r\n\r\n".into()),
        case("half a head", "", "HTTP/1.1 200 OK\r\nX: ".into()),
        Case::new("a head that just fits", proxied("proxy_buffer_size 1k;"))
            .answers(long(900))
            .gets("/"),
        Case::new(
            "a head of the size of many",
            proxied("proxy_buffer_size 32k; proxy_buffers 8 32k;"),
        )
        .answers(long(20_000))
        .gets("/"),
        Case::new("a fast proxy_limit_rate", proxied("proxy_limit_rate 1m;")).answers(OK).gets("/"),
    ]
}
