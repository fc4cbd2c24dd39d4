//! Clients that are a burden: many that say nothing, and some that never read.

use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::dice::Dice;
use crate::frame;
use crate::head::Answer;
use crate::ledger::{Ledger, Pardon};
use crate::run::Scene;

/// Many connect and say nothing.
pub(super) async fn idle(scene: &Scene, dice: &mut Dice) {
    let mut idle = Vec::new();
    for _ in 0..200 + dice.below(300) {
        idle.push(TcpStream::connect((Ipv4Addr::LOCALHOST, scene.stage.port)).await);
    }
    sleep(dice.millis(100, 1000)).await;
}

/// Some have a tunnel, say much and read nothing of it.
pub(super) async fn deaf(scene: &Scene, dice: &mut Dice) {
    let mut deaf = Vec::new();
    for _ in 0..4 + dice.below(8) {
        if let Some(stream) = open(scene).await {
            deaf.push(stream);
        }
    }
    let mut message = Vec::new();
    frame::write(&mut message, true, frame::BINARY, [1, 2, 3, 4], &vec![7; 300_000]);
    for stream in &mut deaf {
        // Until nobody takes any more.
        let shout = async { while stream.write_all(&message).await.is_ok() {} };
        let _full = timeout(Duration::from_millis(150), shout).await;
    }
    sleep(dice.millis(100, 800)).await;
}

async fn open(scene: &Scene) -> Option<TcpStream> {
    let since = std::time::Instant::now();
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, scene.stage.port)).await.ok()?;
    let request = "GET /deaf HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n\
                   Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    let answer = timeout(Duration::from_secs(20), Answer::to(request, &mut stream)).await;
    match answer {
        Ok(Ok(Some(answer))) if answer.is(101) => {
            Ledger::count(&scene.ledger.opened);
            Some(stream)
        }
        other => {
            if scene.ledger.is_pardoned(Pardon::Scarce, since) {
                Ledger::count(&scene.ledger.pardoned);
            } else {
                scene.ledger.broken(format!("a deaf client's handshake: {other:?}"));
            }
            None
        }
    }
}
