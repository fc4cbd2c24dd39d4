//! Getting connected: what the request says, and how a failure is told.

use std::sync::mpsc;

use tempfile::tempdir;

use crate::support::run::{Outcome, client, run, start_command};
use crate::support::{PATIENCE, server};

/// The one line of a failure, on standard error, with status 1.
fn failed(url: &str, why: &str) -> Outcome {
    let err = format!("Failed to connect to {url}: {why}.\n");
    Outcome { out: String::new(), err, status: 1 }
}

#[test]
fn a_rejection_is_told_with_its_status() {
    let url = server::canned("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n");
    let told = failed(&url, "server rejected WebSocket connection: HTTP 502");
    assert_eq!(run(&[&url], ""), told);
}

#[test]
fn a_refused_connection_names_the_address() {
    let address = server::refusing();
    let url = format!("ws://{address}/");
    assert_eq!(run(&[&url], ""), failed(&url, &format!("{address}: Connection refused")));
}

#[test]
fn a_missing_socket_is_named() {
    let place = tempdir().unwrap();
    let path = place.path().join("none.sock");
    let url = format!("ws+unix:{}", path.display());
    let why = format!("{}: No such file or directory", path.display());
    assert_eq!(run(&[&url], ""), failed(&url, &why));
}

#[test]
fn a_bad_url_is_a_failure_that_says_what_to_write() {
    let why = "a WebSocket URL starts with ws://, wss:// or ws+unix:";
    assert_eq!(run(&["localhost:8080"], ""), failed("localhost:8080", why));
    assert_eq!(run(&["http://localhost/"], ""), failed("http://localhost/", why));
    assert_eq!(run(&["ws://h:99999/"], ""), failed("ws://h:99999/", "bad port in the URL"));
}

#[test]
fn a_host_that_nobody_knows_is_named() {
    let url = "ws://nobody.invalid/";
    let outcome = run(&[url], "");
    let start = format!("Failed to connect to {url}: cannot find nobody.invalid: ");
    assert!(outcome.err.starts_with(&start), "{}", outcome.err);
    assert_eq!((outcome.err.lines().count(), outcome.status), (1, 1));
}

#[test]
fn an_answer_that_is_no_handshake_says_why_not() {
    for (answer, why) in [
        ("", "the server closed the connection without an answer"),
        ("SSH-2.0-OpenSSH_9.2\r\n", "the answer is not HTTP/1.1"),
        ("HTTP/1.0 200 OK\r\n\r\n", "the answer is not HTTP/1.1"),
        ("HTTP/1.1 200 OK\r\n\r\nhi", "server rejected WebSocket connection: HTTP 200"),
        (
            "HTTP/1.1 101 S\r\nConnection: Upgrade\r\n\r\n",
            "the answer lacks \"Upgrade: websocket\"",
        ),
        (
            "HTTP/1.1 101 S\r\nUpgrade: websocket\r\n\r\n",
            "the answer lacks \"Connection: Upgrade\"",
        ),
        (
            "HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: AAAA\r\n\r\n",
            "the answer's Sec-WebSocket-Accept does not match the key",
        ),
    ] {
        let url = server::canned(answer);
        assert_eq!(run(&[&url], ""), failed(&url, why), "{answer:?}");
    }
}

#[test]
fn the_request_says_what_the_flags_say() {
    let (to_test, seen) = mpsc::channel();
    let server = server::tcp(move |peer| {
        to_test.send(peer.request.clone()).unwrap();
        server::echo(peer)
    });
    let url = format!("{}chat?room=1&x=%20", server.url);
    let arguments = [
        &url,
        "--header=X-Token: a:b",
        "--header",
        "X-Token: c",
        "--header=Host: example.org",
        "--subprotocol=chat",
        "--subprotocol=superchat",
        "--origin=https://example.org",
    ];
    let outcome = run(&arguments, "hello\n");
    let out = format!("Connected to {url}.\n< hello\nConnection closed: 1000 (OK).\n");
    assert_eq!(outcome, Outcome { out, err: String::new(), status: 0 });

    let request = seen.recv_timeout(PATIENCE).unwrap();
    assert_eq!(request.uri().to_string(), "/chat?room=1&x=%20");
    let all = |name: &str| -> Vec<&str> {
        request.headers().get_all(name).iter().map(|value| value.to_str().unwrap()).collect()
    };
    assert_eq!(all("x-token"), ["a:b", "c"]);
    assert_eq!(all("host"), ["example.org"]);
    assert_eq!(all("sec-websocket-protocol"), ["chat, superchat"]);
    assert_eq!(all("origin"), ["https://example.org"]);
    assert_eq!(all("sec-websocket-version"), ["13"]);
}

#[test]
fn by_default_the_host_is_the_urls_and_there_is_no_origin() {
    let (to_test, seen) = mpsc::channel();
    let server = server::tcp(move |peer| {
        to_test.send(peer.request.clone()).unwrap();
        server::echo(peer)
    });
    run(&[&server.url], "");
    let request = seen.recv_timeout(PATIENCE).unwrap();
    let authority = server.url.trim_start_matches("ws://").trim_end_matches('/');
    assert_eq!(request.headers()["host"], authority);
    assert!(!request.headers().contains_key("origin"));
    assert!(!request.headers().contains_key("sec-websocket-protocol"));
}

#[test]
fn a_subprotocol_that_the_server_does_not_speak_is_a_failure() {
    let server = server::tcp(server::echo);
    let outcome = run(&[&server.url, "--subprotocol=unknown"], "hello\n");
    assert_eq!(outcome, failed(&server.url, "the server speaks none of the subprotocols"));
}

#[test]
fn a_unix_socket_is_reached_by_a_relative_path_too_and_may_have_a_request_path() {
    let place = tempdir().unwrap();
    let (to_test, seen) = mpsc::channel();
    let _server = server::unix(&place.path().join("w.sock"), move |peer| {
        to_test.send(peer.request.uri().to_string()).unwrap();
        server::echo(peer)
    });
    let absolute = format!("ws+unix:{}/w.sock", place.path().display());
    let with_path = format!("{absolute}:/chat?x=1");
    for (url, target) in
        [(absolute.as_str(), "/"), (with_path.as_str(), "/chat?x=1"), ("ws+unix:w.sock", "/")]
    {
        let mut command = client();
        let mut run = start_command(command.arg(url).current_dir(place.path()));
        run.type_in("hello\n");
        let out = format!("Connected to {url}.\n< hello\nConnection closed: 1000 (OK).\n");
        assert_eq!(run.finish(), Outcome { out, err: String::new(), status: 0 });
        assert_eq!(seen.recv_timeout(PATIENCE).unwrap(), target);
    }
}

#[test]
fn a_wrong_command_line_is_told_apart_by_its_status() {
    for wrong in [
        &[][..],
        &["ws://localhost/", "--no-such-flag"],
        &["ws://localhost/", "--header", "no colon"],
        &["ws://localhost/", "--header", "Upgrade: h2c"],
        &["ws://localhost/", "--ping-interval", "soon"],
        &["ws://localhost/", "--subprotocol", "two words"],
    ] {
        let outcome = run(wrong, "");
        assert_eq!((outcome.status, outcome.out.as_str()), (2, ""), "{wrong:?}");
        assert!(outcome.err.contains("--help"), "{wrong:?}: {}", outcome.err);
    }
}

#[test]
fn it_knows_its_version() {
    let out = format!("client {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(run(&["--version"], ""), Outcome { out, err: String::new(), status: 0 });
}
