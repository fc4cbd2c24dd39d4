//! The layer that finds where a request belongs, takes it through the phases, and looks for what
//! takes the place of an error.

use std::borrow::Cow;
use std::future::{Ready, ready};
use std::ops::ControlFlow;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready as poll_ready};

use futures_util::future::Either;
use http::header::HOST;
use http::{Response, StatusCode};
use tokio::time::{Sleep, sleep};
use tower::Service;

use super::access::Exchange;
use super::body::Content;
use super::phases::{self, At, Next};
use super::record::{Record, Routed};
use super::reply::Refusal;
use super::site::Server;
use crate::observe::Level;
use crate::route::{MatchError, host, uri};

/// The layer's service.
#[derive(Debug, Clone)]
pub(crate) struct Routing<S>(S);

impl<S> Routing<S> {
    pub(super) fn new(inner: S) -> Self {
        Self(inner)
    }
}

impl<S> Service<Exchange> for Routing<S>
where
    S: Service<Exchange, Response = Response<Content>, Error = Refusal, Future: Unpin>
        + Clone
        + Unpin,
{
    type Response = Response<Content>;
    type Error = Refusal;
    type Future = Phased<S, S::Future>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Refusal>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, exchange: Exchange) -> Self::Future {
        let record = exchange.record.clone();
        let routed = route(&record);
        let mut phased = Phased {
            inner: self.0.clone(),
            record,
            exchange: Some(exchange),
            wait: None,
            answer: Either::Left(ready(Err(Refusal::Hangup(0)))),
        };
        phased.answer = match routed {
            Ok(()) => phased.go(At::Server),
            Err(refusal) => Either::Left(ready(Err(refusal))),
        };
        phased
    }
}

/// An outcome that is there already, or one to come.
type Answer<F> = Either<Ready<Result<Response<Content>, Refusal>>, F>;

/// A request on its way through the phases, as often as it is sent through them.
#[derive(Debug)]
pub(crate) struct Phased<S, F> {
    inner: S,
    record: Rc<Record>,
    /// The request as it came, until a server is asked.
    exchange: Option<Exchange>,
    /// It came early: until when it waits, and where it goes on.
    wait: Option<(Pin<Box<Sleep>>, At)>,
    answer: Answer<F>,
}

impl<S> Phased<S, S::Future>
where
    S: Service<Exchange, Response = Response<Content>, Error = Refusal>,
{
    fn go(&mut self, from: At) -> Answer<S::Future> {
        match phases::run(&self.record, from) {
            ControlFlow::Break(outcome) => Either::Left(ready(outcome)),
            ControlFlow::Continue(Next::Wait(time, at)) => {
                self.wait = Some((Box::pin(sleep(time)), at));
                Either::Left(ready(Err(Refusal::Hangup(0))))
            }
            ControlFlow::Continue(Next::Phase(_)) => {
                // What an earlier server did not take of the request is with the record.
                let exchange = self
                    .exchange
                    .take()
                    .unwrap_or_else(|| Exchange { record: self.record.clone(), body: None });
                Either::Right(self.inner.call(exchange))
            }
        }
    }
}

impl<S> Future for Phased<S, S::Future>
where
    S: Service<Exchange, Response = Response<Content>, Error = Refusal, Future: Unpin> + Unpin,
{
    type Output = Result<Response<Content>, Refusal>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        loop {
            if let Some((wait, at)) = &mut this.wait {
                let at = *at;
                poll_ready!(wait.as_mut().poll(cx));
                this.wait = None;
                this.answer = this.go(at);
                continue;
            }
            let refusal = match poll_ready!(Pin::new(&mut this.answer).poll(cx)) {
                Ok(answer) => return Poll::Ready(Ok(answer)),
                Err(refusal) => refusal,
            };
            match phases::instead(&this.record, refusal) {
                ControlFlow::Break(outcome) => return Poll::Ready(outcome),
                ControlFlow::Continue(at) => this.answer = this.go(at),
            }
        }
    }
}

/// Finds the request's server, and writes it into its record.
fn route(record: &Record) -> Result<(), Refusal> {
    let (routed, refusal) = match find(record) {
        Ok(routed) => (routed, None),
        // Whatever is wrong with it, the default server answers and logs it.
        Err((refusal, why)) => {
            let server = record.client.site.servers.default_server().clone();
            record.course.enter(server.rules.clone());
            (Routed { host: "".into(), port: None, server }, Some((refusal, why)))
        }
    };
    // A record is routed once.
    let _ = record.routed.set(routed);
    match refusal {
        None => Ok(()),
        Some((refusal, why)) => {
            if let Some(why) = why {
                record.log(Level::Info, None, format_args!("client sent {why}"));
            }
            Err(refusal)
        }
    }
}

/// A refusal, and what the log says of the client.
type Refused = (Refusal, Option<Cow<'static, str>>);

fn find(record: &Record) -> Result<Routed, Refused> {
    let bad = |why: Cow<'static, str>| (Refusal::Status(StatusCode::BAD_REQUEST), Some(why));
    if let Some(refused) = &record.refused {
        record.client.linger.set(true);
        let status = StatusCode::from_u16(refused.status).unwrap_or(StatusCode::BAD_REQUEST);
        return Err((Refusal::Status(status), Some(refused.why.to_string().into())));
    }
    let (host, port) = requested_host(record)
        .ok_or_else(|| bad("invalid host header while reading client request headers".into()))?;
    let target = record.head.uri.path_and_query().map_or("/", |target| target.as_str());
    let target = uri::parse_with(target.as_bytes(), record.client.site.slashes).map_err(|why| {
        bad(format!("invalid request ({why}) while reading client request line").into())
    })?;
    let (server, captures): (&Arc<Server>, _) = record
        .client
        .site
        .servers
        .choose(host.as_bytes())
        .map_err(|error| broken(record, &error))?;
    if let Some(captures) = captures {
        record.course.captures.borrow_mut().push(captures);
    }
    if *target.path != *record.head.uri.path().as_bytes() {
        // A record is routed once.
        let _ = record.course.asked.set(target.path.into_owned().into());
    }
    Ok(Routed { host, port, server: server.clone() })
}

/// The host that the request is for, and its port: an absolute target's, else the Host field's (RFC 9112, 3.2.2).
/// None when it is no host's name.
fn requested_host(record: &Record) -> Option<(Box<str>, Option<u16>)> {
    let head = &record.head;
    let Some(field) = head.headers.get(HOST) else {
        // Only HTTP/1.0 comes here without one.
        let Some(authority) = head.uri.authority() else { return Some(("".into(), None)) };
        return named(authority.as_str().as_bytes());
    };
    // It must be good even where it doesn't count.
    let host = named(field.as_bytes())?;
    match head.uri.authority() {
        Some(authority) => named(authority.as_str().as_bytes()),
        None => Some(host),
    }
}

/// A host's name in lower case, and its port.
fn named(host: &[u8]) -> Option<(Box<str>, Option<u16>)> {
    let host = host::normalise(host).ok()?;
    Some((String::from_utf8_lossy(&host.name).into(), host.port))
}

/// A pattern took too many steps on this request: nginx answers 500.
fn broken(record: &Record, error: &MatchError) -> Refused {
    record.log(Level::Alert, None, format_args!("{error}"));
    (Refusal::Status(StatusCode::INTERNAL_SERVER_ERROR), None)
}
