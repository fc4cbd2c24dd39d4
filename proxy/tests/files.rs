//! Files as answers: what parity with nginx cannot compare, because it is large, slow or random.

#![expect(clippy::unwrap_used, reason = "helpers of tests are test code too")]

mod common;

use std::os::unix::fs::symlink;

use common::{House, Says, header};

/// A house that answers every path with a file of `www`.
fn house() -> House {
    let location = "location ~ ^/ { root {dir}/www; }";
    let house = House::saying(Says { location, ..Says::default() });
    std::fs::create_dir(house.path("www")).unwrap();
    house
}

/// Bytes that are not the same anywhere.
fn long(length: usize) -> Vec<u8> {
    (0..length).map(|at| u8::try_from((at * 31 + at / 251) % 256).unwrap()).collect()
}

#[test]
fn a_large_file_arrives_byte_for_byte() {
    let house = house();
    let content = long(3_000_001);
    std::fs::write(house.path("www/large"), &content).unwrap();
    let mut client = house.client();
    client.send("GET /large HTTP/1.1\r\nHost: here\r\n\r\n");
    let head = client.head();
    assert_eq!(header(&head, "content-length"), Some("3000001"));
    assert!(client.exactly(content.len()) == content);
    client.send("GET /large HTTP/1.1\r\nHost: here\r\nRange: bytes=100000-2999999\r\n\r\n");
    let head = client.head();
    assert!(head.starts_with("HTTP/1.1 206 "), "{head}");
    assert!(client.exactly(2_900_000) == content[100_000..3_000_000]);
}

#[test]
fn several_ranges_come_in_parts() {
    let house = house();
    std::fs::write(house.path("www/ten.html"), "0123456789").unwrap();
    let mut client = house.client();
    client.send(
        "GET /ten.html HTTP/1.1\r\nHost: here\r\nConnection: close\r\nRange: bytes=0-1,-3\r\n\r\n",
    );
    let head = client.head();
    let media = header(&head, "content-type").unwrap();
    let boundary = media.strip_prefix("multipart/byteranges; boundary=").unwrap();
    assert!(boundary.len() == 20 && boundary.bytes().all(|byte| byte.is_ascii_digit()), "{head}");
    let part = |range: &str, text: &str| {
        format!(
            "\r\n--{boundary}\r\nContent-Type: text/html\r\nContent-Range: bytes {range}/10\r\n\r\n{text}"
        )
    };
    let expected = part("0-1", "01") + &part("7-9", "789") + &format!("\r\n--{boundary}--\r\n");
    assert_eq!(header(&head, "content-length"), Some(&*expected.len().to_string()));
    assert_eq!(client.rest_text(), expected);
}

#[test]
fn a_reader_that_stops_costs_a_few_pieces() {
    let house = house();
    let file = std::fs::File::create(house.path("www/huge")).unwrap();
    file.set_len(1 << 40).unwrap();
    let clients: Vec<_> = (0..8)
        .map(|_| {
            let mut client = house.client();
            client.send("GET /huge HTTP/1.1\r\nHost: here\r\n\r\n");
            assert_eq!(header(&client.head(), "content-length"), Some("1099511627776"));
            client
        })
        .collect();
    // Another client is served all the while.
    std::fs::write(house.path("www/small"), "small").unwrap();
    assert!(
        house
            .ask("GET /small HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n")
            .contains("small")
    );
    drop(clients);
    house.wait_for_peace();
}

#[test]
fn links_are_followed_and_what_is_no_file_is_not_there() {
    let house = house();
    std::fs::write(house.path("www/file"), "file").unwrap();
    symlink(house.path("www/file"), house.path("www/link")).unwrap();
    symlink("round", house.path("www/round")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(house.path("www/socket")).unwrap();
    for (path, status) in [("link", "200"), ("round", "403"), ("socket", "404")] {
        let request = format!("GET /{path} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n");
        let answer = house.ask(&request);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{path}: {answer}");
    }
}

#[test]
fn a_file_that_shrinks_breaks_its_answer_off() {
    let house = house();
    let file = std::fs::File::create(house.path("www/shrinks")).unwrap();
    file.set_len(50_000_000).unwrap();
    let mut client = house.client();
    client.send("GET /shrinks HTTP/1.1\r\nHost: here\r\n\r\n");
    client.head();
    file.set_len(10).unwrap();
    assert!(client.rest().len() < 50_000_000);
    house.wait_for_error("pread() failed");
}
