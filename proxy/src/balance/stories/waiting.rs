//! The line of those that wait for a peer: first come, first served.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Poll, Wake, Waker};

use super::*;

/// Counts how often it was woken.
#[derive(Default)]
struct Bell(AtomicUsize);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

struct Waiting {
    turn: Turn<Address>,
    bell: Arc<Bell>,
}

impl Waiting {
    fn at(upstream: &Upstream<Address>) -> Self {
        Self { turn: upstream.queue(10).unwrap(), bell: Arc::default() }
    }

    fn poll(&mut self) -> Poll<Lease<Address>> {
        let waker = Waker::from(self.bell.clone());
        self.turn.poll(&mut Tried::default(), Instant::now(), &waker)
    }

    fn rings(&self) -> usize {
        self.bell.0.load(SeqCst)
    }
}

fn of_one() -> Upstream<Address> {
    upstream(LEAST_CONN, vec![PeerSettings { max_conns: 1, ..peer("a") }])
}

#[test]
fn a_place_that_is_given_back_goes_to_the_first_of_the_line() {
    let upstream = of_one();
    let held = pick(&upstream, Instant::now()).unwrap();
    let (mut first, mut second) = (Waiting::at(&upstream), Waiting::at(&upstream));
    assert!(upstream.is_awaited());
    assert!(second.poll().is_pending() && first.poll().is_pending());
    drop(held);
    assert_eq!((first.rings(), second.rings()), (1, 0));
    assert!(second.poll().is_pending(), "it is not its turn");
    let Poll::Ready(lease) = first.poll() else { panic!("it was its turn") };
    drop(first);
    assert_eq!(second.rings(), 1, "the next one looks as well");
    assert!(second.poll().is_pending());
    drop(lease);
    assert_eq!(second.rings(), 2);
    assert!(second.poll().is_ready());
    drop(second);
    assert!(!upstream.is_awaited());
}

#[test]
fn who_gives_up_lets_the_next_one_look() {
    let upstream = of_one();
    let held = pick(&upstream, Instant::now()).unwrap();
    let (mut first, mut second) = (Waiting::at(&upstream), Waiting::at(&upstream));
    assert!(first.poll().is_pending() && second.poll().is_pending());
    drop(held);
    drop(first);
    assert_eq!(second.rings(), 1);
    assert!(second.poll().is_ready());
}

#[test]
fn a_line_has_an_end() {
    let upstream = of_one();
    let first = upstream.queue(1);
    assert!(first.is_some() && upstream.queue(1).is_none());
    drop(first);
    assert!(upstream.queue(1).is_some());
}

#[test]
fn a_tunnel_of_an_earlier_generation_frees_a_place_too() {
    let zone = Zone::new();
    let one = || vec![PeerSettings { max_conns: 1, ..peer("a") }];
    let old = Upstream::new(&zone, "websocket", LEAST_CONN, one());
    let held = pick(&old, Instant::now()).unwrap().into_held();
    let new = Upstream::new(&zone, "websocket", LEAST_CONN, one());
    drop(old);
    let mut waiting = Waiting::at(&new);
    assert!(waiting.poll().is_pending());
    drop(held);
    assert_eq!(waiting.rings(), 1);
    assert!(waiting.poll().is_ready());
}

#[test]
fn waiting_makes_no_sense_where_all_were_tried() {
    let upstream = upstream(LEAST_CONN, vec![peer("a"), PeerSettings { down: true, ..peer("b") }]);
    let mut tried = Tried::default();
    assert!(upstream.has_untried(&tried));
    drop(upstream.pick(&mut tried, Instant::now()));
    assert!(!upstream.has_untried(&tried));
}

#[test]
fn who_waits_follows_when_there_are_other_peers() {
    let zone = Zone::new();
    let one = |address| PeerSettings { max_conns: 1, ..peer(address) };
    let old = Upstream::new(&zone, "websocket", LEAST_CONN, vec![one("a")]);
    let _held = pick(&old, Instant::now()).unwrap();
    let (mut first, mut second) = (Waiting::at(&old), Waiting::at(&old));
    assert!(first.poll().is_pending() && second.poll().is_pending());
    let new = Upstream::new(&zone, "websocket", LEAST_CONN, vec![one("a"), one("b")]);
    old.wake();
    assert_eq!((first.rings(), second.rings()), (1, 1));
    [&mut first, &mut second].into_iter().for_each(|waiting| waiting.turn.follow(&new));
    assert!(second.poll().is_pending(), "it is still the second");
    let Poll::Ready(lease) = first.poll() else { panic!("there is room at the new one") };
    assert_eq!(*lease.address(), "b");
    drop(first);
    assert!(second.poll().is_pending());
    drop(lease);
    assert!(second.poll().is_ready());
}
