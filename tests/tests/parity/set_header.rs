//! `proxy_set_header` and `proxy_http_version`: what the worker is told.

use crate::case::{Case, http, proxied, server};

const ASK: &str = "GET /p?q=1 HTTP/1.1\r\nHost: Example.com:81\r\nX-Forwarded-For: 1.2.3.4\r\n\
                   Upgrade: websocket\r\nConnection: Upgrade\r\nX-Own: mine\r\nCookie: c=1\r\n\r\n";

/// The newest nginx's default, to be said at the level that sets another header.
const NO_CONNECTION: &str = "proxy_set_header Connection '';";

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = variables();
    cases.extend(inheritance());
    cases.extend(versions());
    cases
}

fn variables() -> Vec<Case> {
    let values = [
        "$host",
        "$http_host",
        "$proxy_host",
        "$proxy_port",
        "$remote_addr",
        "$remote_user",
        "$proxy_add_x_forwarded_for",
        "$request_uri",
        "$uri",
        "$document_uri",
        "$args",
        "$query_string",
        "$is_args",
        "$arg_q",
        "$scheme",
        "$server_name",
        "$server_addr",
        "$server_port",
        "$server_protocol",
        "$request_method",
        "$request",
        "$http_upgrade",
        "$http_connection",
        "$http_x_own",
        "$http_missing",
        "$cookie_c",
        "$content_length",
        "$hostname",
        "a-$host-b",
        "${host}x",
        "'two words'",
    ];
    values
        .iter()
        .map(|value| {
            Case::new(
                format!("set to {value}"),
                proxied(&format!("proxy_set_header X-Value {value}; {NO_CONNECTION}")),
            )
            .asks(ASK)
        })
        .collect()
}

fn inheritance() -> Vec<Case> {
    let case = |name: &str, http_level: &str, server_level: &str, location: &str| {
        // Said where a header is set; `http` says it for a case that sets none.
        let level = |text: &str| match text {
            "" => String::new(),
            _ if text.contains(" Connection ") => text.to_owned(),
            _ => format!("{text} {NO_CONNECTION}"),
        };
        let (server_level, location) = (level(server_level), level(location));
        let inside = format!(
            "{http_level} server {{ listen 127.0.0.1:{{port}}; {server_level} \
             location / {{ proxy_pass http://unix:a.sock; {location} }} }}"
        );
        Case::new(name, http(&inside)).asks(ASK)
    };
    vec![
        case("nothing set", "", "", ""),
        case("set at the http level", "proxy_set_header X-Level http;", "", ""),
        case(
            "a level replaces the one above whole",
            "proxy_set_header X-Http 1; proxy_set_header Host http;",
            "proxy_set_header X-Server 1;",
            "",
        ),
        case(
            "the location replaces the server whole",
            "",
            "proxy_set_header X-Server 1; proxy_set_header X-Real-IP $remote_addr;",
            "proxy_set_header X-Location 1;",
        ),
        case("an empty value removes", "", "", "proxy_set_header X-Own \"\";"),
        case("an empty variable removes", "", "", "proxy_set_header X-Own $http_missing;"),
        case("a value replaces the client's", "", "", "proxy_set_header x-own theirs;"),
        case("the Host is removed", "", "", "proxy_set_header Host \"\";"),
        case("the Host is set", "", "", "proxy_set_header Host $host;"),
        case(
            "names as written",
            "",
            "",
            "proxy_set_header X-Real-IP 1; proxy_set_header x-LOWER 2;",
        ),
        case("the same name twice", "", "", "proxy_set_header X-A 1; proxy_set_header X-A 2;"),
        case(
            "quotes and escapes",
            "",
            "",
            r#"proxy_set_header X-A "a \"b\" 'c' \\ d"; proxy_set_header X-B 'e"f;g';"#,
        ),
        case(
            "Connection and Upgrade are passed",
            "",
            "",
            "proxy_set_header Connection $http_connection; proxy_set_header Upgrade $http_upgrade;",
        ),
        case("Connection is set to a word", "", "", "proxy_set_header Connection upgrade;"),
        case("the length is set", "", "", "proxy_set_header Content-Length 0;"),
        case("TE is set", "", "", "proxy_set_header TE trailers;"),
    ]
}

fn versions() -> Vec<Case> {
    vec![
        Case::new("HTTP/1.0 to the worker", proxied("proxy_http_version 1.0;")).gets("/"),
        Case::new("HTTP/1.1 to the worker", proxied("proxy_http_version 1.1;")).gets("/"),
        Case::new("HTTP/1.0 to the worker, keep-alive set", proxied("proxy_http_version 1.0; proxy_set_header Connection keep-alive;")).gets("/"),
        Case::new(
            "a version for each location",
            server("proxy_http_version 1.0; location / { proxy_pass http://unix:a.sock; } location /1 { proxy_pass http://unix:a.sock; proxy_http_version 1.1; }"),
        )
        .client(|scene| scene.get_each(&["/0", "/1"])),
    ]
}
