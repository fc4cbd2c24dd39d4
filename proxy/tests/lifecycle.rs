//! Ending, reloading, and living beside another one.

mod common;

use common::close::expect_closes;
use common::{GET, House, OK, SWITCH, Says, UPGRADE, wait_until};
use proxy::Config;

#[test]
fn quit_finishes_requests_and_tunnels_and_closes_the_rest() {
    let house = House::new();
    let worker = house.worker("a.sock");
    let (mut client, mut server) = house.tunnel(&worker);
    let mut idle = house.client();
    idle.send(GET);
    let (mut kept, _) = worker.answer(OK);
    idle.answer();
    let mut busy = house.client();
    busy.send(GET);
    kept.head();
    house.proxy.quit();
    idle.expect_end();
    wait_until("nobody listens", || house.try_client().is_err());
    kept.send(OK);
    let (head, body) = busy.answer();
    assert_eq!((common::header(&head, "connection"), &*body), (Some("close"), "ok"));
    busy.expect_end();
    client.send("still");
    server.expect("still");
    server.send("here");
    client.expect("here");
    drop(client);
    server.expect_end();
    drop(server);
    house.wait_for_end();
    house.wait_for_peace();
}

#[test]
fn what_is_ending_takes_no_new_configuration() {
    let house = House::new();
    let worker = house.worker("a.sock");
    let (_client, _server) = house.tunnel(&worker);
    house.proxy.quit();
    let config = Config::balancer(&["127.0.0.1:0"], &["unix:a.sock"]).unwrap();
    let refused = house.proxy.reload(&config).unwrap_err();
    assert!(refused.to_string().contains("ending"), "{refused}");
    assert!(house.proxy.listening().is_empty(), "nobody would accept there");
}

#[test]
fn stop_ends_all_at_once() {
    let house = House::new();
    let worker = house.worker("a.sock");
    let (mut client, mut server) = house.tunnel(&worker);
    let mut busy = house.client();
    busy.send(GET);
    let mut asked = worker.accept();
    asked.head();
    house.proxy.stop();
    expect_closes((&mut client, &mut server), 1001);
    house.wait_for_end();
    busy.expect_end();
    asked.expect_end();
    assert!(house.try_client().is_err());
    house.wait_for_peace();
}

#[test]
fn stop_does_not_wait_for_what_quit_waits_for() {
    let house = House::new();
    let worker = house.worker("a.sock");
    let (mut client, mut server) = house.tunnel(&worker);
    house.proxy.quit();
    house.proxy.stop();
    expect_closes((&mut client, &mut server), 1001);
    house.wait_for_end();
}

#[test]
fn worker_shutdown_timeout_bounds_a_quit() {
    let house = House::saying(Says { main: "worker_shutdown_timeout 200ms;", ..Says::default() });
    let worker = house.worker("a.sock");
    let (mut client, mut server) = house.tunnel(&worker);
    house.proxy.quit();
    expect_closes((&mut client, &mut server), 1001);
    house.wait_for_end();
}

#[test]
fn a_dropped_proxy_is_gone() {
    let house = House::new();
    let worker = house.worker("a.sock");
    let (mut client, mut server) = house.tunnel(&worker);
    house.end();
    assert!(client.rest().starts_with(b"\x88"));
    assert!(server.rest().starts_with(b"\x88"));
}

#[test]
fn a_reload_keeps_tunnels_and_counts_and_closes_idle_connections() {
    let house = House::new();
    let worker = house.worker("a.sock");
    let (mut client, mut server) = house.tunnel(&worker);
    let mut idle = house.client();
    idle.send(GET);
    let (mut kept, _) = worker.answer(OK);
    idle.answer();
    let mut busy = house.client();
    busy.send(GET);
    kept.head();
    let mut silent = house.client();
    // It is accepted, so it belongs to the old configuration.
    wait_until("all are accepted", || house.proxy.counts().connections == 4);
    house.reload(Says { location: "proxy_set_header X-Generation 2;", ..Says::default() });
    assert_eq!((house.active(), house.proxy.counts().tunnels), (vec![2], 1));
    idle.expect_end();
    kept.send(OK);
    assert_eq!(busy.answer().1, "ok");
    busy.expect_end();
    // A connection that has asked nothing yet loses nothing by the reload.
    silent.send(UPGRADE);
    // The old configuration's kept connection carries it.
    kept.head();
    kept.send(SWITCH);
    assert!(silent.head().starts_with("HTTP/1.1 101 "));
    silent.send("x");
    kept.expect("x");
    client.send("through");
    server.expect("through");
    let mut new = house.client();
    new.send(GET);
    let (_kept, head) = worker.answer(OK);
    assert_eq!(common::header(&head, "x-generation"), Some("2"));
    assert_eq!(new.answer().1, "ok");
    assert_eq!(house.active(), [2]);
    drop((client, server, silent, kept, new));
    house.wait_for_peace();
}

#[test]
fn what_is_kept_for_a_retired_configuration_is_not_kept_for_long() {
    let house = House::new();
    let worker = house.worker("a.sock");
    let mut client = house.client();
    client.send(GET);
    let (mut kept, _) = worker.answer(OK);
    client.answer();
    house.reload(Says { location: "proxy_set_header X-Generation 2;", ..Says::default() });
    // `keepalive_timeout` of the upstream would be a minute.
    kept.expect_end();
    house.wait_for_peace();
}

#[test]
fn a_listening_unix_socket_is_open_to_everybody() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("l.sock");
    let shown = path.display();
    let text = format!("events {{}} http {{ server {{ listen unix:{shown}; }} }}");
    let proxy = proxy::Proxy::start(&Config::from_text(text).unwrap()).unwrap();
    let mode = std::os::unix::fs::MetadataExt::mode(&path.metadata().unwrap());
    assert_eq!(mode & 0o777, 0o666);
    proxy.reload(&Config::from_text("events {}").unwrap()).unwrap();
    wait_until("the file is gone", || !path.exists());
}

#[test]
fn a_reload_that_fails_changes_nothing() {
    let house = House::new();
    let worker = house.worker("a.sock");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let text = format!("events {{}} http {{ server {{ listen 127.0.0.1:{port}; }} }}");
    let error = house.proxy.reload(&Config::from_text(text).unwrap()).unwrap_err().to_string();
    assert_eq!(error, format!("bind() to 127.0.0.1:{port} failed (98: Address already in use)"));
    let (_client, _server) = house.tunnel(&worker);
    assert_eq!(house.active(), [1]);
}

#[test]
fn two_proxies_in_one_process_know_nothing_of_each_other() {
    let (one, two) = (House::new(), House::new());
    let (first, second) = (one.worker("a.sock"), two.worker("a.sock"));
    let (mut client, mut server) = one.tunnel(&first);
    let _other = two.tunnel(&second);
    two.end();
    client.send("alive");
    server.expect("alive");
    assert_eq!((one.active(), one.proxy.counts().connections), (vec![1], 1));
}
