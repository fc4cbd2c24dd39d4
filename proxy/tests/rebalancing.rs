//! A worker that was killed and is back gets its share of the tunnels again.

mod common;

use common::crowd::{Clients, Ended, Killable, story, until};
use common::{House, Says};

const FOUR: &str = "least_conn; orphan_release 1s; rebalance rate=50/s idle=3s;
                    server unix:{dir}/0.sock; server unix:{dir}/1.sock;
                    server unix:{dir}/2.sock; server unix:{dir}/3.sock;";

#[test]
fn four_hundred_tunnels_are_even_again_after_a_kill_and_then_it_is_quiet() {
    let house = House::saying(Says { threads: 2, upstream: FOUR, ..Says::default() });
    story(async {
        let worker = |number: usize| Killable::start(house.path(&format!("{number}.sock")));
        let mut workers: Vec<_> = (0..4).map(worker).collect();
        let clients = Clients::default();
        clients.come(house.door(), 360, false);
        clients.come(house.door(), 40, true);
        let are =
            |counts: &dyn Fn(&[u32]) -> bool| clients.open() == 400 && counts(&house.active());
        until("all are there", || are(&|active| active == [100; 4])).await;
        assert_eq!(clients.ended(), 0);

        drop(workers.remove(2));
        let elsewhere = |active: &[u32]| active[2] == 0 && active.iter().sum::<u32>() == 400;
        until("all are back elsewhere", || are(&elsewhere)).await;
        assert_eq!(clients.ended(), 100);

        workers.push(worker(2));
        until("the counts are even", || are(&|active| active == [100; 4])).await;
        // As many as were too many, none of those that talk.
        let moved = clients.seen(|seen| seen.ended.split_at(100).1.to_vec());
        assert_eq!(moved, vec![(Ended::Closed(1012), false); 100]);
        clients.seen(|seen| assert_eq!(seen.failures, Vec::<String>::new()));
    });
    house.wait_for_error("100 connections of upstream \"workers\" are to move");
    let told = house.log("error.log").matches("the servers are being rebalanced").count();
    assert_eq!(told, 100);
}
