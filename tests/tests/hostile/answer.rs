//! A hostile answer: what a worker sends, what must come of it, and where that is said.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::lane::{Lane, to_end};
use crate::recorder::{Reply, Then};
use crate::report::Row;
use crate::seen;

/// What the worker sends to the request behind the one that is tried.
const NEXT: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnext";

/// One answer, and the request behind it.
pub(crate) struct Answer {
    pub(crate) name: String,
    /// The section that says so: of RFC 9112, where no other number is there.
    pub(crate) rfc: &'static str,
    /// What is asked.
    method: &'static str,
    bytes: Vec<u8>,
    /// What comes when the client has got the answer's head, or all of it.
    later: Option<(Moment, Vec<u8>)>,
    then: Then,
    /// What the client sends behind its head: at once, and when it has the answer.
    body: [&'static str; 2],
    pub(crate) must: String,
    /// Whether it makes no difference in how many pieces it comes: what is wrong is in its head.
    pub(crate) splits: bool,
    /// Why nginx does otherwise, where it does.
    pub(crate) why: Option<&'static str>,
}

/// When the worker goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    Head,
    End,
}

/// An answer that is none: the client gets 502, and the next request another connection.
pub(crate) fn broken(
    name: impl Into<String>,
    rfc: &'static str,
    bytes: impl AsRef<[u8]>,
) -> Answer {
    Answer::new(name.into(), rfc, bytes.as_ref(), "502; next anew".to_owned())
}

/// An answer that the client gets with this status and body; its connection is kept.
pub(crate) fn kept(
    name: impl Into<String>,
    rfc: &'static str,
    bytes: impl AsRef<[u8]>,
    client: &str,
) -> Answer {
    Answer::new(name.into(), rfc, bytes.as_ref(), format!("{client}; next kept"))
}

/// An answer that the client gets with this status and body; its connection is not used again.
pub(crate) fn dropped(
    name: impl Into<String>,
    rfc: &'static str,
    bytes: impl AsRef<[u8]>,
    client: &str,
) -> Answer {
    Answer::new(name.into(), rfc, bytes.as_ref(), format!("{client}; next anew"))
}

impl Answer {
    fn new(name: String, rfc: &'static str, bytes: &[u8], must: String) -> Self {
        let (bytes, then) = (bytes.to_vec(), Then::Listen);
        let (later, body, why) = (None, ["", ""], None);
        Self { name, rfc, method: "GET", bytes, later, then, body, must, splits: false, why }
    }

    /// It answers another method.
    pub(crate) fn to(mut self, method: &'static str) -> Self {
        self.method = method;
        self
    }

    /// It answers a POST of which these are the two halves, when the first has come.
    pub(crate) fn amid(mut self, body: [&'static str; 2]) -> Self {
        (self.method, self.body, self.then) = ("POST", body, Then::Early);
        self
    }

    /// The worker closes behind it.
    pub(crate) fn closes(mut self) -> Self {
        self.then = Then::Close;
        self
    }

    /// The worker sends this when the client has got the head.
    pub(crate) fn behind_the_head(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.later = Some((Moment::Head, bytes.as_ref().to_vec()));
        self
    }

    /// The worker sends this when the client has got the answer.
    pub(crate) fn behind_the_end(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.later = Some((Moment::End, bytes.as_ref().to_vec()));
        self
    }

    /// Where nginx does otherwise, this is why, if nothing else was said.
    pub(crate) fn where_nginx_differs(mut self, why: &'static str) -> Self {
        self.why.get_or_insert(why);
        self
    }

    /// It comes to the same in any pieces.
    pub(crate) fn splits(mut self) -> Self {
        self.splits = true;
        self
    }

    /// A row of the table, of which nginx's part is known.
    pub(crate) fn row(&self, nginx: String) -> Row<'_> {
        let (name, must) = (&self.name, self.must.clone());
        Row { name, rfc: self.rfc, must, nginx, ours: Vec::new(), why: self.why }
    }

    /// Plays it in a lane, and says what the client got, and whether the next request went over the
    /// same connection.
    pub(crate) fn play(&self, lane: &Lane, pieces: bool) -> String {
        let next = Reply::new(NEXT, Then::Listen);
        lane.worker.reset([Reply { pieces, ..Reply::new(&self.bytes, self.then) }, next]);
        let mut client = lane.connect();
        let [begin, end] = self.body;
        let length = match begin.len() + end.len() {
            0 => String::new(),
            length => format!("Content-Length: {length}\r\n"),
        };
        let asks = format!("{} /case HTTP/1.1\r\nHost: h\r\n{length}\r\n{begin}", self.method);
        let _gone = client.write_all(asks.as_bytes());
        let mut got = Vec::new();
        if let Some((moment, bytes)) = &self.later {
            read(&mut client, &mut got, |got| match moment {
                Moment::Head => got.windows(4).any(|bytes| bytes == b"\r\n\r\n"),
                Moment::End => is_whole(got, self.method),
            });
            lane.worker.send(bytes);
        }
        let open = read(&mut client, &mut got, |got| is_whole(got, self.method));
        let _gone = client.write_all(end.as_bytes());
        let open = open && end.is_empty();
        let first = match seen::answers(&got, self.method == "HEAD").first() {
            None => "cut".to_owned(),
            Some(first) if first.status >= 500 => first.to_string(),
            Some(first) if first.whole => {
                format!("{first} {}", String::from_utf8_lossy(&first.body)).trim_end().to_owned()
            }
            Some(first) => first.to_string(),
        };
        if !open {
            client = lane.connect();
        }
        let asks = "GET /next HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
        let _gone = client.write_all(asks.as_bytes());
        let second = to_end(&mut client);
        lane.worker.close();
        let visits = lane.worker.visits();
        let way = if visits.len() == 1 { "kept" } else { "anew" };
        let second = second.unwrap_or_default();
        let answers = seen::answers(&second, false);
        match answers.as_slice() {
            [next] if next.status == 200 && next.body == b"next" => format!("{first}; next {way}"),
            _ => format!("{first}; next {way}: {:?}", String::from_utf8_lossy(&second)),
        }
    }
}

fn is_whole(got: &[u8], method: &str) -> bool {
    seen::answers(got, method == "HEAD").first().is_some_and(|first| first.whole)
}

/// Reads until this is there; false when the connection has ended before, or at once behind it.
fn read(client: &mut TcpStream, got: &mut Vec<u8>, enough: impl Fn(&[u8]) -> bool) -> bool {
    let mut piece = [0; 16 * 1024];
    while !enough(got) {
        match client.read(&mut piece) {
            Ok(length @ 1..) => got.extend_from_slice(&piece[..length]),
            _ => return false,
        }
    }
    !seen::answers(got, false).first().is_some_and(seen::Answer::closes)
}
