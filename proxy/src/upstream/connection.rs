//! One HTTP/1 connection to a server. Nothing is spawned for it: whoever waits for its answer, or
//! for the answer's body, drives it.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::time::{Instant, Sleep, sleep_until, timeout};

use super::body::ResponseBody;
use super::failure::{Failure, Phase};
use super::pool::Shelf;
use super::request_body::{RequestBody, Sent};
use super::spelling::{Names, Spelled, Speller};
use crate::net::{Addr, Stream};

/// The largest head of an answer, in bytes; a larger one is a 502. nginx draws this line at
/// `proxy_buffer_size`, 4 or 8 kB, which is where "upstream sent too big header" comes from.
const LARGEST_HEAD: usize = 64 * 1024;

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

/// A connection to a server, with no request under way. It is moved about a lot, so it is a box.
#[derive(Debug)]
pub(crate) struct Connection(Box<Parts>);

#[derive(Debug)]
struct Parts {
    sender: http1::SendRequest<RequestBody>,
    driver: http1::Connection<TokioIo<Spelled>, RequestBody>,
    speller: Speller,
    since: Instant,
    requests: u64,
}

/// What came of a request.
#[derive(Debug)]
pub(crate) enum Reply {
    /// An answer, its body to be read.
    Answer(Response<ResponseBody>),
    /// 101: the connection is no longer HTTP.
    Switched(Response<()>, Stream, Vec<u8>),
}

/// What an answer is awaited with.
#[derive(Debug)]
pub(crate) struct Answer<'a> {
    /// Whether the request asks for an upgrade, so that 101 is an answer.
    pub(crate) upgrade: bool,
    /// How the request's field names are spelled.
    pub(crate) names: &'a Names,
    /// How far the request's body is, when there is one.
    pub(crate) sent: Option<&'a Rc<Sent>>,
    /// How long it may take.
    pub(crate) times: Times,
    /// Where the connection goes afterwards.
    pub(crate) shelf: Shelf,
}

impl Connection {
    /// Connects to a server. `written` is its address as the configuration has it.
    ///
    /// # Errors
    /// [`Failure::Connect`] or [`Failure::Timeout`].
    pub(crate) async fn open(addr: &Addr, written: &str, limit: Duration) -> Result<Self, Failure> {
        let failed = |error: io::Error| Failure::Connect(written.into(), error);
        let stream = match Stream::connect(addr).await_within(limit).await {
            Some(stream) => stream.map_err(failed)?,
            None => return Err(Failure::Timeout(Phase::Connect)),
        };
        let speller = Speller::default();
        let (sender, driver) = http1::Builder::new()
            .preserve_header_case(true)
            .title_case_headers(true)
            .max_header_size(LARGEST_HEAD)
            .handshake(TokioIo::new(Spelled::new(stream, speller.clone())))
            .await
            .map_err(|error| Failure::from_hyper(&error, Phase::Connect))?;
        Ok(Self(Box::new(Parts { sender, driver, speller, since: Instant::now(), requests: 0 })))
    }

    /// Sends a request and waits for the head of its answer.
    ///
    /// # Errors
    /// The failure, and the request when not a byte of it was sent.
    pub(crate) async fn ask(
        mut self,
        request: Request<RequestBody>,
        answer: Answer<'_>,
    ) -> Result<Reply, (Failure, Option<Request<RequestBody>>)> {
        self.0.requests += 1;
        self.0.speller.expect(answer.names);
        let deadline = Instant::now() + answer.times.read.max(answer.times.send);
        let mut timer = pin!(sleep_until(deadline));
        let mut response = pin!(self.0.sender.try_send_request(request));
        let driver = &mut self.0.driver;
        let mut last = Instant::now();
        let response = poll_fn(|cx| {
            let driven = driver.poll_without_shutdown(cx);
            if let Poll::Ready(response) = response.as_mut().poll(cx) {
                return Poll::Ready(response.map_err(|mut error| {
                    let message = error.take_message();
                    (Failure::from_hyper(error.error(), Phase::Head), message)
                }));
            }
            if let Poll::Ready(Err(error)) = driven {
                return Poll::Ready(Err((Failure::from_hyper(&error, Phase::Head), None)));
            }
            match poll_late(timer.as_mut(), &mut last, &answer, cx) {
                Poll::Ready(failure) => Poll::Ready(Err((failure, None))),
                Poll::Pending => Poll::Pending,
            }
        })
        .await?;
        self.receive(response, answer).await.map_err(|failure| (failure, None))
    }

    async fn receive(
        mut self,
        response: Response<Incoming>,
        answer: Answer<'_>,
    ) -> Result<Reply, Failure> {
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            let (head, incoming) = response.into_parts();
            let body = ResponseBody::new(incoming, self, answer.shelf, answer.times.read);
            return Ok(Reply::Answer(Response::from_parts(head, body)));
        }
        if !answer.upgrade {
            return Err(Failure::Unasked);
        }
        poll_fn(|cx| self.0.driver.poll_without_shutdown(cx))
            .await
            .map_err(|error| Failure::from_hyper(&error, Phase::Head))?;
        let parts = self.0.driver.into_parts();
        let head = response.map(|_| ());
        // A copy, so that hyper's buffer is freed however few bytes of it were left.
        Ok(Reply::Switched(head, parts.io.into_inner().into_inner(), parts.read_buf.to_vec()))
    }

    /// Moves bytes; ready when the connection is over.
    pub(super) fn poll_drive(&mut self, cx: &mut Context<'_>) -> Poll<hyper::Result<()>> {
        self.0.driver.poll_without_shutdown(cx)
    }

    /// Whether it has carried so many requests, or is so old.
    pub(super) fn is_spent(&self, requests: u64, age: Duration) -> bool {
        self.0.requests >= requests || self.0.since.elapsed() >= age
    }

    /// Whether it can carry another request: the last answer is complete, and the server has
    /// neither closed it nor sent anything that nobody asked for.
    pub(super) fn is_reusable(&mut self) -> bool {
        let mut cx = Context::from_waker(std::task::Waker::noop());
        self.poll_drive(&mut cx).is_pending() && self.0.sender.is_ready()
    }
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

/// `timeout` as a method, so that a call reads in the order in which it happens.
trait Within: Future + Sized {
    async fn await_within(self, limit: Duration) -> Option<Self::Output> {
        timeout(limit, self).await.ok()
    }
}

impl<F: Future> Within for F {}
