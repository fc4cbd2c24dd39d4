//! The innermost service: the answer itself.

use std::future::{Ready, ready};
use std::ops::ControlFlow;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures_util::future::Either;
use http::header::UPGRADE;
use http::{Response, StatusCode, Version};
use http_body::Body as _;
use tower::Service;

use super::access::Exchange;
use super::affinity;
use super::body::Content;
use super::epitaph::Epitaph;
use super::record::{Record, Switched};
use super::reply::Refusal;
use super::site::{Action, Forwarding};
use super::status;
use super::tries::Try;
use super::websocket::{is_to_websocket, verify};
use crate::balance::Tried;
use crate::observe::{Level, now};
use crate::tunnel;
use crate::upstream::{
    Answer, Budget, Connection, Current, Failure, Group, Head, Hints, Lease, Outgoing, Pending,
    Reply, Sent,
};

/// How long one direction of a tunnel may go on after the other has ended.
const HALF_CLOSED: Duration = Duration::from_secs(30);

/// Answers what the configuration says, or asks a server.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Forward;

type Outcome = Result<Response<Content>, Refusal>;

impl Service<Exchange> for Forward {
    type Response = Response<Content>;
    type Error = Refusal;
    type Future = Either<Ready<Outcome>, Pin<Box<dyn Future<Output = Outcome>>>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Refusal>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, exchange: Exchange) -> Self::Future {
        let Some(rules) = exchange.record.rules().cloned() else {
            return Either::Left(ready(Err(Refusal::Status(StatusCode::INTERNAL_SERVER_ERROR))));
        };
        match &rules.action {
            Action::Status(format) => {
                Either::Right(Box::pin(status::answer(exchange.record, *format)))
            }
            Action::Files => Either::Left(ready(Err(Refusal::Status(StatusCode::NOT_FOUND)))),
            // The only future of a request that is boxed.
            Action::Forward(_) => Either::Right(Box::pin(async move {
                match &rules.action {
                    Action::Forward(forwarding) => {
                        let group = forwarding.group(&exchange.record)?;
                        Forwarded::new(exchange, forwarding, &group).run().await
                    }
                    _ => Err(Refusal::Status(StatusCode::INTERNAL_SERVER_ERROR)),
                }
            })),
        }
    }
}

/// A request on its way to a server, or to the next one.
pub(super) struct Forwarded<'a> {
    pub(super) record: Rc<Record>,
    pub(super) forwarding: &'a Forwarding,
    pub(super) group: &'a Group,
    /// The servers that there are when the request comes, or when its turn comes in the queue.
    pub(super) upstream: Current<'a>,
    /// What of the request's body is to be sent.
    pub(super) body: Option<Pending>,
    /// How far the body is that was sent last.
    pub(super) sent: Option<Rc<Sent>>,
    /// Whether the connection could become a tunnel: behind a body, or of HTTP/1.0, it does not
    /// (RFC 9110, 7.8).
    pub(super) may_switch: bool,
    pub(super) upgrade: bool,
    pub(super) tried: Tried,
    /// Servers that were asked for other locations.
    tries_before: usize,
    pub(super) budget: Budget,
    /// Whether a server was not there that may be back in a moment.
    pub(super) absent: bool,
}

/// A request that can be sent.
pub(super) struct Prepared {
    pub(super) outgoing: Outgoing,
    /// Whether it asks for another protocol.
    pub(super) upgrade: bool,
}

/// What one server made of the request: the outcome, or the status that it comes to if there is no
/// other server.
pub(super) type Attempt = ControlFlow<Outcome, StatusCode>;

impl<'a> Forwarded<'a> {
    fn new(exchange: Exchange, forwarding: &'a Forwarding, group: &'a Group) -> Self {
        let Exchange { record, body } = exchange;
        record.client.flow.ignores_end.set(forwarding.passing.ignores_abort);
        let body = body.filter(|body| !body.is_end_stream()).map(Pending::Coming);
        // What a server before left of it.
        let body = record.course.unsent.take().or(body);
        let may_switch = body.is_none()
            && record.head.version == Version::HTTP_11
            && forwarding.passing.set_body.is_none();
        let upgrade = may_switch && record.head.headers.contains_key(UPGRADE);
        let budget = forwarding.next.budget(now());
        let upstream = group.current();
        let (sent, tried) = (None, affinity::tried(&record, &upstream.key));
        let tries_before = record.tries.borrow().len();
        Self {
            record,
            forwarding,
            group,
            upstream,
            body,
            sent,
            may_switch,
            upgrade,
            tried,
            tries_before,
            budget,
            absent: false,
        }
    }

    async fn run(mut self) -> Outcome {
        self.prepare().await?;
        let mut status = StatusCode::BAD_GATEWAY;
        let mut any_live = false;
        while self.budget.take(now()) {
            let found = match self.group.lease(&mut self.upstream, &mut self.tried).await {
                Ok(lease) => Ok((lease, None)),
                Err(unavailable) => self.held().await.ok_or(unavailable),
            };
            let (lease, connection) = match found {
                Ok(found) => found,
                Err(unavailable) => {
                    // The benched ones were asked too, but in vain: nginx says so without asking.
                    if !any_live {
                        let what = format_args!("{unavailable}");
                        self.record.log(Level::Error, Some(&*self.upstream.name), what);
                        self.begin_try(&self.upstream.name);
                        self.note(Try::ended);
                    }
                    break;
                }
            };
            any_live |= !lease.was_benched();
            match self.attempt(lease, connection).await {
                Attempt::Break(outcome) => return outcome,
                Attempt::Continue(instead) => status = instead,
            }
        }
        if self.forwarding.passing.set_body.is_none() {
            *self.record.course.unsent.borrow_mut() = self.body;
        }
        Err(Refusal::Status(status))
    }

    /// Asks one server, over a new connection if there is one already. A kept connection that turns
    /// out to be closed says nothing about the server: the same one is asked again over a new one.
    async fn attempt(&mut self, lease: Lease, new: Option<Connection>) -> Attempt {
        let peer = lease.peer();
        self.begin_try(self.written(peer));
        let fresh = new.is_some();
        let pool = &self.record.client.pool;
        let open = new.or_else(|| pool.take(&self.upstream.keepalive, peer));
        let reused = open.is_some() && !fresh;
        let mut outcome = self.ask(open, &lease).await;
        if let (true, Err((Failure::Closed(_) | Failure::Socket(..), again))) = (reused, &outcome)
            && *again
        {
            outcome = self.ask(None, &lease).await;
        }
        match outcome {
            Ok(Reply::Answer(head, body)) => self.answered(head, body, lease),
            Ok(Reply::Switched(head, server, early)) => {
                lease.succeeded();
                let switched = self.switched(head, (server, early), lease);
                Attempt::Break(switched.map_err(Refusal::Status))
            }
            Err((failure, again)) => self.failed(&failure, again, &lease),
        }
    }

    /// Sends the request over an open connection or a new one. The error says whether the request
    /// may be sent again.
    async fn ask(
        &mut self,
        open: Option<Connection>,
        lease: &Lease,
    ) -> Result<Reply, (Failure, bool)> {
        let Forwarding { times, .. } = self.forwarding;
        let started = self.record.tries.borrow().last().map_or_else(Instant::now, |t| t.started);
        let connection = match open {
            Some(connection) => connection,
            None => {
                let written = self.written(lease.peer());
                Connection::open(lease.address(), written, self.dialing(), times.connect)
                    .await
                    .map_err(|failure| (failure, true))?
            }
        };
        self.note(|last| last.connect = Some(now() - started));
        let method = self.method().ok_or((Failure::Client, false))?;
        let (request, sent) = self.request(&method).ok_or((Failure::Client, false))?;
        let hinted = self.hinted();
        let answer = Answer {
            method: &method,
            largest: self.forwarding.passing.largest_head,
            upgrade: self.upgrade && request.upgrade,
            sent: sent.as_ref(),
            hints: hinted.as_ref().map(|hinted| -> &dyn Hints { hinted }),
            trailers: self.forwarding.passing.trailers,
            times: *times,
            shelf: self.record.client.pool.shelf(&self.upstream.keepalive, lease.peer()),
        };
        let length = u64::try_from(request.outgoing.head.len()).unwrap_or(u64::MAX);
        let reply = connection.ask(request.outgoing, answer).await;
        self.note(|last| {
            let body = sent.as_ref().map_or(0, |sent| sent.bytes.get());
            last.header = reply.is_ok().then(|| now() - started);
            last.sent = length + body;
        });
        self.sent = sent;
        reply.map_err(|(failure, unsent)| {
            let again = match unsent {
                Some(body) => {
                    self.body = body.into_pending();
                    true
                }
                // What was sent may have been done, though no answer came.
                None => self.forwarding.next.repeats(self.record.method()) && self.has_body_again(),
            };
            (failure, again)
        })
    }

    /// 101: the server's half of the tunnel is put where the connection's task will find it.
    fn switched(
        &self,
        mut head: Head,
        server: (crate::net::Stream, Vec<u8>),
        lease: Lease,
    ) -> Result<Response<Content>, StatusCode> {
        self.note_head(&head);
        let times = self.forwarding.times;
        let asked = self.asks_for_websocket();
        let websocket = asked && is_to_websocket(&head.headers);
        let Some(rules) = self.record.rules() else { return Err(StatusCode::BAD_GATEWAY) };
        if asked
            && rules.websocket.verify
            && let Err(misfit) = verify(&self.record.head.headers, &head.headers)
        {
            let what = "upstream sent an answer that does not fit the handshake";
            let what = format_args!("{what}: {misfit} while reading response header from upstream");
            self.record.log(Level::Error, Some(self.written(lease.peer())), what);
            self.note(|last| last.status = 502);
            return Err(StatusCode::BAD_GATEWAY);
        }
        let limits = tunnel::Limits {
            idle: times.read.into(),
            to_client: rules.send_timeout.into(),
            to_server: times.send.into(),
            half_closed: HALF_CLOSED.into(),
            orphaned: within(self.upstream.release.orphan).into(),
            websocket: websocket && rules.websocket.close,
            pings: rules.websocket.ping,
        };
        let bounds = rules.websocket.bounds();
        let epitaph = Epitaph::new(&self.record, self.written(lease.peer()));
        let took = self.record.tries.borrow().last().and_then(|last| last.header);
        took.into_iter().for_each(|took| lease.opened(took));
        let held = lease.into_held();
        let switched = Switched { server, held, limits, bounds, websocket, epitaph };
        *self.record.client.switched.borrow_mut() = Some(switched);
        Ok(self.response(&mut head, Content::Empty))
    }

    fn failed(&mut self, failure: &Failure, again: bool, lease: &Lease) -> Attempt {
        let status = match failure {
            Failure::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Failure::Client => StatusCode::BAD_REQUEST,
            failure if failure.is_timeout() => StatusCode::GATEWAY_TIMEOUT,
            failure if failure.is_shortage() => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::BAD_GATEWAY,
        };
        self.note(|last| {
            last.status = status.as_u16();
            last.ended();
        });
        self.absent |= failure.is_absence();
        let phase = failure.phase();
        let upstream = Some(self.written(lease.peer()));
        self.record.log(failure.level(), upstream, format_args!("{failure} {phase}"));
        let blamed = failure.blames_server();
        if blamed {
            lease.blame(format!("{failure} {phase}"));
        }
        if blamed && lease.failed(now()) {
            let what = format_args!("upstream server temporarily disabled {phase}");
            self.record.log(Level::Warn, upstream, what);
        }
        if matches!(failure, Failure::ClientTimeout) {
            self.record.cut();
            return Attempt::Break(Err(Refusal::Hangup(408)));
        }
        if again && self.forwarding.next.allows(failure, self.record.method()) {
            Attempt::Continue(status)
        } else {
            Attempt::Break(Err(Refusal::Status(status)))
        }
    }

    /// A server's address as the configuration writes it.
    pub(super) fn written(&self, peer: usize) -> &str {
        self.upstream.written.get(peer).map_or("", |written| written)
    }

    pub(super) fn servers(&self) -> usize {
        self.upstream.written.len()
    }

    /// Another server is asked. What was tried before this request came here was asked for another
    /// location.
    fn begin_try(&self, addr: &str) {
        let mut tries = self.record.tries.borrow_mut();
        let redirected = !tries.is_empty() && tries.len() == self.tries_before;
        tries.push(Try::new(addr, redirected));
        self.record.upstream_sent.take();
    }

    /// Writes what the head of an answer says of its server.
    pub(super) fn note_head(&self, head: &Head) {
        if self.record.rules().is_some_and(|rules| rules.logs.upstream_fields) {
            self.record.upstream_sent.replace(Some(head.headers.clone()));
        }
        self.note(|last| {
            last.status = head.status.as_u16();
            last.received = u64::try_from(head.length).unwrap_or(u64::MAX);
        });
    }

    /// Writes something about the server that is being asked.
    pub(super) fn note(&self, with: impl FnOnce(&mut Try)) {
        if let Some(last) = self.record.tries.borrow_mut().last_mut() {
            with(last);
        }
    }
}

/// A moment within this time, by chance and in milliseconds; 0 only where there is no time.
fn within(time: Duration) -> Duration {
    match u32::try_from(time.as_millis()).unwrap_or(u32::MAX) {
        0 => Duration::ZERO,
        most => Duration::from_millis(rand::random_range(1..=most).into()),
    }
}
