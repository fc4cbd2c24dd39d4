//! Upgrades: what reaches the worker, the tunnel, and answers other than 101.

use std::sync::Arc;

use tests::worker::{Script, answer, answer_and_close};

use crate::case::{Case, OK, proxied};

/// The guide's two lines.
const PASSES: &str =
    "proxy_set_header Connection $http_connection; proxy_set_header Upgrade $http_upgrade;";

const ASK: &str = "GET /chat HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

const SWITCH: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
                      Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = tunnels();
    cases.extend(ends());
    cases.extend(heads());
    cases.extend(other_answers());
    cases
}

fn guide(name: &str) -> Case {
    Case::new(name, proxied(PASSES))
}

/// Answers the handshake, then sends back what comes.
fn echo() -> Script {
    Arc::new(|visit| {
        if visit.request().is_some() && visit.send(SWITCH.as_bytes()) {
            visit.echo();
        }
    })
}

fn tunnels() -> Vec<Case> {
    vec![
        guide("a tunnel").worker("a", echo()).client(|scene| {
            let mut client = scene.connect();
            client.send(ASK);
            client.head();
            for word in [&b"one"[..], b"two", b"three\0\xff"] {
                client.send(word);
                client.read(word.len());
            }
        }),
        guide("early bytes of the client").worker("a", echo()).client(|scene| {
            let mut client = scene.connect();
            client.send(format!("{ASK}early"));
            client.head();
            client.read(5);
            client.send("late");
            client.read(4);
        }),
        guide("early bytes of the worker")
            .worker(
                "a",
                Arc::new(|visit| {
                    visit.request();
                    visit.send(format!("{SWITCH}early").as_bytes());
                    visit.echo();
                }),
            )
            .client(|scene| {
                let mut client = scene.connect();
                client.send(ASK);
                client.head();
                client.read(5);
                client.send("x");
                client.read(1);
            }),
        guide("early bytes of both")
            .worker(
                "a",
                Arc::new(|visit| {
                    visit.request();
                    visit.send(format!("{SWITCH}{}", "w".repeat(3000)).as_bytes());
                    visit.echo();
                }),
            )
            .client(|scene| {
                let mut client = scene.connect();
                client.send(format!("{ASK}{}", "c".repeat(900)));
                client.head();
                client.read(3900);
            }),
        guide("three megabytes there and back").worker("a", echo()).client(|scene| {
            let mut client = scene.connect();
            client.send(ASK);
            client.head();
            let bytes: Vec<u8> = (0..3_000_000_u32).map(|i| (i / 7).to_be_bytes()[3]).collect();
            client.send_aside(bytes);
            client.read(3_000_000);
        }),
        guide("the handshake in pieces").worker("a", echo()).client(|scene| {
            let mut client = scene.connect();
            let (one, two) = ASK.split_at(40);
            client.send(one);
            client.send(two);
            client.head();
            client.send("x");
            client.read(1);
        }),
        guide("a tunnel behind a plain request")
            .worker(
                "a",
                Arc::new(|visit| {
                    let plain =
                        visit.request().is_some_and(|head| head.header("Upgrade").is_none());
                    if plain {
                        visit.send(OK.as_bytes());
                    } else {
                        visit.send(SWITCH.as_bytes());
                        visit.echo();
                    }
                }),
            )
            .client(|scene| {
                let mut client = scene.connect();
                client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
                client.response();
                client.send(ASK);
                client.head();
                client.send("x");
                client.read(1);
            }),
        Case::new(
            "a silent tunnel times out",
            proxied(&format!("{PASSES} proxy_read_timeout 300ms;")),
        )
        .worker("a", echo())
        .client(|scene| {
            let mut client = scene.connect();
            client.send(ASK);
            client.head();
            client.send("x");
            client.read_to_end();
        }),
    ]
}

fn ends() -> Vec<Case> {
    vec![
        guide("the client goes").worker("a", echo()).client(|scene| {
            let mut client = scene.connect();
            client.send(ASK);
            client.head();
            client.send("end");
            client.read(3);
        }),
        guide("the worker goes")
            .worker(
                "a",
                Arc::new(|visit| {
                    visit.request();
                    visit.send(SWITCH.as_bytes());
                    visit.read(3);
                    visit.send(b"end");
                }),
            )
            .client(|scene| {
                let mut client = scene.connect();
                client.send(ASK);
                client.head();
                client.send("end");
                client.read_to_end();
            }),
        // What begins a frame would have the proxy hold the client (`orphan_release`): this does not.
        guide("the worker goes at once")
            .worker("a", answer_and_close(format!("{SWITCH}end")))
            .client(|scene| {
                let mut client = scene.connect();
                client.send(ASK);
                client.head();
                client.read_to_end();
            }),
        guide("the client half-closes and the worker still sends")
            .worker(
                "a",
                Arc::new(|visit| {
                    visit.request();
                    visit.send(SWITCH.as_bytes());
                    visit.read_to_end();
                    visit.send(b"last words");
                }),
            )
            .client(|scene| {
                let mut client = scene.connect();
                client.send(ASK);
                client.head();
                client.send("that is all");
                client.half_close();
                client.read_to_end();
            }),
        guide("the worker half-closes and the client still sends")
            .worker(
                "a",
                Arc::new(|visit| {
                    visit.request();
                    visit.send(SWITCH.as_bytes());
                    visit.send(b"that is all");
                    visit.half_close();
                    visit.read_to_end();
                }),
            )
            .client(|scene| {
                let mut client = scene.connect();
                client.send(ASK);
                client.head();
                client.read_to_end();
                client.send("last words");
            }),
    ]
}

fn heads() -> Vec<Case> {
    let with = |name: &str, lines: &str| {
        guide(name).worker("a", echo()).client({
            let raw = format!("GET / HTTP/1.1\r\nHost: h\r\n{lines}\r\n");
            move |scene| {
                let mut client = scene.connect();
                client.send(&raw);
                client.head();
                client.send("x");
                client.read(1);
            }
        })
    };
    vec![
        guide("another protocol")
            .worker("a", answer_and_close(OK))
            .asks("GET / HTTP/1.1\r\nHost: h\r\nUpgrade: chat/2\r\nConnection: upgrade\r\n\r\n"),
        Case::new("another protocol by the file's own words", {
            let map = "map $http_upgrade $up { chat/2 chat/2; default ''; }\n    server {";
            proxied("proxy_set_header Connection upgrade; proxy_set_header Upgrade $up;")
                .replacen("server {", map, 1)
        })
        .worker("a", echo())
        .client(|scene| {
            let mut client = scene.connect();
            client.send("GET / HTTP/1.1\r\nHost: h\r\nUpgrade: chat/2\r\n\r\n");
            client.head();
            client.send("x");
            client.read(1);
        }),
        with("names and values in other case", "UPGRADE: WebSocket\r\nconnection: UPGRADE\r\n"),
        with("Connection with a list", "Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"),
        with("Upgrade without Connection", "Upgrade: websocket\r\n"),
        guide("Connection without Upgrade")
            .asks("GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\n\r\n"),
        with(
            "Upgrade and a body",
            "Upgrade: websocket\r\nConnection: Upgrade\r\nContent-Length: 0\r\n",
        ),
        with(
            "extensions and subprotocols",
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Extensions: permessage-deflate\r\nSec-WebSocket-Protocol: a, b\r\nOrigin: http://o\r\n",
        ),
        Case::new("Connection: upgrade by map", {
            let map = "map $http_upgrade $up { default upgrade; '' close; }\n    server {";
            proxied("proxy_set_header Connection $up; proxy_set_header Upgrade $http_upgrade;")
                .replacen("server {", map, 1)
        })
        .worker("a", echo())
        .client(|scene| {
            let mut client = scene.connect();
            client.send(ASK);
            client.head();
            client.send("x");
            client.read(1);
        }),
        guide("HTTP/1.0 asks for an upgrade")
            .worker("a", answer_and_close(OK))
            .asks("GET / HTTP/1.0\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"),
    ]
}

fn other_answers() -> Vec<Case> {
    let asks = |case: Case| case.asks(ASK);
    let switch_and_close = || answer_and_close(SWITCH);
    vec![
        asks(guide("200 in the place of 101").worker("a", answer(OK))),
        asks(guide("426").answers("HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nContent-Length: 0\r\n\r\n")),
        asks(guide("403 with a body").answers("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno")),
        asks(guide("401 closes").worker("a", answer_and_close("HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\nno"))),
        guide("200 in the place of 101, then another request").worker("a", answer(OK)).client(|scene| {
            let mut client = scene.connect();
            client.send(ASK);
            client.response();
            client.send("GET /2 HTTP/1.1\r\nHost: h\r\n\r\n");
            client.response();
            client.end();
        }),
        asks(Case::new("an upgrade that the configuration does not pass", proxied("")).worker("a", answer(OK))),
        asks(Case::new("101 to an upgrade that was not passed", proxied("")).worker("a", switch_and_close())),
        guide("101 that nobody asked for").worker("a", switch_and_close()).gets("/"),
        guide("101 without its headers").worker("a", answer_and_close("HTTP/1.1 101 Switching Protocols\r\n\r\n")).client(|scene| {
            let mut client = scene.connect();
            client.send(ASK);
            client.head();
            client.read_to_end();
        }),
        asks(Case::new("an upgrade over HTTP/1.0 to the worker", proxied(&format!("{PASSES} proxy_http_version 1.0;"))).worker("a", answer_and_close(OK))),
        asks(guide("the worker closes amid the handshake").worker("a", answer_and_close("HTTP/1.1 101 Swi"))),
    ]
}
