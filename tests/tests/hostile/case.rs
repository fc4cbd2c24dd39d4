//! A hostile request: what a client sends, what must come of it, and where that is said.

use std::fmt;
use std::io::{Read, Write};

use crate::lane::Lane;
use crate::recorder::{Reply, Then};
use crate::report::Row;
use crate::seen;

/// Stands behind what is tried: whoever gets it too early, or not at all, took the bytes before it for
/// something else than the front did.
const LAST: &[u8] = b"GET /last HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";

/// One request, or a few on one connection.
pub(crate) struct Case {
    pub(crate) name: String,
    /// The section that says so: of RFC 9112, where no other number is there.
    pub(crate) rfc: &'static str,
    pub(crate) raw: Vec<u8>,
    /// The statuses that the client gets.
    client: String,
    /// The requests that the worker gets whole.
    worker: String,
    /// Field lines that one of them has, and parts of lines that none has.
    pub(crate) has: Vec<&'static str>,
    pub(crate) lacks: Vec<&'static str>,
    /// A line that no answer has.
    pub(crate) spares: Option<&'static str>,
    /// Why nginx does otherwise, where it does.
    pub(crate) why: Option<&'static str>,
    pub(crate) replies: Vec<Reply>,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) client: String,
    pub(crate) worker: String,
    /// What else is wrong.
    pub(crate) wrong: Vec<String>,
}

/// A request that is refused with 400, of which the worker hears nothing, and behind which nothing is
/// read any more.
pub(crate) fn refused(name: impl Into<String>, rfc: &'static str, raw: impl AsRef<[u8]>) -> Case {
    Case::new(name.into(), rfc, raw.as_ref(), "400".to_owned(), String::new())
}

/// A request that the worker gets in these words (a method, a target, and `+` with the length of a
/// body; several with commas between), and is answered; so is the next.
pub(crate) fn passed(
    name: impl Into<String>,
    rfc: &'static str,
    raw: impl AsRef<[u8]>,
    worker: &str,
) -> Case {
    let worker = format!("{worker}, GET /last");
    let client = vec!["200"; worker.split(", ").count()].join(" ");
    Case::new(name.into(), rfc, raw.as_ref(), client, worker)
}

/// A GET of `/` with these lines in its head.
pub(crate) fn get(lines: &str) -> Vec<u8> {
    format!("GET / HTTP/1.1\r\nHost: h\r\n{lines}\r\n\r\n").into()
}

/// A POST to `/` with these lines in its head, and a body.
pub(crate) fn post(lines: &str, body: &str) -> Vec<u8> {
    format!("POST / HTTP/1.1\r\nHost: h\r\n{lines}\r\n\r\n{body}").into()
}

impl Case {
    fn new(name: String, rfc: &'static str, raw: &[u8], client: String, worker: String) -> Self {
        let raw = [raw, LAST].concat();
        let (has, lacks) = (Vec::new(), Vec::new());
        Self {
            name,
            rfc,
            raw,
            client,
            worker,
            has,
            lacks,
            spares: None,
            why: None,
            replies: Vec::new(),
        }
    }

    /// The client gets these statuses, and the worker these requests.
    pub(crate) fn comes_to(mut self, client: &str, worker: &str) -> Self {
        (self.client, self.worker) = (client.to_owned(), worker.to_owned());
        self
    }

    /// It is refused with another status.
    pub(crate) fn with(mut self, status: u16) -> Self {
        self.client = status.to_string();
        self
    }

    /// The worker gets this line.
    pub(crate) fn has(mut self, line: &'static str) -> Self {
        self.has.push(line);
        self
    }

    /// The worker gets nothing like this.
    pub(crate) fn lacks(mut self, part: &'static str) -> Self {
        self.lacks.push(part);
        self
    }

    /// The client gets no line like this.
    pub(crate) fn spares(mut self, line: &'static str) -> Self {
        self.spares = Some(line);
        self
    }

    /// nginx does otherwise, and this is why that is worse.
    pub(crate) fn unlike_nginx(mut self, why: &'static str) -> Self {
        self.why = Some(why);
        self
    }

    /// The worker answers like this.
    pub(crate) fn answered(mut self, reply: Reply) -> Self {
        self.replies.push(reply);
        self
    }

    /// Plays it in a lane, in one piece or in many.
    pub(crate) fn play(&self, lane: &Lane, pieces: bool) -> Outcome {
        lane.worker.reset(self.replies.iter().cloned());
        let switches = self.replies.iter().any(|reply| reply.then == Then::Tunnel);
        let got = if switches { self.tunnel(lane) } else { lane.say(&self.raw, pieces) };
        if got.is_none() || switches {
            lane.worker.close();
        }
        lane.worker.settle();
        let visits = lane.worker.visits();
        let mut wrong = Vec::new();
        for visit in &visits {
            if let Some((come, begin)) = visit.tunnel {
                let early = come - begin;
                if early > 0 {
                    wrong.push(format!("{early} bytes came before the worker's 101"));
                }
                let said = &visit.bytes[begin..];
                if !self.raw.ends_with(said) {
                    wrong.push(format!("the tunnel has {:?}", said.escape_ascii().to_string()));
                }
            }
        }
        let requests: Vec<_> = visits.iter().flat_map(|visit| visit.requests()).collect();
        let lines: Vec<&str> =
            requests.iter().flat_map(|request| &request.lines).map(String::as_str).collect();
        for line in self.has.iter().filter(|line| !lines.contains(line)) {
            wrong.push(format!("the worker did not get {line:?}"));
        }
        for part in &self.lacks {
            let found = lines.iter().filter(|line| line.contains(part));
            wrong.extend(found.map(|line| format!("the worker got {line:?}")));
        }
        let client = match got {
            None => "kept waiting".to_owned(),
            Some(bytes) => {
                let answers = seen::answers(&bytes, self.raw.starts_with(b"HEAD "));
                let mut lines = answers.iter().flat_map(|answer| &answer.lines);
                if lines.any(|line| self.spares.is_some_and(|part| line == part)) {
                    wrong.push(format!("the client got {:?}", self.spares));
                }
                if answers.last().is_some_and(|last| last.status >= 400 && !last.closes()) {
                    wrong.push("the last answer does not say that it closes".to_owned());
                }
                answers.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
            }
        };
        let worker = requests.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        Outcome { client, worker, wrong }
    }

    /// Says all of it, gets one head, and leaves when the worker has got all.
    fn tunnel(&self, lane: &Lane) -> Option<Vec<u8>> {
        let mut client = lane.connect();
        let _gone = client.write_all(&self.raw);
        let mut got = Vec::new();
        while !got.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            client.read_exact(&mut byte).ok()?;
            got.extend(byte);
        }
        lane.worker.wait_for(LAST);
        Some(got)
    }

    /// A row of the table, of which nginx's part is known.
    pub(crate) fn row(&self, nginx: String) -> Row<'_> {
        let must = self.must().to_string();
        Row { name: &self.name, rfc: self.rfc, must, nginx, ours: Vec::new(), why: self.why }
    }

    /// What must come of it.
    pub(crate) fn must(&self) -> Outcome {
        Outcome { client: self.client.clone(), worker: self.worker.clone(), wrong: Vec::new() }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} [{}]", self.client, self.worker)?;
        self.wrong.iter().try_for_each(|wrong| write!(f, "; {wrong}"))
    }
}
