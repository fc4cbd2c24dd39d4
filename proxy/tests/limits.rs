//! Limits count for all threads, and over reloads.

mod common;

use common::{House, Says, wait_until};

/// A refusal is 429; what is let in is refused by a server that is not there.
const GET: &str = "GET / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n";

fn says(http: &str) -> Says<'_> {
    Says { threads: 4, http, ..Says::default() }
}

fn statuses(house: &House, number: usize) -> Vec<String> {
    let ask = |_| house.ask(GET).get(9..12).unwrap_or_default().to_owned();
    (0..number).map(ask).collect()
}

#[test]
fn all_threads_fill_one_bucket_and_a_reload_goes_on_with_it() {
    let http = "limit_req_zone $uri zone=one:1m rate=1r/m; limit_req_status 429; \
                limit_req zone=one burst=7 nodelay;";
    let house = House::saying(says(http));
    let (passed, refused): (Vec<_>, Vec<_>) =
        statuses(&house, 30).into_iter().partition(|status| status != "429");
    assert_eq!((passed.len(), refused.len()), (8, 22));
    house.reload(says(http));
    assert_eq!(statuses(&house, 2), ["429", "429"]);

    let other = http.replace("$uri", "$host");
    let problem = house.try_reload(says(&other)).unwrap_err().to_string();
    assert_eq!(
        problem,
        "limit_req \"one\" uses the \"$host\" key while previously it used the \"$uri\" key"
    );
    assert_eq!(statuses(&house, 1), ["429"]);
    house.reload(says(&other.replace("1m", "2m")));
    assert_ne!(statuses(&house, 1), ["429"], "a zone of another size is another zone");
}

#[test]
fn a_tunnel_counts_as_long_as_it_lives_whatever_is_loaded() {
    let http = "limit_conn_zone $binary_remote_addr zone=few:1m; limit_conn_status 429; \
                limit_conn few 2;";
    let house = House::saying(says(http));
    let worker = house.worker("a.sock");
    let first = house.tunnel(&worker);
    let second = house.tunnel(&worker);
    assert_eq!(statuses(&house, 2), ["429", "429"]);
    house.reload(says(http));
    assert_eq!(statuses(&house, 1), ["429"]);
    drop(first);
    wait_until("there is room for one", || house.active() == [1]);
    let third = house.tunnel(&worker);
    assert_eq!(statuses(&house, 1), ["429"]);
    drop((second, third));
}
