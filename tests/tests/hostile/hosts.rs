//! Host, and a target that names another one (RFC 9112, 3.2).

use crate::case::{Case, passed, refused};

const HOST: &str = "3.2, 9110 7.2";
const ABSOLUTE: &str = "3.2.2";

const GARBAGE: &str = "That is no host (RFC 3986, 3.2.2), and a server that looks at one part of it may find \
    another than the one that was asked for here; nginx sends it on.";
const TARGET: &str = "Of two hosts the target's is the one, everywhere (3.2.2); nginx gives the server the \
    other one as $http_host.";

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = hosts();
    cases.extend(absolute());
    cases
}

fn hosts() -> Vec<Case> {
    let with = |host: &str| format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n");
    let mut cases = vec![
        refused("no Host", HOST, "GET / HTTP/1.1\r\nX: y\r\n\r\n"),
        refused("no field at all", HOST, "GET / HTTP/1.1\r\n\r\n"),
        refused("two Hosts", HOST, "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
        refused("one Host twice", HOST, "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"),
        refused("two Hosts apart", HOST, "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\nhost: b\r\n\r\n"),
        refused("two Hosts on HTTP/1.0", HOST, "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n"),
        refused("a Host and an empty one", HOST, "GET / HTTP/1.1\r\nHost: a\r\nHost:\r\n\r\n"),
        refused("an empty Host and another", HOST, "GET / HTTP/1.1\r\nHost:\r\nHost: a\r\n\r\n"),
        refused(
            "a Host with a space before its colon",
            "5.1",
            "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
        ),
        refused("a Host that is folded", "5.2", "GET / HTTP/1.1\r\nHost:\r\n a\r\n\r\n"),
        refused("no Host on a POST", HOST, "POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc"),
        refused("a Host of an odd name alone", HOST, "GET / HTTP/1.1\r\nHost_: h\r\n\r\n"),
        passed(
            "no Host on HTTP/1.0",
            HOST,
            "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
            "GET /",
        ),
    ];
    for host in [
        "", " ", ".", "..", "a..b", "a/b", "/", "a b", "a\0b", "a\x01b", "a\x7fb", "a\tb", ":80",
        ":", "a\x0bb", "http://a", "a/", "//a",
    ] {
        cases.push(refused(format!("host {host:?}"), HOST, with(host)));
    }
    for host in [
        "a,b",
        "a, b",
        ",",
        "a,",
        ",a",
        "a@b",
        "user@a",
        "user:pw@a",
        "@",
        "a@",
        "a?b",
        "a#b",
        "a\\b",
        "a\"b",
        "a<b>",
        "a|b",
        "a^b",
        "a`b",
        "{a}",
        "a:b",
        "a:80:80",
        "a:-1",
        "a:+80",
        "a:80x",
        "a:0x50",
        "a:99999",
        "a: 80",
        "a :80",
        "[",
        "]",
        "[]",
        "[::1",
        "::1",
        "::1]",
        "[::1]x",
        "[a]b",
        "[::1]:x",
        "[g::1]",
        "[::1,a]",
        "a[b]",
        "[[::1]]",
        "a%",
        "a%2",
        "a%zz",
        "a\u{e9}",
        "\u{ff}",
        "caf\u{e9}.test",
        "a\u{3002}b",
        "a:8\u{660}",
    ] {
        let case = refused(format!("host {host:?}"), HOST, with(host));
        // nginx refuses what has a space or no name, as we do.
        cases.push(if host.contains(' ') || host.starts_with(':') {
            case
        } else {
            case.unlike_nginx(GARBAGE)
        });
    }
    for (host, sent) in [
        ("h", "Host: h"),
        ("H.Test", "Host: h.test"),
        ("h:80", "Host: h"),
        ("h:8080", "Host: h"),
        ("h.", "Host: h"),
        ("h:", "Host: h"),
        ("127.0.0.1", "Host: 127.0.0.1"),
        ("127.0.0.1:80", "Host: 127.0.0.1"),
        ("[::1]", "Host: [::1]"),
        ("[::1]:80", "Host: [::1]"),
        ("[::FFFF:1.2.3.4]", "Host: [::ffff:1.2.3.4]"),
        ("a_b", "Host: a_b"),
        ("a-b.c", "Host: a-b.c"),
        ("-", "Host: -"),
        ("xn--caf-dma.test", "Host: xn--caf-dma.test"),
        ("a%20b", "Host: a%20b"),
        ("a+b", "Host: a+b"),
        ("1", "Host: 1"),
    ] {
        cases.push(passed(format!("host {host:?}"), HOST, with(host), "GET /").has(sent));
    }
    cases
}

fn absolute() -> Vec<Case> {
    let ask = |target: &str, host: &str| format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n");
    let mut cases = vec![
        passed("a target with the same host", ABSOLUTE, ask("http://h/a?b", "h"), "GET /a?b")
            .has("Host: h"),
        passed("a target with another host", ABSOLUTE, ask("http://good/a", "evil"), "GET /a")
            .has("Host: good")
            .lacks("evil"),
        passed("a target with a port", ABSOLUTE, ask("http://good:81/a", "evil:82"), "GET /a")
            .has("Host: good")
            .lacks("evil"),
        passed("a target without a path", ABSOLUTE, ask("http://good", "evil"), "GET /")
            .has("Host: good")
            .lacks("evil"),
        passed("a target with a query alone", ABSOLUTE, ask("http://good?a", "evil"), "GET /?a")
            .has("Host: good")
            .lacks("evil"),
        passed("a target in capitals", ABSOLUTE, ask("HTTP://GOOD/a", "evil"), "GET /a")
            .has("Host: good")
            .lacks("evil"),
        passed("a target by https", ABSOLUTE, ask("https://good/a", "evil"), "GET /a")
            .has("Host: good")
            .lacks("evil"),
        passed("a target with an address", ABSOLUTE, ask("http://[::1]:80/a", "evil"), "GET /a")
            .has("Host: [::1]")
            .lacks("evil"),
        refused("a target without a Host", ABSOLUTE, "GET http://good/ HTTP/1.1\r\n\r\n"),
        refused("a target and a bad Host", ABSOLUTE, ask("http://good/", "a/b")),
        refused(
            "a target and two Hosts",
            ABSOLUTE,
            "GET http://good/ HTTP/1.1\r\nHost: good\r\nHost: good\r\n\r\n",
        ),
        refused("a target and an empty Host", ABSOLUTE, ask("http://good/", "")),
        passed(
            "a target on HTTP/1.0",
            ABSOLUTE,
            "GET http://good/a HTTP/1.0\r\nHost: evil\r\nConnection: keep-alive\r\n\r\n",
            "GET /a",
        )
        .has("Host: good")
        .lacks("evil"),
    ];
    for (name, target, sent) in [
        ("plain", "http://good/http_host", "Host: good"),
        ("port", "http://good:8080/http_host", "Host: good:8080"),
        ("query", "http://good/http_host?a=b", "Host: good"),
    ] {
        let path = &target[target.find("/http_").unwrap()..];
        let case = passed(
            format!("$http_host of a target, {name}"),
            ABSOLUTE,
            ask(target, "evil"),
            &format!("GET {path}"),
        );
        cases.push(case.has(sent).lacks("evil").unlike_nginx(TARGET));
    }
    for target in [
        "http://user@good/",
        "http://user:pw@good/",
        "http://@good/",
        "http://a,b/",
        "http://good:x/",
        "http://good:80:80/",
        "http://go\\od/",
        "http://[::1/",
        "http://a b/",
        "http:/good/",
        "http:good",
        "http://good\0/",
    ] {
        cases.push(refused(format!("target {target:?}"), "3.2, 9110 4.2.4", ask(target, "h")));
    }
    cases
}
