//! `hash`, `hash ... consistent` and `ip_hash`: the same server for the same key, in bulk.

use std::net::Ipv4Addr;

use crate::case::{Case, balanced, http};

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for method in ["hash $arg_k", "hash $arg_k consistent", "hash $host-$arg_k! consistent"] {
        for (title, servers, refusing) in scenes() {
            let upstream = format!("{method};\n{servers}");
            let case = Case::new(format!("{method}: {title}"), balanced(&upstream, ""))
                .named_workers(&["a", "b", "c", "d"])
                .client(|scene| {
                    let mut client = scene.connect();
                    let choices: Vec<_> =
                        (0..400).map(|key| client.choice(&format!("/?k=key-{key}"))).collect();
                    scene.note_choices(&choices);
                });
            cases.push(refusing.iter().fold(case, |case, name| case.refusing(name)));
        }
    }
    for (title, servers, refusing) in scenes() {
        let case =
            Case::new(format!("ip_hash: {title}"), balanced(&format!("ip_hash;\n{servers}"), ""))
                .named_workers(&["a", "b", "c", "d"])
                .client(|scene| {
                    // Two clients of each network, in many networks.
                    let hosts = (0..200u8).flat_map(|net| [(net, 1), (net, 254)]);
                    let choices: Vec<_> = hosts
                        .map(|(net, host)| {
                            let address = Ipv4Addr::new(127, net, net.wrapping_mul(37), host);
                            scene.connect_from(address).choice("/")
                        })
                        .collect();
                    scene.note_choices(&choices);
                });
        cases.push(refusing.iter().fold(case, |case, name| case.refusing(name)));
    }
    for (title, servers, _) in scenes().into_iter().take(3) {
        let upstream = format!("ip_hash;\n{servers}");
        let believed = "} set_real_ip_from 127.0.0.1; real_ip_header X-Mine; location /none {";
        cases.push(
            Case::new(format!("ip_hash of IPv6: {title}"), balanced(&upstream, believed))
                .named_workers(&["a", "b", "c", "d"])
                .client(|scene| {
                    let mut client = scene.connect();
                    let choices: Vec<_> = (0..400_u32)
                        .map(|n| {
                            let (net, host) = (n / 4, n.wrapping_mul(0x9e37));
                            let field = format!("X-Mine: 2001:db8:{net:x}::{host:x}");
                            client.choice_with("/", &field)
                        })
                        .collect();
                    scene.note_choices(&choices);
                }),
        );
        // All that come over a Unix socket are one client.
        let over_unix = http(&format!(
            "upstream u {{ {upstream} }} \
             server {{ listen unix:own.sock; location / {{ proxy_pass http://u; }} }} \
             server {{ listen 127.0.0.1:{{port}}; location / {{ proxy_pass http://unix:own.sock; }} }}"
        ));
        cases.push(
            Case::new(format!("ip_hash over a Unix socket: {title}"), over_unix)
                .named_workers(&["a", "b", "c", "d"])
                .client(|scene| {
                    let mut client = scene.connect();
                    let choices: Vec<_> = (0..20).map(|_| client.choice("/")).collect();
                    scene.note_choices(&choices);
                }),
        );
    }
    cases.push(
        Case::new("hash: an empty key takes turns", balanced(&format!("hash $arg_k;\n{FOUR}"), ""))
            .named_workers(&["a", "b", "c", "d"])
            .client(|scene| scene.get_each(&["/"; 8])),
    );
    cases
}

const FOUR: &str =
    "server unix:a.sock; server unix:b.sock; server unix:c.sock; server unix:d.sock;";

type Scene = (&'static str, &'static str, &'static [&'static str]);

fn scenes() -> [Scene; 8] {
    [
        ("equal", FOUR, &[]),
        (
            "weights",
            "server unix:a.sock weight=5; server unix:b.sock; server unix:c.sock weight=3; \
             server unix:d.sock weight=2;",
            &[],
        ),
        (
            "one down",
            "server unix:a.sock; server unix:b.sock down; server unix:c.sock weight=2; \
             server unix:d.sock;",
            &[],
        ),
        ("one refuses and is benched", FOUR, &["b"]),
        (
            "two refuse and are asked again",
            "server unix:a.sock max_fails=0; server unix:b.sock max_fails=0; \
             server unix:c.sock max_fails=0 weight=2; server unix:d.sock max_fails=0;",
            &["b", "c"],
        ),
        (
            "most are down",
            "server unix:a.sock down weight=40; server unix:b.sock down weight=40; \
             server unix:c.sock; server unix:d.sock;",
            &[],
        ),
        ("one alone", "server unix:a.sock;", &[]),
        (
            "one of them twice",
            "server unix:a.sock; server unix:b.sock; server unix:a.sock weight=2;",
            &[],
        ),
    ]
}
