//! Where `proxy_pass` goes and with which URI.

use tests::worker::answer;

use crate::case::{Case, OK, balanced, http, server};

pub(crate) fn cases() -> Vec<Case> {
    let case = |name: &str, location: &str, target: &str| {
        Case::new(name, server(location)).tcp_worker("t", answer(OK)).gets(target)
    };
    vec![
        case("to a host and port", "location / { proxy_pass http://127.0.0.1:{t}; }", "/x"),
        case("to localhost by name", "location / { proxy_pass http://localhost:{t}; }", "/x"),
        case("to a host with a URI", "location /x/ { proxy_pass http://127.0.0.1:{t}/y/; }", "/x/z?q"),
        case("to a host with a slash", "location /x/ { proxy_pass http://127.0.0.1:{t}/; }", "/x/z"),
        case("a slash and no slash", "location /x { proxy_pass http://127.0.0.1:{t}/; }", "/x/z"),
        case("a URI without a slash", "location /x/ { proxy_pass http://127.0.0.1:{t}/y; }", "/x/z"),
        case("to unix", "location / { proxy_pass http://unix:a.sock; }", "/x"),
        case("to unix by its whole path", "location / { proxy_pass http://unix:{dir}/a.sock; }", "/x"),
        case("to unix with a colon", "location /x/ { proxy_pass http://unix:a.sock:; }", "/x/z"),
        case("to unix with a URI", "location /x/ { proxy_pass http://unix:a.sock:/y/; }", "/x/z?q=1"),
        case("a URI replaces an escaped one", "location /x/ { proxy_pass http://unix:a.sock:/y/; }", "/x/a%20b%2Fc?d%20e"),
        case("a URI replaces a merged one", "location /x/ { proxy_pass http://unix:a.sock:/y/; }", "/x//a/../b/./c"),
        case("the escaped one is passed without a URI", "location /x/ { proxy_pass http://unix:a.sock; }", "/x/a%20b%2Fc"),
        case("a location found by a decoded path", "location /a/b { proxy_pass http://unix:a.sock; }", "/%61/%62"),
        case("a URI with a query of its own", "location /x/ { proxy_pass http://unix:a.sock:/y?z=; }", "/x/w?q"),
        case("an exact location with a URI", "location = /x { proxy_pass http://unix:a.sock:/y; }", "/x?q"),
        Case::new("to an upstream", balanced("server unix:a.sock;", "")).gets("/x"),
        Case::new(
            "to an upstream with a URI",
            http("upstream u { server unix:a.sock; } server { listen 127.0.0.1:{port}; location /x/ { proxy_pass http://u/y/; } }"),
        )
        .gets("/x/z"),
        Case::new("an upstream of host and port", balanced("server 127.0.0.1:{t};", ""))
            .tcp_worker("t", answer(OK))
            .gets("/x"),
        Case::new("an upstream of a name and port", balanced("server localhost:{t};", ""))
            .tcp_worker("t", answer(OK))
            .gets("/x"),
        Case::new(
            "an upstream's name in other case",
            http("upstream Web_Socket { server unix:a.sock; } server { listen 127.0.0.1:{port}; location / { proxy_pass http://web_socket; } }"),
        )
        .gets("/"),
        case("HTTP:// in capitals", "location / { proxy_pass HTTP://unix:a.sock; }", "/x"),
    ]
}
