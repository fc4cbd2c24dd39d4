//! How heads are read, how fast answers go out, how connections end.

use crate::case::{Case, proxied, server};

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = heads();
    cases.extend(paces());
    cases.extend(endings());
    cases
}

fn get(fields: &str) -> String {
    format!("GET /p HTTP/1.1\r\nHost: h\r\nConnection: close\r\n{fields}\r\n")
}

fn heads() -> Vec<Case> {
    let odd = "X_A: 1\r\nx-b: 2\r\nX.C: 3\r\n_: 4\r\nX-D!: 5\r\n";
    let mut cases = Vec::new();
    for lines in [
        "underscores_in_headers on;",
        "underscores_in_headers off;",
        "ignore_invalid_headers off;",
        "ignore_invalid_headers off; underscores_in_headers on;",
        "ignore_invalid_headers on; underscores_in_headers on;",
    ] {
        let inside = format!(
            "{lines} location / {{ proxy_pass http://unix:a.sock; }} location /v {{ return 200 \"[$http_x_a][$http_x_b]\"; }}"
        );
        cases.push(Case::new(lines, server(&inside)).asks(get(odd)));
        let asks = get(odd).replace("/p", "/v");
        cases.push(Case::new(format!("variables with {lines}"), server(&inside)).asks(asks));
    }
    let both = "underscores_in_headers on; return 200 \"[$http_x_a]\";";
    cases.push(Case::new("X-A and X_A", server(both)).asks(get("X-A: 1\r\nX_A: 2\r\n")));
    let small = "client_header_buffer_size 64; large_client_header_buffers 2 512; \
                 return 200 ok;";
    let line = |length: usize| {
        let target = "x".repeat(length - "GET / HTTP/1.1\r\n".len());
        format!("GET /{target} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
    };
    let field = |length: usize| get(&format!("X: {}\r\n", "x".repeat(length - 5)));
    for length in [63, 64, 65, 511, 512, 513, 1100] {
        cases.push(
            Case::new(format!("a request line of {length} bytes"), server(small))
                .asks(line(length)),
        );
        cases.push(
            Case::new(format!("a field of {length} bytes"), server(small)).asks(field(length)),
        );
    }
    let fields = |number: usize| get(&format!("X: {}\r\n", "x".repeat(395)).repeat(number));
    for number in 1..5 {
        cases.push(
            Case::new(format!("{number} fields of 400 bytes"), server(small)).asks(fields(number)),
        );
    }
    let large = "large_client_header_buffers 4 16k; return 200 ok;";
    cases.push(Case::new("a field of 12000 bytes", server(large)).asks(field(12_000)));
    cases.push(Case::new("a field of 17000 bytes", server(large)).asks(field(17_000)));
    let first = "client_header_buffer_size 16k; large_client_header_buffers 4 1k; return 200 ok;";
    cases.push(
        Case::new("a first buffer larger than the large ones", server(first)).asks(field(8_000)),
    );
    cases
}

fn paces() -> Vec<Case> {
    let case = |lines: &str| Case::new(lines, proxied(lines)).asks(get("X: 64k\r\n"));
    vec![
        case("limit_rate 64k;"),
        case("limit_rate 0;"),
        case("limit_rate 1; limit_rate_after 1k;"),
        case("limit_rate $http_x$http_y;"),
        case("limit_rate $http_host;"),
        case("limit_rate $http_none;"),
        case("if ($http_x) { limit_rate 1m; }"),
        Case::new("limit_rate of a file", server("limit_rate 1m; root {dir};"))
            .file("p", "a file that goes out slowly, but not so slowly")
            .asks(get("")),
        Case::new("limit_rate to HEAD", server("limit_rate 64k; root {dir};"))
            .file("p", "a file")
            .asks("HEAD /p HTTP/1.1\r\nHost: h\r\n\r\n"),
    ]
}

fn endings() -> Vec<Case> {
    const MSIE6: &str = "Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1)";
    const SAFARI: &str = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15) Version/16 Safari/605.1";
    let case = |lines: &str, method: &str, agent: &str| {
        Case::new(format!("{lines} {method} {agent:.25}"), proxied(lines)).asks(format!(
            "{method} / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nUser-Agent: {agent}\r\n\r\n"
        ))
    };
    let mut cases = vec![
        case("keepalive_disable none;", "POST", MSIE6),
        case("keepalive_disable none msie6;", "POST", MSIE6),
        case("keepalive_disable safari;", "POST", MSIE6),
        case("keepalive_disable safari;", "GET", SAFARI),
        case("keepalive_disable msie6;", "GET", MSIE6),
        case("keepalive_disable msie6;", "GET", SAFARI),
        case("", "POST", MSIE6),
        case("# the second service pack\n", "POST", "Mozilla/4.0 (compatible; MSIE 6.0; SV1)"),
    ];
    for lines in [
        "lingering_close off;",
        "lingering_close always;",
        "lingering_close on; lingering_time 1s; lingering_timeout 1s;",
    ] {
        cases.push(Case::new(lines, proxied(lines)).asks(get("")));
    }
    cases
}
