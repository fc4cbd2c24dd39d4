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
    // A thread that was just accepting may serve one more client as it was.
    wait_until("a zone of another size is another zone", || statuses(&house, 1) != ["429"]);
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

#[test]
fn an_answer_goes_out_no_faster_than_it_may() {
    const RATE: usize = 256 << 10;
    let location = "limit_rate 256k; limit_rate_after 64k;";
    let house = House::saying(Says { location, ..Says::default() });
    let worker = house.worker("a.sock");
    let mut client = house.client();
    client.send(GET);
    let mut server = worker.accept();
    server.head();
    // A second's worth goes out at once, and what comes before it; the rest takes its time.
    let length = 64 * 1024 + RATE + RATE / 2;
    let start = std::time::Instant::now();
    server.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n"));
    let body: Vec<_> = (0..length).map(|at| u8::try_from(at % 251).unwrap()).collect();
    let sending = std::thread::spawn(move || server.send(body));
    client.head();
    let got = client.exactly(length);
    assert!(start.elapsed() >= std::time::Duration::from_millis(490), "{:?}", start.elapsed());
    assert!(got.iter().enumerate().all(|(at, byte)| usize::from(*byte) == at % 251));
    sending.join().unwrap();
    client.expect_end();
}

#[test]
fn more_fields_and_longer_ones_have_room_where_it_is_made() {
    let http = "max_headers 300; large_client_header_buffers 8 256k;";
    let house = House::saying(says(http));
    let worker = house.worker("a.sock");
    let long = format!("X-Long: {}\r\n", "x".repeat(200 << 10));
    for fields in ["A: b\r\n".repeat(290), long.repeat(6)] {
        let mut client = house.client();
        client.send(GET.replace("\r\n\r\n", &format!("\r\n{fields}\r\n")));
        let (_server, head) = worker.answer(common::OK);
        assert!(head.contains(&fields), "{} bytes", head.len());
        assert!(client.answer().0.starts_with("HTTP/1.1 200 "));
    }
    let head = house.ask(&GET.replace("\r\n\r\n", &format!("\r\n{}\r\n", "A: b\r\n".repeat(299))));
    assert!(head.starts_with("HTTP/1.1 400 "), "{head}");
    house.wait_for_error("client sent too many header lines while reading client request headers");
}
