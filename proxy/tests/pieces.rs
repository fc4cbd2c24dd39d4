//! Answers as they may come over a socket: in pieces, with surplus, with framing that is none.
#![expect(clippy::unwrap_used, reason = "a helper of tests, which stops at what is unexpected")]

mod common;

use common::{GET, House, OK, header};

/// Takes a request on a new connection and answers it piece by piece, each as small as said.
fn answer_in_pieces(answer: &str, size: usize) -> (String, String) {
    let house = House::new();
    let worker = house.worker("a.sock");
    let mut client = house.client();
    client.send(GET);
    let mut server = worker.accept();
    server.head();
    for piece in answer.as_bytes().chunks(size) {
        server.send(piece);
    }
    let head = client.head();
    let body = match header(&head, "Transfer-Encoding") {
        Some(_) => {
            let mut all = String::new();
            loop {
                let size = client.until(b"\r\n");
                let length = usize::from_str_radix(size.trim(), 16).unwrap();
                all.push_str(std::str::from_utf8(&client.exactly(length)).unwrap());
                client.expect("\r\n");
                if length == 0 {
                    break all;
                }
            }
        }
        None => {
            let length = header(&head, "Content-Length").unwrap().parse().unwrap();
            String::from_utf8(client.exactly(length)).unwrap()
        }
    };
    // The connection to the server is as good as before, whatever the pieces were.
    client.send(GET);
    server.head();
    server.send(OK);
    assert_eq!(client.answer().1, "ok");
    (head, body)
}

#[test]
fn pieces_make_no_difference_to_an_answer() {
    let counted = "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n\
         HTTP/1.1 200 Fine\r\nX-Real-IP: 1\r\ncontent-length: 10\r\n\r\n0123456789";
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n\
         3;x=y\r\n012\r\n00000007\r\n3456789\r\n0\r\nTrailer: z\r\n\r\n";
    for answer in [counted, chunked] {
        let (whole, body) = answer_in_pieces(answer, answer.len());
        assert_eq!(body, "0123456789");
        for size in [1, 2, 7, 40] {
            let (head, body) = answer_in_pieces(answer, size);
            let even = |head: &str| head.lines().filter(|l| !l.starts_with("Date")).count();
            assert_eq!((even(&head), &*body), (even(&whole), "0123456789"), "{answer:?} by {size}");
        }
    }
    let (head, _) = answer_in_pieces(counted, 3);
    assert!(head.starts_with("HTTP/1.1 200 Fine\r\n"), "{head}");
    assert!(head.contains("\r\nX-Real-IP: 1\r\n"), "{head}");
}

#[test]
fn what_comes_behind_an_answer_is_nobodys() {
    let house = House::new();
    let worker = house.worker("a.sock");
    for surplus in ["HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", "x"] {
        let mut client = house.client();
        client.send(GET);
        // With the answer, in one piece.
        let (mut server, _) = worker.answer(&format!("{OK}{surplus}"));
        assert_eq!(client.answer().1, "ok");
        server.expect_end();
        client.send(GET);
        // After it, while the connection is idle.
        let (mut server, _) = worker.answer(OK);
        assert_eq!(client.answer().1, "ok");
        server.try_send(surplus);
        client.send(GET);
        let (mut next, _) = worker.answer(OK);
        assert_eq!(client.answer().1, "ok");
        server.expect_end();
        drop(client);
        next.send("x");
        next.expect_end();
    }
}

#[test]
fn an_answer_that_says_two_lengths_is_a_bad_gateway() {
    for fields in [
        "Content-Length: 2\r\nContent-Length: 3\r\n",
        "Content-Length: 2, 2\r\n",
        "Content-Length: -2\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
    ] {
        let house = House::new();
        let worker = house.worker("a.sock");
        let mut client = house.client();
        client.send(GET);
        let (mut server, _) = worker.answer(&format!("HTTP/1.1 200 OK\r\n{fields}\r\nok"));
        let head = client.head();
        assert!(head.starts_with("HTTP/1.1 502 "), "{fields:?}: {head}");
        server.expect_end();
    }
}

#[test]
fn chunks_that_are_none_break_the_answer_off() {
    let house = House::new();
    let worker = house.worker("a.sock");
    let mut client = house.client();
    client.send(GET);
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let (mut server, _) = worker.answer(&format!("{head}3\r\nabc\r\n"));
    client.head();
    client.expect("3\r\nabc\r\n");
    server.send("no chunk\r\n");
    // No last chunk: the client sees that it is not whole.
    assert!(client.rest().is_empty());
    server.expect_end();
    house.wait_for_error("upstream sent invalid chunked response");
}
