//! Another binary takes over under Supervisor while two thousand clients talk, and another
//! configuration after each, and none of them notices.
#![allow(clippy::unwrap_used, reason = "helpers of tests are test code too")]

use std::fmt::Display;
use std::net::Ipv4Addr;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU64, AtomicUsize};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::{SinkExt as _, StreamExt as _};
use tests::front::Front;
use tests::guide::{Guide, Setup, Worker};
use tests::process::{PATIENCE, wait_until};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{Error, Message};

/// How many tunnels there are; one in so many carries large messages.
const TUNNELS: usize = 2000;
const LARGE: usize = 100;

/// What the clients have seen.
#[derive(Debug, Default)]
struct Seen {
    connected: AtomicUsize,
    messages: AtomicU64,
    /// The longest time that an echo took, in microseconds.
    slowest: AtomicU64,
    failures: Mutex<Vec<String>>,
}

/// Says numbered messages until it is told to stop, and wants each of them back, and then the close.
async fn talk(
    port: u16,
    number: usize,
    stop: watch::Receiver<bool>,
    seen: &Seen,
) -> Result<(), String> {
    let failed = |what: &str, error: &dyn Display| format!("client {number}: {what}: {error}");
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await;
    let stream = stream.map_err(|error| failed("connect", &error))?;
    let opened = tokio_tungstenite::client_async("ws://localhost/", stream).await;
    let (mut socket, _) = opened.map_err(|error| failed("handshake", &error))?;
    seen.connected.fetch_add(1, Relaxed);
    let length = if number.is_multiple_of(LARGE) { 1_000_000 } else { 32 };
    for message in 0_u64.. {
        if *stop.borrow() {
            break;
        }
        let text = format!("{number}/{message}/").repeat(length / 8);
        let start = Instant::now();
        let said = socket.send(Message::text(text.clone())).await;
        said.map_err(|error| failed("send", &error))?;
        match timeout(PATIENCE, hear(&mut socket)).await {
            Ok(Some(Ok(Message::Text(echo)))) if echo.as_str() == text => {}
            other => return Err(format!("client {number}, message {message}: {other:?}")),
        }
        let took = u64::try_from(start.elapsed().as_micros()).unwrap();
        seen.slowest.fetch_max(took, Relaxed);
        seen.messages.fetch_add(1, Relaxed);
        // Each at a pace of its own.
        let pause = Duration::from_millis(
            200 + (u64::try_from(number).unwrap() * 7919 + message * 104_729) % 1500,
        );
        let _stopped = timeout(pause, stop.clone().changed()).await;
    }
    socket.close(None).await.map_err(|error| failed("close", &error))?;
    match timeout(PATIENCE, hear(&mut socket)).await {
        Ok(None | Some(Ok(Message::Close(_)))) => Ok(()),
        other => Err(format!("client {number}: close: {other:?}")),
    }
}

/// What is said next. A worker's pings are answered and not told: it sends one every 20 seconds.
async fn hear(socket: &mut WebSocketStream<TcpStream>) -> Option<Result<Message, Error>> {
    loop {
        match socket.next().await {
            Some(Ok(Message::Ping(_))) => {}
            said => return said,
        }
    }
}

/// Runs a story beside the clients, in which it finds what they have seen; then they close.
fn beside_clients(port: u16, story: impl FnOnce(&Seen)) -> Arc<Seen> {
    let runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = { runtime }.worker_threads(1).enable_all().build().unwrap();
    let seen = Arc::<Seen>::default();
    let (end, stop) = watch::channel(false);
    let mut clients = JoinSet::new();
    for number in 0..TUNNELS {
        let (stop, seen) = (stop.clone(), seen.clone());
        let client = async move {
            if let Err(failure) = talk(port, number, stop, &seen).await {
                seen.failures.lock().unwrap().push(failure);
            }
        };
        clients.spawn_on(client, runtime.handle());
    }
    story(&seen);
    end.send_replace(true);
    runtime.block_on(clients.join_all());
    seen
}

fn changes(guide: &Guide) -> usize {
    guide.front_log().matches("binary changed: 2000 tunnels").count()
}

fn reloads(guide: &Guide) -> usize {
    guide.front_log().matches("reconfigured").count()
}

#[test]
fn two_thousand_tunnels_go_on_over_three_upgrades_and_reloads() {
    let guide = Setup::new(Front::Proxy, Worker::Echo).threads(2).start();
    let pid = guide.supervisorctl(&["pid", "proxy"]);
    let quarter = [TUNNELS / 4; 4];
    let seen = beside_clients(guide.port(), |seen| {
        wait_until("all are connected", 4 * PATIENCE, || {
            seen.connected.load(Relaxed) == TUNNELS || !seen.failures.lock().unwrap().is_empty()
        });
        guide.wait_for_connections(quarter);
        for upgrade in 1..=3 {
            guide.supervisorctl(&["signal", "USR2", "proxy"]);
            wait_until("the binary is changed", 2 * PATIENCE, || changes(&guide) == upgrade);
            guide.supervisorctl(&["signal", "HUP", "proxy"]);
            wait_until("the configuration is", 2 * PATIENCE, || reloads(&guide) == upgrade);
            // And all of them have talked through the new ones.
            let before = seen.messages.load(Relaxed);
            let enough = before + 2 * u64::try_from(TUNNELS).unwrap();
            wait_until("they go on", 4 * PATIENCE, || seen.messages.load(Relaxed) > enough);
            assert_eq!(guide.connections(), quarter);
        }
    });
    assert_eq!(*seen.failures.lock().unwrap(), [""; 0], "{}", guide.front_log());
    assert_eq!(guide.supervisorctl(&["pid", "proxy"]), pid);
    let log = guide.front_log();
    let told: Vec<_> = log.lines().filter(|line| line.contains("binary changed")).collect();
    let (messages, slowest) = (seen.messages.load(Relaxed), seen.slowest.load(Relaxed));
    println!("{}\n{messages} messages, the slowest took {slowest} us", told.join("\n"));
    // Nothing is counted any more, so the next ones are shared out evenly.
    guide.wait_for_connections([0; 4]);
    let _held = guide.hold(8);
    guide.wait_for_connections([2; 4]);
}
