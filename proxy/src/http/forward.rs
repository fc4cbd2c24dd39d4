//! The innermost service: the answer itself.

use std::future::{Ready, ready};
use std::ops::ControlFlow;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures_util::future::Either;
use http::header::UPGRADE;
use http::{Extensions, Request, Response, StatusCode, Version};
use http_body::Body as _;
use tower::Service;

use super::access::Exchange;
use super::body::Content;
use super::headers::clean_answer;
use super::lengths;
use super::record::{Epitaph, Record, Switched, Try};
use super::reply::Refusal;
use super::site::{Action, Forwarding};
use super::target;
use crate::balance::Tried;
use crate::observe::Level;
use crate::tunnel;
use crate::upstream::{
    Answer, Broken, Budget, Connection, Failure, Lease, Pending, Reply, RequestBody, ResponseBody,
    Sent, Uncollected,
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
            Action::Files => Either::Left(ready(Err(Refusal::Status(StatusCode::NOT_FOUND)))),
            // The only future of a request that is boxed.
            Action::Forward(_) => Either::Right(Box::pin(async move {
                match &rules.action {
                    Action::Forward(forwarding) => Forwarded::new(exchange, forwarding).run().await,
                    _ => Err(Refusal::Status(StatusCode::INTERNAL_SERVER_ERROR)),
                }
            })),
        }
    }
}

/// A request on its way to a server, or to the next one.
struct Forwarded<'a> {
    record: Rc<Record>,
    forwarding: &'a Forwarding,
    extensions: Extensions,
    /// What of the request's body is to be sent.
    body: Option<Pending>,
    /// How far the body is that was sent last.
    sent: Option<Rc<Sent>>,
    upgrade: bool,
    tried: Tried,
    budget: Budget,
}

/// What one server made of the request: the outcome, or the status that it comes to if there is no
/// other server.
type Attempt = ControlFlow<Outcome, StatusCode>;

impl<'a> Forwarded<'a> {
    fn new(exchange: Exchange, forwarding: &'a Forwarding) -> Self {
        let Exchange { record, extensions, body } = exchange;
        let body = body.filter(|body| !body.is_end_stream()).map(Pending::Coming);
        // What a server before left of it.
        let (extensions, body) = record.course.unsent.take().unwrap_or((extensions, body));
        let upgrade = body.is_none()
            && record.head.version == Version::HTTP_11
            && record.head.headers.contains_key(UPGRADE);
        let budget = forwarding.next.budget(Instant::now());
        let (sent, tried) = (None, Tried::default());
        Self { record, forwarding, extensions, body, sent, upgrade, tried, budget }
    }

    async fn run(mut self) -> Outcome {
        if self.forwarding.version == Version::HTTP_10 {
            self.measure().await?;
        }
        let mut status = StatusCode::BAD_GATEWAY;
        let mut any_live = false;
        while self.budget.take(Instant::now()) {
            let balance = &self.forwarding.upstream.balance;
            let Some(lease) = balance.pick(&mut self.tried, Instant::now()) else {
                // The benched ones were asked too, but in vain: nginx says so without asking.
                if !any_live {
                    let upstream = Some(&*self.forwarding.upstream.name);
                    let what = format_args!("no live upstreams while connecting to upstream");
                    self.record.log(Level::Error, upstream, what);
                }
                break;
            };
            any_live |= !lease.was_benched();
            match self.attempt(lease).await {
                Attempt::Break(outcome) => return outcome,
                Attempt::Continue(instead) => status = instead,
            }
        }
        *self.record.course.unsent.borrow_mut() = Some((self.extensions, self.body));
        Err(Refusal::Status(status))
    }

    /// Asks one server. A kept connection that turns out to be closed says nothing about the
    /// server: the same one is asked again over a new connection.
    async fn attempt(&mut self, lease: Lease) -> Attempt {
        let peer = lease.peer();
        let upstream = &self.forwarding.upstream;
        self.record.tries.borrow_mut().push(Try {
            addr: self.written(peer).into(),
            status: 502,
            connect: None,
            header: None,
            response: None,
            length: 0,
            sent: 0,
            received: 0,
        });
        let kept = self.record.client.pool.take(&upstream.keepalive, peer);
        let reused = kept.is_some();
        let mut outcome = self.ask(kept, &lease).await;
        if let (true, Err((Failure::Closed(_) | Failure::Socket(..), again))) = (reused, &outcome)
            && *again
        {
            outcome = self.ask(None, &lease).await;
        }
        match outcome {
            Ok(Reply::Answer(answer)) => self.answered(answer, lease),
            Ok(Reply::Switched(head, server, early)) => {
                lease.succeeded();
                Attempt::Break(Ok(self.switched(head, (server, early), lease)))
            }
            Err((failure, again)) => self.failed(&failure, again, &lease),
        }
    }

    /// Sends the request over a kept connection or a new one. The error says whether the request
    /// may be sent again.
    async fn ask(
        &mut self,
        kept: Option<Connection>,
        lease: &Lease,
    ) -> Result<Reply, (Failure, bool)> {
        let Forwarding { upstream, headers, times, .. } = self.forwarding;
        let started = Instant::now();
        let connection = match kept {
            Some(connection) => connection,
            None => Connection::open(lease.address(), self.written(lease.peer()), times.connect)
                .await
                .map_err(|failure| (failure, true))?,
        };
        self.note(|last| last.connect = Some(started.elapsed()));
        let (request, sent) = self.request().ok_or((Failure::Client, false))?;
        let answer = Answer {
            names: headers.names(),
            upgrade: self.upgrade && request.headers().contains_key(UPGRADE),
            sent: sent.as_ref(),
            times: *times,
            shelf: self.record.client.pool.shelf(&upstream.keepalive, lease.peer()),
        };
        let outgoing = self.record.is_logged().then(|| {
            let target = request.uri().path_and_query().map_or(1, |target| target.as_str().len());
            lengths::head(request.method().as_str().len() + target + 12, request.headers())
        });
        let reply = connection.ask(request, answer).await;
        self.note(|last| {
            let body = sent.as_ref().map_or(0, |sent| sent.bytes.get());
            last.header = Some(started.elapsed());
            last.sent = outgoing.unwrap_or(0) + body;
        });
        self.sent = sent;
        reply.map_err(|(failure, unsent)| {
            let again = match unsent {
                Some(request) => {
                    let (head, body) = request.into_parts();
                    self.extensions = head.extensions;
                    self.body = body.into_pending();
                    true
                }
                // What was sent may have been done, though no answer came.
                None => self.forwarding.next.repeats(self.record.method()) && self.has_body_again(),
            };
            (failure, again)
        })
    }

    /// Whether the request can be sent once more: it has no body, or its body was kept.
    fn has_body_again(&mut self) -> bool {
        let Some(sent) = self.sent.take() else { return true };
        self.body = sent.again();
        self.body.is_some()
    }

    /// Without chunks a server must know a body's length, so that it is collected first.
    async fn measure(&mut self) -> Result<(), Refusal> {
        let Some(body) = self.body.take_if(|body| !body.has_length()) else { return Ok(()) };
        let limit = self.record.rules().map_or(u64::MAX, |rules| rules.max_body);
        let refusal = match body.collect(limit, self.forwarding.times.client).await {
            Ok(body) => {
                self.body = Some(body);
                return Ok(());
            }
            Err(Uncollected::Broken(Broken::TooLarge)) => {
                let what = format_args!("{}", Failure::TooLarge);
                self.record.log(Level::Error, None, what);
                self.record.client.linger.set(true);
                StatusCode::PAYLOAD_TOO_LARGE
            }
            Err(Uncollected::TooLong) => {
                self.record.client.closing.set(true);
                self.record.client.linger.set(true);
                StatusCode::LENGTH_REQUIRED
            }
            Err(Uncollected::Broken(Broken::Client(_))) => StatusCode::BAD_REQUEST,
            Err(Uncollected::Silent) => return Err(Refusal::Hangup(408)),
        };
        Err(Refusal::Status(refusal))
    }

    /// The request that goes out.
    fn request(&mut self) -> Option<(Request<RequestBody>, Option<Rc<Sent>>)> {
        let Forwarding { uri, headers, version, next, .. } = self.forwarding;
        let limit = self.record.rules().map_or(u64::MAX, |rules| rules.max_body);
        let (body, sent) = match self.body.take() {
            Some(body) => {
                let again = next.repeats(self.record.method());
                let (body, sent) = RequestBody::new(body, limit, again);
                (body, Some(sent))
            }
            None => (RequestBody::none(), None),
        };
        let mut request = Request::new(body);
        *request.method_mut() = self.record.method().clone();
        *request.uri_mut() = target::outgoing(&self.record, uri)?;
        *request.version_mut() = *version;
        *request.headers_mut() = headers.apply(&self.record, sent.is_some());
        // The spelling of the client's field names. Only where a request was sent and then failed
        // is it sent a second time without it.
        *request.extensions_mut() = std::mem::take(&mut self.extensions);
        Some((request, sent))
    }

    fn answered(&mut self, answer: Response<ResponseBody>, lease: Lease) -> Attempt {
        let (mut head, mut body) = answer.into_parts();
        self.note_head(&head);
        let Forwarding { next, .. } = self.forwarding;
        if next.statuses.contain(head.status)
            && next.repeats(self.record.method())
            && usize::try_from(self.tried.count()).is_ok_and(|tried| tried < self.servers())
            && self.has_body_again()
        {
            lease.failed(Instant::now());
            return Attempt::Continue(head.status);
        }
        lease.succeeded();
        clean_answer(&mut head.headers);
        body.hold(lease);
        Attempt::Break(Ok(Response::from_parts(head, Content::Server(body))))
    }

    /// 101: the server's half of the tunnel is put where the connection's task will find it.
    fn switched(
        &self,
        head: Response<()>,
        server: (crate::net::Stream, Vec<u8>),
        lease: Lease,
    ) -> Response<Content> {
        let (mut head, ()) = head.into_parts();
        self.note_head(&head);
        clean_answer(&mut head.headers);
        let times = self.forwarding.times;
        let limits = tunnel::Limits {
            idle: times.read,
            to_client: self.record.rules().map_or(times.send, |rules| rules.send_timeout),
            to_server: times.send,
            half_closed: HALF_CLOSED,
        };
        let epitaph = Epitaph::new(&self.record, self.written(lease.peer()));
        let switched = Switched { server, held: lease.into_held(), limits, epitaph };
        *self.record.client.switched.borrow_mut() = Some(switched);
        Response::from_parts(head, Content::Empty)
    }

    fn failed(&mut self, failure: &Failure, again: bool, lease: &Lease) -> Attempt {
        let status = match failure {
            Failure::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Failure::Client => StatusCode::BAD_REQUEST,
            failure if failure.is_timeout() => StatusCode::GATEWAY_TIMEOUT,
            _ => StatusCode::BAD_GATEWAY,
        };
        self.note(|last| last.status = status.as_u16());
        let phase = failure.phase();
        let upstream = Some(self.written(lease.peer()));
        self.record.log(failure.level(), upstream, format_args!("{failure} {phase}"));
        if failure.blames_server() && lease.failed(Instant::now()) {
            let what = format_args!("upstream server temporarily disabled {phase}");
            self.record.log(Level::Warn, upstream, what);
        }
        if matches!(failure, Failure::ClientTimeout) {
            return Attempt::Break(Err(Refusal::Hangup(408)));
        }
        if again && self.forwarding.next.allows(failure, self.record.method()) {
            Attempt::Continue(status)
        } else {
            Attempt::Break(Err(Refusal::Status(status)))
        }
    }

    /// A server's address as the configuration writes it.
    fn written(&self, peer: usize) -> &'a str {
        self.forwarding.upstream.written.get(peer).map_or("", |written| written)
    }

    fn servers(&self) -> usize {
        self.forwarding.upstream.written.len()
    }

    /// Writes what the head of an answer says of its server.
    fn note_head(&self, head: &http::response::Parts) {
        let logged = self.record.is_logged();
        self.note(|last| {
            last.status = head.status.as_u16();
            if logged {
                last.received = lengths::answer(head);
            }
        });
    }

    /// Writes something about the server that is being asked.
    fn note(&self, with: impl FnOnce(&mut Try)) {
        if let Some(last) = self.record.tries.borrow_mut().last_mut() {
            with(last);
        }
    }
}
