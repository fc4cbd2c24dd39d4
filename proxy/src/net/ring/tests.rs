//! What sockets of a ring promise, whoever is at their other end. A kernel without rings has nothing
//! to show here: a line says so.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::pin::pin;
use std::task::{Context, Waker};
use std::thread;
use std::time::Duration;

use rand::rngs::SmallRng;
use rand::{Rng, RngExt, SeedableRng};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::join;
use tokio::runtime::{Builder, LocalOptions};
use tokio::task::yield_now;
use tokio::time::timeout;

use super::room::PIECES;
use super::{RingSocket, after_sleep, before_sleep, begin, end};

/// Longer than anything here takes, unless somebody was not woken.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs a story on a thread with a ring.
fn with_ring(story: impl AsyncFnOnce()) {
    let runtime = Builder::new_current_thread()
        .enable_all()
        .on_thread_park(before_sleep)
        .on_thread_unpark(after_sleep)
        .build_local(LocalOptions::default())
        .unwrap();
    runtime.block_on(async {
        match begin() {
            Ok(()) => timeout(PATIENCE, story()).await.expect("somebody was not woken"),
            Err(error) => eprintln!("no ring on this machine: {error}"),
        }
    });
    drop(runtime);
    end();
}

/// A socket of the ring, and the other end, which blocks.
fn pair() -> (RingSocket, UnixStream) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    ours.set_nonblocking(true).unwrap();
    (RingSocket::new(OwnedFd::from(ours)).unwrap(), theirs)
}

/// Two sockets of the ring.
fn both() -> (RingSocket, RingSocket) {
    let (ours, theirs) = pair();
    theirs.set_nonblocking(true).unwrap();
    (ours, RingSocket::new(OwnedFd::from(theirs)).unwrap())
}

fn bytes(seed: u64, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    SmallRng::seed_from_u64(seed).fill_bytes(&mut bytes);
    bytes
}

#[test]
fn all_bytes_come_in_their_order_however_they_are_cut() {
    with_ring(async || {
        for seed in 0..40 {
            let mut random = SmallRng::seed_from_u64(seed);
            let all = bytes(seed, random.random_range(1..3_000_000));
            let (mut ours, mut theirs) = pair();
            let sent = all.clone();
            let sender = thread::spawn(move || {
                let mut random = SmallRng::seed_from_u64(seed);
                let mut rest = &sent[..];
                while !rest.is_empty() {
                    let most = [10, 3000, 200_000][random.random_range(0..3)];
                    let (now, next) = rest.split_at(random.random_range(1..=most).min(rest.len()));
                    theirs.write_all(now).unwrap();
                    rest = next;
                }
            });
            let mut read = Vec::new();
            loop {
                let mut room = vec![0; [1, 100, 5000, 65536][random.random_range(0..4)]];
                match ours.read(&mut room).await.unwrap() {
                    0 => break,
                    n => read.extend_from_slice(&room[..n]),
                }
                if random.random_range(0..8) == 0 {
                    yield_now().await;
                }
            }
            sender.join().unwrap();
            assert!(read == all, "{seed}: {} of {}", read.len(), all.len());
        }
    });
}

#[test]
fn nobody_is_left_asleep() {
    with_ring(async || {
        let (mut ours, mut theirs) = pair();
        const TIMES: usize = 20_000;
        let echo = thread::spawn(move || {
            let mut room = [0; 64];
            for _ in 0..TIMES {
                theirs.read_exact(&mut room).unwrap();
                theirs.write_all(&room).unwrap();
            }
        });
        let mut room = [0; 64];
        for time in 0..TIMES {
            ours.write_all(&[time.to_le_bytes()[0]; 64]).await.unwrap();
            ours.read_exact(&mut room).await.unwrap();
            assert_eq!(room, [time.to_le_bytes()[0]; 64]);
        }
        echo.join().unwrap();
    });
}

#[test]
fn two_of_a_thread_talk_to_each_other() {
    with_ring(async || {
        let (mut ours, mut theirs) = both();
        let all = bytes(1, 10_000_000);
        let sent = all.clone();
        let sender = async move {
            theirs.write_all(&sent).await.unwrap();
            theirs.shutdown().await.unwrap();
            let mut answer = String::new();
            theirs.read_to_string(&mut answer).await.unwrap();
            assert_eq!(answer, "thanks");
        };
        let reader = async move {
            let mut read = Vec::new();
            ours.read_to_end(&mut read).await.unwrap();
            assert!(read == all);
            ours.write_all(b"thanks").await.unwrap();
        };
        join!(sender, reader);
    });
}

#[test]
fn more_than_there_is_room_for_comes_all_the_same() {
    with_ring(async || {
        let pairs: Vec<_> = (0..usize::from(PIECES) + 100).map(|_| pair()).collect();
        let (mut ours, mut theirs): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
        for round in 0..3 {
            for socket in &mut ours {
                let mut cx = Context::from_waker(Waker::noop());
                assert!(pin!(socket.read(&mut [0; 8])).poll(&mut cx).is_pending());
            }
            before_sleep();
            for (number, socket) in (round..).zip(&mut theirs) {
                socket.write_all(&u64::to_le_bytes(number)).unwrap();
            }
            for (number, socket) in (round..).zip(&mut ours) {
                let mut room = [0; 8];
                socket.read_exact(&mut room).await.unwrap();
                assert_eq!(u64::from_le_bytes(room), number);
            }
        }
    });
}

#[test]
fn a_socket_is_closed_in_the_middle_and_its_number_is_another_s() {
    with_ring(async || {
        for _ in 0..200 {
            let (mut ours, mut theirs) = both();
            let number = ours.as_fd().as_raw_fd();
            // It has asked for bytes, and the kernel may not have looked yet.
            let mut room = [0; 8];
            let mut cx = Context::from_waker(Waker::noop());
            let read = pin!(ours.read(&mut room));
            assert!(read.poll(&mut cx).is_pending());
            drop(ours);
            let (mut next, mut others) = pair();
            assert_eq!(next.as_fd().as_raw_fd(), number);
            others.write_all(b"mine").unwrap();
            let mut room = [0; 4];
            next.read_exact(&mut room).await.unwrap();
            assert_eq!(&room, b"mine");
            assert_eq!(theirs.read(&mut room).await.unwrap(), 0);
        }
    });
}

#[test]
fn what_was_taken_and_not_read_is_given_when_it_stops() {
    with_ring(async || {
        for length in [0, 10, 2048, 5000] {
            let (mut ours, mut theirs) = pair();
            theirs.write_all(b"read, ").unwrap();
            let mut room = [0; 6];
            ours.read_exact(&mut room).await.unwrap();
            theirs.write_all(&bytes(2, length)).unwrap();
            before_sleep();
            after_sleep();
            let mut all = ours.stop().unwrap();
            theirs.write_all(b"later").unwrap();
            before_sleep();
            after_sleep();
            drop(theirs);
            // The rest is the system's, for whoever goes on with the socket.
            let mut rest = UnixStream::from(ours.as_fd().try_clone_to_owned().unwrap());
            drop(ours);
            rest.read_to_end(&mut all).unwrap();
            assert_eq!(all, [bytes(2, length), b"later".to_vec()].concat(), "{length}");
        }
    });
}

#[test]
fn who_does_not_read_is_not_sent_for() {
    with_ring(async || {
        let (mut ours, theirs) = pair();
        theirs.set_nonblocking(true).unwrap();
        let mut room = [0; 1];
        let sent = &mut 0;
        let mut send = |theirs: &UnixStream| {
            let piece = [7; 4096];
            while let Ok(n) = (&*theirs).write(&piece) {
                *sent += n;
            }
            *sent
        };
        send(&theirs);
        ours.read_exact(&mut room).await.unwrap();
        let mut before = send(&theirs);
        // What the system takes for it has an end, soon.
        for _ in 0..100 {
            yield_now().await;
            before_sleep();
            after_sleep();
            let now = send(&theirs);
            if now == before {
                break;
            }
            before = now;
        }
        assert!(before < 1_000_000, "{before}");
        theirs.shutdown(Shutdown::Write).unwrap();
        let mut rest = Vec::new();
        ours.read_to_end(&mut rest).await.unwrap();
        assert_eq!(rest.len() + 1, before);
    });
}

#[test]
fn an_end_behind_bytes_that_nobody_reads_is_told() {
    with_ring(async || {
        let (mut ours, mut theirs) = pair();
        theirs.write_all(b"one two").unwrap();
        let mut room = [0; 4];
        ours.read_exact(&mut room).await.unwrap();
        drop(theirs);
        std::future::poll_fn(|cx| ours.poll_end(cx)).await;
        let mut rest = String::new();
        ours.read_to_string(&mut rest).await.unwrap();
        assert_eq!(rest, "two");
    });
}
