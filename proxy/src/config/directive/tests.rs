//! What the directives make of their arguments.

use std::path::PathBuf;
use std::time::Duration;

use super::super::model::{
    Escape, Http, ListenAddress, LocationPattern, Method, ProxyTarget, Queue, Rebalance,
    ServerName, Step,
};
use super::super::{Config, Loader};

fn load(text: &str) -> Config {
    Loader::new().load_text("nginx.conf", text).unwrap_or_else(|problem| panic!("{problem}"))
}

fn http(text: &str) -> Http {
    load(&format!("events {{}} http {{ {text} }}")).http.unwrap()
}

fn refused(text: &str) -> String {
    Loader::new().load_text("nginx.conf", text).unwrap_err().message().to_owned()
}

#[test]
fn listen_in_all_its_forms() {
    let http = http(
        "server { listen 81; listen *:82; listen localhost; listen 127.0.0.1:83-84; \
         listen [::1]:85 ipv6only=off; listen unix:x.sock; listen [0:0::1]:86 default_server backlog=9; }",
    );
    let listen = &http.servers[0].listen;
    let host = |name: &str, port| ListenAddress::Host(name.to_owned(), port);
    let addresses: Vec<_> = listen.iter().map(|listen| listen.address.clone()).collect();
    assert_eq!(
        addresses,
        [
            ListenAddress::Any(81),
            ListenAddress::Any(82),
            host("localhost", 80),
            host("127.0.0.1", 83),
            host("127.0.0.1", 84),
            host("::1", 85),
            ListenAddress::Unix("x.sock".into()),
            host("::1", 86),
        ]
    );
    assert_eq!((listen[5].socket.ipv6only, listen[7].socket.ipv6only), (false, true));
    assert_eq!((listen[7].default_server, listen[7].socket.backlog), (true, Some(9)));
}

#[test]
fn server_names_of_every_kind() {
    let http = http(r#"server { server_name A.example *.b .c d.* "~^E\d{2}" ""; }"#);
    let names: Vec<_> = http.servers[0].names.iter().map(|name| name.value.clone()).collect();
    let text = str::to_owned;
    assert_eq!(
        names,
        [
            ServerName::Exact(text("a.example")),
            ServerName::Leading(text("b")),
            ServerName::LeadingOrExact(text("c")),
            ServerName::Trailing(text("d")),
            ServerName::Regex(text(r"^E\d{2}")),
            ServerName::Exact(text("")),
        ]
    );
}

#[test]
fn location_patterns_with_and_without_a_blank() {
    let http = http(
        r"server { location / { } location =/a { } location = /b { } location ^~ /c { }
          location ~ \.php$ { } location ~*\.(gif|png)$ { } location ~ \.php$ { } }",
    );
    let patterns: Vec<_> =
        http.servers[0].locations.iter().map(|location| location.pattern.value.clone()).collect();
    let text = str::to_owned;
    assert_eq!(
        patterns,
        [
            LocationPattern::Prefix(text("/")),
            LocationPattern::Exact(text("/a")),
            LocationPattern::Exact(text("/b")),
            LocationPattern::PrefixNoRegex(text("/c")),
            LocationPattern::Regex(text(r"\.php$")),
            LocationPattern::RegexNoCase(text(r"\.(gif|png)$")),
            LocationPattern::Regex(text(r"\.php$")),
        ]
    );
}

#[test]
fn proxy_pass_to_names_ports_and_sockets() {
    let host = |name: &str, port| ProxyTarget::Host { name: name.to_owned(), port };
    for (text, target, proxy_host, uri) in [
        ("http://u", host("u", None), "u", None),
        ("HTTP://u:80/", host("u", Some(80)), "u", Some("/")),
        ("http://u:81/x?y", host("u", Some(81)), "u:81", Some("/x?y")),
        ("http://[::1]:81", host("[::1]", Some(81)), "[::1]:81", None),
        ("http://unix:a.sock", ProxyTarget::Unix(PathBuf::from("a.sock")), "localhost", None),
        ("http://unix:a.sock:/x", ProxyTarget::Unix("a.sock".into()), "localhost", Some("/x")),
    ] {
        let http = http(&format!("server {{ location / {{ proxy_pass {text}; }} }}"));
        let pass = http.servers[0].locations[0].settings.proxy_pass.clone().unwrap();
        assert_eq!(pass.target.value, target, "{text}");
        assert_eq!((pass.proxy_host.as_str(), pass.uri.as_deref()), (proxy_host, uri), "{text}");
    }
}

#[test]
fn return_takes_a_code_a_text_or_a_url() {
    for (text, code, body) in [
        ("return 404;", 404, None),
        ("return 200 'hello $uri';", 200, Some("hello $uri")),
        ("return https://example.com$request_uri;", 302, Some("https://example.com$request_uri")),
        ("return 204; return 500;", 204, None),
    ] {
        let http = http(&format!("server {{ {text} }}"));
        let Step::Return(returns) = http.servers[0].settings.steps[0].clone() else { panic!() };
        assert_eq!(returns.code, code, "{text}");
        assert_eq!(returns.text.map(|text| text.value).as_deref(), body, "{text}");
    }
}

#[test]
fn maps_keep_their_order_and_their_patterns() {
    let http = http(
        "map $http_upgrade $up { hostnames; volatile; *.A 1; ~^B$ 2; \\default 3; default 4; '' \
         5; }",
    );
    let map = &http.maps[0];
    assert_eq!((map.source.value.as_str(), map.variable.value.as_str()), ("$http_upgrade", "up"));
    assert_eq!((map.default.value.as_str(), map.hostnames), ("4", true));
    let entries: Vec<_> =
        map.entries.iter().map(|e| (e.key.value.as_str(), e.value.value.as_str())).collect();
    assert_eq!(entries, [("*.a", "1"), ("~^B$", "2"), ("default", "3"), ("", "5")]);
}

#[test]
fn log_formats_are_joined_and_combined_is_first() {
    let http = http("log_format a escape=json '{' '$uri' '}'; log_format b escape=none;");
    let formats: Vec<_> = http
        .log_formats
        .iter()
        .map(|format| (format.name.as_str(), format.escape, format.text.value.as_str()))
        .skip(1)
        .collect();
    assert_eq!(http.log_formats[0].name, "combined");
    assert_eq!(formats, [("a", Escape::Json, "{$uri}"), ("b", Escape::None, "")]);
}

#[test]
fn upstream_servers_have_their_parameters() {
    let http = http(
        "upstream u { least_conn; keepalive 0; keepalive_timeout 5s; keepalive_requests 7; \
         server a weight=2 max_conns=3 max_fails=0 fail_timeout=1m; server b:81 backup down; }",
    );
    let upstream = &http.upstreams[0];
    let (a, b) = (&upstream.servers[0], &upstream.servers[1]);
    assert_eq!((a.weight, a.max_conns, a.max_fails), (2, 3, 0));
    assert_eq!(a.fail_timeout, Duration::from_secs(60));
    assert_eq!((b.backup, b.down, a.backup, a.down), (true, true, false, false));
    let keepalive = upstream.keepalive;
    assert_eq!((keepalive.connections, keepalive.requests), (0, 7));
    assert_eq!(keepalive.timeout, Duration::from_secs(5));
}

#[test]
fn next_upstream_words_add_up_and_off_is_off() {
    let next =
        |text: &str| http(&format!("{text} server {{ }}")).servers[0].settings.proxy_next_upstream;
    let said = next(
        "proxy_next_upstream error; proxy_next_upstream http_502; proxy_next_upstream_tries 2;",
    );
    assert!(said.error && said.http_502 && !said.timeout);
    assert_eq!(said.tries, 2);
    let off = next("proxy_next_upstream off;");
    assert!(!off.error && !off.timeout);
}

#[test]
fn what_only_tunes_nginx_is_noted_with_its_place() {
    let config =
        load("events {\n multi_accept on;\n}\nhttp {\n sendfile on;\n tcp_nopush on;\n}\n");
    let notes: Vec<_> = config
        .notes
        .iter()
        .map(|note| format!("{} in {}", note.value, config.sources.place(note.span)))
        .collect();
    assert_eq!(notes.len(), 3);
    assert_eq!(
        notes[1],
        "\"sendfile\" has no effect here: files are read in this proxy's own way in nginx.conf:5"
    );
    assert!(config.warnings.is_empty());
}

#[test]
fn a_name_taken_twice_is_a_warning() {
    let config = load(
        "events {} http { server { listen 81; server_name a; } server { listen 81; server_name A \
         b; } }",
    );
    let warnings: Vec<_> = config.warnings.iter().map(|warning| warning.value.as_str()).collect();
    assert_eq!(warnings, ["conflicting server name \"a\" on 0.0.0.0:81, ignored"]);
}

#[test]
fn what_nginx_can_and_we_cannot_is_refused_by_name() {
    for name in ["ssl_certificate", "gzip", "auth_request", "stream", "fastcgi_pass", "mirror"] {
        let words =
            format!("\"{name}\" is an nginx directive that this proxy does not support yet");
        assert_eq!(refused(&format!("events {{}} http {{ {name} x; }}")), words);
    }
    let server = |text: &str| refused(&format!("events {{}} http {{ server {{ {text} }} }}"));
    for (text, words) in [
        ("listen 443 ssl;", "\"ssl\" of \"listen\" is not supported by this proxy yet"),
        (
            "location / { proxy_pass https://a; }",
            "\"https\" in \"proxy_pass\" is not supported by this proxy yet",
        ),
        (
            "location / { proxy_http_version 2; }",
            "HTTP/2 to the servers is not supported by this proxy yet",
        ),
        (
            "access_log syslog:server=a;",
            "syslog in \"access_log\" is not supported by this proxy yet",
        ),
    ] {
        assert_eq!(server(text), words);
    }
}

#[test]
fn ways_of_choosing_a_server() {
    let method = |text: &str| {
        http(&format!("upstream u {{ {text} server 127.0.0.1; }}")).upstreams[0].method.clone()
    };
    assert_eq!(method(""), Method::RoundRobin);
    assert_eq!(method("ip_hash;"), Method::IpHash);
    assert_eq!(method("random;"), Method::Random { two: false });
    assert_eq!(method("random two;"), Method::Random { two: true });
    assert_eq!(method("random two least_conn;"), Method::Random { two: true });
    for (text, is_consistent) in [("hash $uri;", false), ("hash $uri consistent;", true)] {
        let Method::Hash { key, consistent } = method(text) else { panic!("{text}") };
        assert_eq!((key.value.as_str(), consistent), ("$uri", is_consistent));
    }
    // The last one counts.
    assert_eq!(method("ip_hash; least_conn;"), Method::LeastConn);
}

#[test]
fn what_only_the_commercial_nginx_has_of_upstreams() {
    let queue = |text: &str| http(&format!("upstream u {{ server a; {text} }}")).upstreams[0].queue;
    let of = |requests, seconds| Some(Queue { requests, timeout: Duration::from_secs(seconds) });
    assert_eq!(queue(""), None);
    assert_eq!(queue("queue 10;"), of(10, 60));
    assert_eq!(queue("queue 10 timeout=1m5s;"), of(10, 65));
    let server =
        |text: &str| http(&format!("upstream u {{ {text} }}")).upstreams[0].servers[0].clone();
    assert_eq!(server("server a slow_start=30s;").slow_start, Duration::from_secs(30));
    assert!(server("server a drain;").down);

    let upstream = |text: &str| refused(&format!("events {{}} http {{ upstream u {{ {text} }} }}"));
    let unsupported = "balancing method does not support parameter \"slow_start=3s\"";
    for method in ["ip_hash", "hash $uri", "hash $uri consistent", "random", "random two"] {
        assert_eq!(upstream(&format!("{method}; server a slow_start=3s;")), unsupported);
    }
    for (text, words) in [
        ("server a slow_start=x;", "invalid parameter \"slow_start=x\""),
        ("queue 0;", "invalid value \"0\" in \"queue\" directive"),
        ("queue x;", "invalid value \"x\" in \"queue\" directive"),
        ("queue 1 timeout=x;", "invalid parameter \"timeout=x\""),
        ("queue 1 time=1;", "invalid parameter \"time=1\""),
        ("queue 1; queue 2;", "\"queue\" directive is duplicate"),
        ("queue;", "invalid number of arguments in \"queue\" directive"),
        ("server a route=x;", "\"route\" of \"server\" is not supported by this proxy yet"),
        ("server a resolve;", "\"resolve\" of \"server\" is not supported by this proxy yet"),
    ] {
        assert_eq!(upstream(text), words, "{text}");
    }
}

#[test]
fn access_logs_with_conditions_and_buffers() {
    let http = http(
        "access_log a combined buffer=32k flush=5s if=$uri; \
         server { access_log a; access_log b combined buffer=1m; }",
    );
    let buffers: Vec<_> =
        http.log_buffers.iter().map(|buffer| (buffer.size, buffer.flush)).collect();
    assert_eq!(buffers, [(32 << 10, Some(Duration::from_secs(5))), (1 << 20, None)]);
    assert!(http.servers[0].settings.access_log.iter().all(|log| log.condition.is_none()));
    let gzip =
        |option: &str| refused(&format!("events {{}} http {{ access_log a combined {option}; }}"));
    let words = "\"gzip\" of \"access_log\" is not supported by this proxy yet";
    assert_eq!((gzip("gzip").as_str(), gzip("gzip=9").as_str()), (words, words));
    assert_eq!(gzip("gzipped"), "invalid parameter \"gzipped\"");
}

#[test]
fn tunnels_are_released_by_rules_of_their_upstream() {
    let upstream =
        |text: &str| http(&format!("upstream u {{ {text} server a; }}")).upstreams.remove(0);
    let plain = upstream("");
    assert_eq!((plain.drain_timeout, plain.rebalance), (None, None));
    assert_eq!(plain.orphan_release, Duration::from_secs(5));
    assert_eq!(upstream("orphan_release 0;").orphan_release, Duration::ZERO);
    assert_eq!(upstream("drain_timeout 1m;").drain_timeout, Some(Duration::from_secs(60)));
    let (threshold, idle) = (20, Duration::from_secs(5));
    let usual = Rebalance { threshold, per_minute: 600, idle };
    assert_eq!(upstream("rebalance;").rebalance, Some(usual));
    let rebalance = upstream("rebalance rate=30/m idle=0 threshold=5%;").rebalance;
    assert_eq!(rebalance, Some(Rebalance { threshold: 5, per_minute: 30, idle: Duration::ZERO }));
    let wrong = |text: &str| refused(&format!("http {{ upstream u {{ {text} server a; }} }}"));
    for word in ["threshold=5", "threshold=0%", "rate=10", "rate=0/s", "rate=1/h", "idle=x", "fast"]
    {
        assert_eq!(wrong(&format!("rebalance {word};")), format!("invalid parameter \"{word}\""));
    }
    assert_eq!(wrong("rebalance; rebalance;"), "\"rebalance\" directive is duplicate");
    assert_eq!(wrong("drain_timeout x;"), "\"drain_timeout\" directive invalid value");
    let refused = "balancing method does not support \"rebalance\"";
    for method in ["ip_hash;", "hash $uri;"] {
        assert_eq!(wrong(&format!("rebalance; {method}")), refused);
    }
}
