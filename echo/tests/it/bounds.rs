//! What a client can cost.

use std::fs;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;
use tokio::process::Command;
use tokio::time::timeout;

use crate::support::*;

/// The memory, in kB, that the worker has for itself. (Of the program's text each of the workers
/// that run at this time has a share, which grows when another one ends.)
fn memory(worker: &Worker) -> usize {
    let rollup = fs::read_to_string(format!("/proc/{}/smaps_rollup", worker.id())).unwrap();
    let line = rollup.lines().find(|line| line.starts_with("Anonymous:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn an_idle_client_costs_less_than_9_kb() {
    let worker = Worker::start(&[]).await;
    let message = frame(FIN | BINARY_FRAME, &[1; 16_000]);
    let mut clients = Vec::new();
    let mut before = 0;
    for i in 0..420 {
        if i == 20 {
            before = memory(&worker); // warm
        }
        let mut stream = worker.raw().await;
        soon(stream.write_all(&message)).await.unwrap();
        assert_eq!(read_frame(&mut stream).await.1.len(), 16_000);
        clients.push(stream);
    }
    let each = (memory(&worker) - before) * 1024 / 400;
    assert!(each < 9 * 1024, "{each} bytes for each idle client");
}

#[tokio::test]
async fn a_client_that_goes_idle_after_a_large_message_gives_its_memory_back() {
    let worker = Worker::start(&[]).await;
    let message = frame(FIN | BINARY_FRAME, &vec![1; 1 << 20]);
    let mut clients = Vec::new();
    for _ in 0..40 {
        let mut stream = worker.raw().await;
        let (mut read, mut write) = stream.split();
        let (sent, answer) = tokio::join!(soon(write.write_all(&message)), read_frame(&mut read));
        sent.unwrap();
        assert_eq!(answer.1.len(), 1 << 20);
        clients.push(stream);
    }
    assert!(memory(&worker) < 16 * 1024, "{} kB for 40 idle clients", memory(&worker));
}

/// Writes for as long as the worker reads; the number of bytes that it took.
async fn flood(stream: &mut UnixStream, bytes: &[u8]) -> usize {
    let mut total = 0;
    // What blocks for this long, while the worker has nothing else to do, is blocked for good.
    while let Ok(written) = timeout(Duration::from_millis(500), stream.write(bytes)).await {
        total += written.unwrap();
        assert!(total < 64 << 20, "it reads on and on");
    }
    total
}

#[tokio::test]
async fn who_floods_and_does_not_read_costs_a_bounded_amount() {
    let worker = Worker::start(&[]).await;
    let pings = frame(PING, b"?").repeat(1000);
    let messages = frame(FIN | TEXT, &[b'x'; 20_000]);
    let large = frame(FIN | BINARY_FRAME, &vec![1; 1 << 20]);
    let before = memory(&worker);
    for sent in [&pings, &messages, &large] {
        let mut stream = worker.raw().await;
        flood(&mut stream, sent).await;
        let used = memory(&worker).saturating_sub(before);
        assert!(used < 8 * 1024, "{used} kB");
    }
}

#[tokio::test]
async fn what_is_announced_and_not_sent_costs_nothing() {
    let worker = Worker::start(&[]).await;
    let before = memory(&worker);
    let mut clients = Vec::new();
    for _ in 0..50 {
        let mut stream = worker.raw().await;
        // The ping behind the first fragment tells that it has been read.
        let sent = [frame(BINARY_FRAME, b"x"), frame(PING, b""), header(CONTINUATION, 1_000_000)];
        soon(stream.write_all(&sent.concat())).await.unwrap();
        assert_eq!(read_frame(&mut stream).await.0, PONG);
        clients.push(stream);
    }
    let used = memory(&worker).saturating_sub(before);
    assert!(used < 4 * 1024, "{used} kB for 50 announcements");
}

/// Processor time used so far, in clock ticks of 10 ms.
fn ticks(worker: &Worker) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{}/stat", worker.id())).unwrap();
    let fields: Vec<_> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

#[tokio::test]
async fn without_descriptors_it_waits_and_does_not_spin() {
    let dir = TempDir::new().unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n 24; exec \"$0\" --unix worker.sock", BINARY]);
    prepare(&mut command, &dir);
    let mut worker = Worker::spawn(command, dir).await;

    let mut clients = Vec::new();
    for _ in 0..40 {
        clients.push(worker.connect().await);
    }
    let line = worker.line().await;
    assert!(line.starts_with("echo: cannot accept for now: Too many open files"), "{line}");

    // The first in the queue is served as soon as there is room: it was not forgotten. The pause
    // makes this take a while, in which a worker that spins would use up the processor.
    let (start, used) = (Instant::now(), ticks(&worker));
    let mut last = clients.pop().unwrap();
    let (upgraded, ()) = tokio::join!(soon(upgrade(&mut last)), async {
        tokio::time::sleep(Duration::from_secs(1)).await; // a stretch to measure, not a condition
        clients.clear();
    });
    let () = upgraded;
    let share = Duration::from_millis((ticks(&worker) - used) * 10).as_secs_f64()
        / start.elapsed().as_secs_f64();
    assert!(share < 0.2, "{share} of a processor");
}
