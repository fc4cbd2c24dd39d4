//! Files: `root`, `alias`, `index`, conditions and ranges.

use crate::case::{Case, server};

/// When every file of a case was changed, and its tag with four bytes.
const DATE: &str = "Fri, 13 Feb 2009 23:31:30 GMT";
const TAG: &str = "\"499602d2-a\"";

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = paths();
    cases.extend(fields());
    cases.extend(settings());
    cases.extend(logs());
    cases
}

fn tree(case: Case) -> Case {
    case.file("www/ten.txt", "0123456789")
        .file("www/empty", "")
        .file("www/page.html", "<p>page</p>")
        .file("www/a b.GIF", "GIF")
        .file("www/noext", "x")
        .file("www/d/index.html", "index of d")
        .file("www/e/other.html", "other")
        .file("secret.txt", "secret")
}

fn served(name: impl Into<String>, lines: &str) -> Case {
    tree(Case::new(name, server(&format!("root {{dir}}/www; default_type a/b; {lines}"))))
}

fn paths() -> Vec<Case> {
    let mut cases: Vec<Case> = [
        "/ten.txt",
        "/empty",
        "/page.html",
        "/page.html?q=1",
        "/a%20b.GIF",
        "/noext",
        "/none",
        "/none/x",
        "/d",
        "/d?q=1",
        "/d/",
        "/e/",
        "/",
        "/ten.txt/",
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/d/../ten.txt",
        "/d/..%2F..%2Fsecret.txt",
        "/ten.txt%00",
        "/.",
        "/d/index.html",
        "/D/",
        "/e",
    ]
    .into_iter()
    .map(|target| served(format!("a file: {target}"), "").gets(target))
    .collect();
    for method in ["HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"] {
        for target in ["/ten.txt", "/d/", "/d", "/none", "/e/"] {
            let raw = format!("{method} {target} HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n");
            cases.push(served(format!("a file: {method} {target}"), "").asks(raw));
        }
    }
    cases
}

fn fields() -> Vec<Case> {
    let later = "Fri, 13 Feb 2009 23:31:31 GMT";
    let earlier = "Fri, 13 Feb 2009 23:31:29 GMT";
    let long_ago = "Friday, 13-Feb-09 23:31:30 GMT";
    let fields = [
        format!("If-Modified-Since: {DATE}"),
        format!("If-Modified-Since: {later}"),
        format!("If-Modified-Since: {earlier}"),
        format!("If-Modified-Since: {long_ago}"),
        "If-Modified-Since: x".to_owned(),
        format!("If-None-Match: {TAG}"),
        format!("If-None-Match: W/{TAG}"),
        format!("If-None-Match: \"x\", {TAG}"),
        "If-None-Match: *".to_owned(),
        "If-None-Match: \"x\"".to_owned(),
        format!("If-None-Match: \"x\"\r\nIf-Modified-Since: {DATE}"),
        format!("If-Match: {TAG}"),
        format!("If-Match: W/{TAG}"),
        "If-Match: \"x\"".to_owned(),
        "If-Match: *".to_owned(),
        format!("If-Unmodified-Since: {DATE}"),
        format!("If-Unmodified-Since: {later}"),
        format!("If-Unmodified-Since: {earlier}"),
        "Range: bytes=0-0".to_owned(),
        "Range: bytes=2-4".to_owned(),
        "Range: bytes=5-".to_owned(),
        "Range: bytes=-3".to_owned(),
        "Range: bytes=-30".to_owned(),
        "Range: bytes=0-99".to_owned(),
        "Range: bytes=10-".to_owned(),
        "Range: bytes=4-2".to_owned(),
        "Range: bytes=-0".to_owned(),
        "Range: bytes=x".to_owned(),
        "Range: bytes=".to_owned(),
        "Range: lines=1-2".to_owned(),
        "Range: Bytes=1-2".to_owned(),
        "Range: bytes=0-9,0-9".to_owned(),
        "Range: bytes=20-30,40-".to_owned(),
        "Range: bytes=20-30,4-5".to_owned(),
        format!("Range: bytes=2-4\r\nIf-Range: {TAG}"),
        "Range: bytes=2-4\r\nIf-Range: \"x\"".to_owned(),
        format!("Range: bytes=2-4\r\nIf-Range: {DATE}"),
        format!("Range: bytes=2-4\r\nIf-Range: {later}"),
        format!("Range: bytes=2-4\r\nIf-None-Match: {TAG}"),
    ];
    let mut cases = Vec::new();
    for field in fields {
        for (method, target) in [("GET", "/ten.txt"), ("HEAD", "/ten.txt"), ("GET", "/empty")] {
            if target == "/empty" && !field.starts_with("Range") {
                continue;
            }
            // nginx closes after a 412, though it says that it does not.
            let last =
                if field.contains("Match: ") || field.contains("Unmod") { "close" } else { "x" };
            let raw = format!(
                "{method} {target} HTTP/1.1\r\nHost: h\r\nConnection: {last}\r\n{field}\r\n\r\n"
            );
            let name = format!("a file: {method} {target} with {}", field.replace("\r\n", ", "));
            cases.push(served(name, "").asks(raw));
        }
    }
    let range = "GET /ten.txt HTTP/1.1\r\nHost: h\r\nRange: bytes=0-1\r\n\r\n";
    let since = |date: &str| {
        format!("GET /ten.txt HTTP/1.1\r\nHost: h\r\nIf-Modified-Since: {date}\r\n\r\n")
    };
    cases.extend([
        served("etag off", "etag off;").gets("/ten.txt"),
        served("etag off and a condition", "etag off;")
            .asks(format!("GET /ten.txt HTTP/1.1\r\nHost: h\r\nIf-Match: {TAG}\r\n\r\n")),
        served("max_ranges 0", "max_ranges 0;").asks(range),
        served("max_ranges 1", "max_ranges 1;")
            .asks("GET /ten.txt HTTP/1.1\r\nHost: h\r\nRange: bytes=0-1,3-4\r\n\r\n"),
        served("if_modified_since off", "if_modified_since off;").asks(since(DATE)),
        served("if_modified_since before", "if_modified_since before;").asks(since(later)),
        served("a range to HTTP/1.0", "").asks("GET /ten.txt HTTP/1.0\r\nRange: bytes=0-1\r\n\r\n"),
        served("a file as an error's page", "error_page 404 /ten.txt;")
            .asks("GET /none HTTP/1.1\r\nHost: h\r\nRange: bytes=0-1\r\n\r\n"),
        served("a file as an error's page with its own status", "error_page 404 = /ten.txt;")
            .asks(format!("GET /none HTTP/1.1\r\nHost: h\r\nIf-None-Match: {TAG}\r\n\r\n")),
        served("an error page for a range", "error_page 416 /page.html;")
            .asks("GET /ten.txt HTTP/1.1\r\nHost: h\r\nRange: bytes=20-\r\n\r\n"),
    ]);
    cases
}

fn settings() -> Vec<Case> {
    let get = |name: &str, lines: &str, targets: &'static [&'static str]| {
        served(name, lines).client(move |scene| scene.get_each(targets))
    };
    vec![
        get("index", "index none.html other.html;", &["/e/", "/d/", "/"]),
        get("index: absolute", "index none.html /page.html;", &["/e/", "/"]),
        get("index: a variable", "index $arg_i;", &["/e/?i=other.html", "/e/?i=none"]),
        get(
            "index: into a location",
            "location ~ html$ { return 200 \"re $uri $args\"; }",
            &["/d/?q=1"],
        ),
        get(
            "alias",
            "location /al/ { alias {dir}/www/d/; }",
            &["/al/", "/al/index.html", "/al/none", "/al"],
        ),
        get("alias: to a file", "location = /one { alias {dir}/www/ten.txt; }", &["/one"]),
        get(
            "alias: in a regex",
            "location ~ ^/x/(.+)$ { alias {dir}/www/$1; }",
            &["/x/ten.txt", "/x/d", "/x/d/", "/x/none"],
        ),
        get(
            "alias: without slashes",
            "location /al { alias {dir}/www; }",
            &["/al/ten.txt", "/al", "/alten.txt"],
        ),
        get(
            "root: a variable",
            "location /v/ { root {dir}/$arg_r; }",
            &["/v/ten.txt?r=www", "/v/ten.txt"],
        ),
        get("root: with a slash", "location / { root {dir}/www/; }", &["/ten.txt", "/d"]),
        get("root: relative", "location / { root www; }", &["/ten.txt"]),
        get("the default root", "location / { return 404; }", &["/ten.txt"]),
        get(
            "types",
            "types { text/html html; image/gif gif; } location / { }",
            &["/page.html", "/a%20b.GIF", "/ten.txt"],
        ),
        get(
            "$request_filename",
            "location /d/ { return 200 \"$document_root $request_filename\"; }",
            &["/d/x%20y?z"],
        ),
        get("a redirect of a directory", "absolute_redirect off;", &["/d", "/d?x"]),
        get(
            "a directory behind a rewrite",
            "location /r { rewrite ^/r(.*)$ /d$1; }",
            &["/r", "/r/"],
        ),
    ]
}

fn logs() -> Vec<Case> {
    [
        ("/none", "", 1),
        ("/e/", "", 1),
        ("/none/", "", 1),
        ("/ten.txt/", "", 1),
        ("/ten.txt/x", "", 1),
        ("/none", "log_not_found off; location = /none/ { log_not_found on; }", 0),
    ]
    .into_iter()
    .map(|(target, lines, count)| {
        let raw = format!("GET {target} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
        served(format!("the log of {target} {lines}"), &format!("error_log e.log; {lines}"))
            .asks(raw)
            .log("e.log", count)
    })
    .collect()
}
