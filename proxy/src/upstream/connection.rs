//! One HTTP/1 connection to a server. Nothing is spawned for it: whoever waits for its answer, or
//! for the answer's body, drives it.

use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use http::{Method, StatusCode};
use tokio::io::{AsyncRead, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until, timeout};

use super::answer::Head;
use super::body::ResponseBody;
use super::failure::{Failure, Phase};
use super::pool::Shelf;
use super::request_body::{RequestBody, Sent};
use super::sending::{Outgoing, Sending};
use super::trailers::Trailers;
use crate::net::{Addr, Dialing, Stream, scratch};
use crate::observe::now;

/// How long each step may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    /// To connect (nginx: `proxy_connect_timeout`).
    pub(crate) connect: Duration,
    /// Between two pieces of the request (`proxy_send_timeout`).
    pub(crate) send: Duration,
    /// Between two pieces of the answer (`proxy_read_timeout`).
    pub(crate) read: Duration,
    /// Between two pieces of the client's body (`client_body_timeout`).
    pub(crate) client: Duration,
}

/// A connection to a server, with no request under way.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: Stream,
    since: Instant,
    requests: u64,
}

/// What came of a request.
#[derive(Debug)]
pub(crate) enum Reply {
    /// An answer, its body to be read.
    Answer(Head, Box<ResponseBody>),
    /// 101: the connection is no longer HTTP. What was read behind the head comes with it.
    Switched(Head, Stream, Vec<u8>),
}

/// What an answer is awaited with.
#[derive(Debug)]
pub(crate) struct Answer<'a> {
    /// What the request asks for.
    pub(crate) method: &'a Method,
    /// The largest head, in bytes.
    pub(crate) largest: usize,
    /// Whether it asks for an upgrade, so that 101 is an answer.
    pub(crate) upgrade: bool,
    /// How far the request's body is, when there is one.
    pub(crate) sent: Option<&'a Rc<Sent>>,
    /// Who is told of early hints, if somebody wants to be.
    pub(crate) hints: Option<&'a dyn Hints>,
    /// Whether its trailers are wanted.
    pub(crate) trailers: bool,
    /// How long it may take.
    pub(crate) times: Times,
    /// Where the connection goes afterwards.
    pub(crate) shelf: Shelf,
}

/// Who is told of early hints.
pub(crate) trait Hints: fmt::Debug {
    /// The head of a 103, as it came.
    fn hint(&self, head: &[u8]);
}

impl Connection {
    /// Connects to a server. `written` is its address as the configuration has it.
    ///
    /// # Errors
    /// [`Failure::Connect`] or [`Failure::Timeout`].
    pub(crate) async fn open(
        addr: &Addr,
        written: &str,
        dialing: Dialing,
        limit: Duration,
    ) -> Result<Self, Failure> {
        let failed = |error: io::Error| Failure::Connect(written.into(), error);
        let stream = match timeout(limit, Stream::connect(addr, dialing)).await {
            Ok(stream) => stream.map_err(failed)?,
            Err(_) => return Err(Failure::Timeout(Phase::Connect)),
        };
        Ok(Self { stream, since: now().into(), requests: 0 })
    }

    /// Sends a request and waits for the head of its answer.
    ///
    /// # Errors
    /// The failure, and the request's body when not a byte of the request was sent.
    pub(crate) async fn ask(
        mut self,
        request: Outgoing,
        answer: Answer<'_>,
    ) -> Result<Reply, (Failure, Option<RequestBody>)> {
        self.requests += 1;
        let mut sending = Sending::new(request);
        match self.wait(&mut sending, &answer).await {
            Ok((head, rest)) => self.reply(head, rest, sending, answer).map_err(|e| (e, None)),
            Err(failure) => Err((failure, sending.into_unsent())),
        }
    }

    /// Sends, and reads until the head is whole; what was read behind it comes with it.
    async fn wait(
        &mut self,
        sending: &mut Sending,
        answer: &Answer<'_>,
    ) -> Result<(Head, Vec<u8>), Failure> {
        let mut last = Instant::from_std(now());
        let mut timer = pin!(sleep_until(last + answer.times.read.max(answer.times.send)));
        let mut held = Vec::new();
        poll_fn(|cx| {
            if !sending.is_done()
                && let Poll::Ready(Err(failure)) = sending.poll(&mut self.stream, cx)
            {
                return Poll::Ready(Err(failure));
            }
            match self.poll_head(&mut held, answer, cx) {
                Poll::Ready(head) => Poll::Ready(head),
                Poll::Pending => poll_late(timer.as_mut(), &mut last, answer, cx).map(Err),
            }
        })
        .await
    }

    /// Reads until a head is whole that is no interim one. `held` keeps what is not.
    fn poll_head(
        &mut self,
        held: &mut Vec<u8>,
        answer: &Answer<'_>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(Head, Vec<u8>), Failure>> {
        scratch(|room| {
            loop {
                let read = ready!(self.poll_read(room, Phase::Head, cx))?;
                if read.is_empty() {
                    return Poll::Ready(Err(Failure::Closed(Phase::Head)));
                }
                let found = if held.is_empty() {
                    find_head(read, answer, held)?
                } else {
                    held.extend_from_slice(read);
                    // A server that writes byte by byte is listened to line by line.
                    if !read.contains(&b'\n') && held.len() < answer.largest {
                        continue;
                    }
                    let begun = std::mem::take(held);
                    find_head(&begun, answer, held)?
                };
                if let Some(found) = found {
                    return Poll::Ready(Ok(found));
                }
            }
        })
    }

    /// Reads what is there into `room`; nothing at the end.
    pub(super) fn poll_read<'a>(
        &mut self,
        room: &'a mut [u8],
        phase: Phase,
        cx: &mut Context<'_>,
    ) -> Poll<Result<&'a [u8], Failure>> {
        let mut read = ReadBuf::new(room);
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut read))
            .map_err(|error| Failure::Socket(phase, error))?;
        let length = read.filled().len();
        Poll::Ready(Ok(room.get(..length).unwrap_or_default()))
    }

    /// Goes on with what of the request was not sent before its answer came.
    pub(super) fn poll_send(&mut self, sending: &mut Sending, cx: &mut Context<'_>) {
        // Whatever becomes of it, the answer is there.
        let _ = sending.poll(&mut self.stream, cx);
    }

    fn reply(
        self,
        head: Head,
        rest: Vec<u8>,
        sending: Sending,
        answer: Answer<'_>,
    ) -> Result<Reply, Failure> {
        if head.status != StatusCode::SWITCHING_PROTOCOLS {
            let patience = answer.times.read;
            let trailers = answer.trailers.then(|| Trailers::new(answer.largest));
            let kept = (self, answer.shelf);
            let body = ResponseBody::new(&head, &rest, kept, sending, patience, trailers)?;
            return Ok(Reply::Answer(head, body));
        }
        if !answer.upgrade {
            return Err(Failure::Unasked);
        }
        Ok(Reply::Switched(head, self.stream, rest))
    }

    /// Whether it has carried so many requests, or is so old.
    pub(super) fn is_spent(&self, requests: u64, age: Duration, now: Instant) -> bool {
        self.requests >= requests || now.duration_since(self.since) >= age
    }

    /// Whether it can carry another request: the server has neither closed it nor sent anything
    /// that nobody asked for.
    pub(super) fn is_reusable(&mut self) -> bool {
        let mut cx = Context::from_waker(Waker::noop());
        let mut byte = [0];
        let mut byte = ReadBuf::new(&mut byte);
        Pin::new(&mut self.stream).poll_read(&mut cx, &mut byte).is_pending()
    }
}

/// The first head in `bytes` that is no interim one, and what is behind it. What is not whole yet
/// is put into `held`.
fn find_head(
    bytes: &[u8],
    answer: &Answer<'_>,
    held: &mut Vec<u8>,
) -> Result<Option<(Head, Vec<u8>)>, Failure> {
    let mut bytes = bytes;
    while let Some(head) = Head::parse(bytes, answer.method, answer.largest)? {
        if head.status == StatusCode::EARLY_HINTS
            && let Some(hints) = answer.hints
        {
            hints.hint(bytes.get(..head.length).unwrap_or_default());
        }
        bytes = bytes.get(head.length..).unwrap_or_default();
        if !head.is_interim() {
            return Ok(Some((head, bytes.to_vec())));
        }
        if bytes.is_empty() {
            return Ok(None);
        }
    }
    *held = bytes.to_vec();
    Ok(None)
}

/// Ready with what took too long. The timer is moved on while the body still flows.
fn poll_late(
    mut timer: Pin<&mut Sleep>,
    last: &mut Instant,
    answer: &Answer<'_>,
    cx: &mut Context<'_>,
) -> Poll<Failure> {
    let (failure, limit) = match answer.sent {
        Some(sent) if sent.awaited.get() => (Failure::ClientTimeout, answer.times.client),
        Some(sent) if !sent.ended.get() => (Failure::Timeout(Phase::Send), answer.times.send),
        _ => (Failure::Timeout(Phase::Head), answer.times.read),
    };
    if let Some(sent) = answer.sent {
        *last = sent.last.get();
    }
    let deadline = *last + limit;
    if timer.deadline() != deadline {
        timer.as_mut().reset(deadline);
    }
    timer.poll(cx).map(|()| failure)
}
