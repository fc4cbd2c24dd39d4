//! The layer that finds where a request belongs, and refuses what may not come in.

use std::borrow::Cow;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::future::Either;
use http::header::{CONTENT_LENGTH, HOST};
use http::{HeaderValue, Response, StatusCode};
use tower::Service;

use super::access::Exchange;
use super::body::Content;
use super::record::{Record, Routed};
use super::reply::Refusal;
use super::site::{Action, Rules, Server};
use crate::observe::Level;
use crate::route::{Found, MatchError, host, uri};

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
    S: Service<Exchange, Response = Response<Content>, Error = Refusal>,
{
    type Response = Response<Content>;
    type Error = Refusal;
    type Future = Either<Ready<Result<Response<Content>, Refusal>>, S::Future>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Refusal>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, exchange: Exchange) -> Self::Future {
        match route(&exchange.record) {
            Ok(()) => Either::Right(self.0.call(exchange)),
            Err(refusal) => Either::Left(ready(Err(refusal))),
        }
    }
}

/// Finds the request's server and location, and writes them into its record.
fn route(record: &Record) -> Result<(), Refusal> {
    let found = find(record);
    let (routed, refusal) = match found {
        Ok(routed) => (routed, None),
        // Whatever is wrong with it, the default server answers and logs it.
        Err((refusal, server)) => {
            let server =
                server.unwrap_or_else(|| record.client.site.servers.default_server().clone());
            let rules = server.rules.clone();
            let routed =
                Routed { host: "".into(), path: None, server, rules, captures: Vec::new() };
            (routed, Some(refusal))
        }
    };
    let max_body = routed.rules.max_body;
    // A record is routed once.
    let _ = record.routed.set(routed);
    match refusal {
        None => check_length(record, max_body),
        Some((refusal, why)) => {
            if let Some(why) = why {
                record.log(Level::Info, None, format_args!("client sent {why}"));
            }
            Err(refusal)
        }
    }
}

/// A refusal, what the log says of the client, and the server if that is known already.
type Refused = ((Refusal, Option<Cow<'static, str>>), Option<Arc<Server>>);

fn find(record: &Record) -> Result<Routed, Refused> {
    let bad =
        |why: Cow<'static, str>| ((Refusal::Status(StatusCode::BAD_REQUEST), Some(why)), None);
    if let Some(refused) = &record.refused {
        record.client.linger.set(true);
        let status = StatusCode::from_u16(refused.status).unwrap_or(StatusCode::BAD_REQUEST);
        return Err(((Refusal::Status(status), Some(refused.why.to_string().into())), None));
    }
    let host = requested_host(record)
        .ok_or_else(|| bad("invalid host header while reading client request headers".into()))?;
    let target = record.head.uri.path_and_query().map_or("/", |target| target.as_str());
    let target = uri::parse(target.as_bytes()).map_err(|why| {
        bad(format!("invalid request ({why}) while reading client request line").into())
    })?;
    let mut captures = Vec::new();
    let (server, named) = record
        .client
        .site
        .servers
        .choose(host.as_bytes())
        .map_err(|error| broken(record, &error))?;
    captures.extend(named);
    let mut rules = &server.rules;
    // A server's own `return` comes before any location.
    if !matches!(rules.action, Action::Return(_)) {
        match server.locations.find(&target.path).map_err(|error| broken(record, &error))? {
            Some(Found::Location { value, captures: found }) => {
                rules = value;
                captures.extend(found);
            }
            Some(Found::Redirect { path, .. }) => {
                return Err((
                    (slash(record, &host, path, target.args), None),
                    Some(server.clone()),
                ));
            }
            None => {}
        }
    }
    Ok(Routed {
        host,
        path: (*target.path != *record.head.uri.path().as_bytes())
            .then(|| target.path.into_owned().into()),
        server: server.clone(),
        rules: Arc::<Rules>::clone(rules),
        captures,
    })
}

/// The host that the request is for: an absolute target's, else the Host field's (RFC 9112, 3.2.2).
/// None when it is no host's name.
fn requested_host(record: &Record) -> Option<Box<str>> {
    let head = &record.head;
    let Some(field) = head.headers.get(HOST) else {
        // Only HTTP/1.0 comes here without one.
        let Some(authority) = head.uri.authority() else { return Some("".into()) };
        return named(authority.as_str().as_bytes());
    };
    // It must be good even where it doesn't count.
    let host = named(field.as_bytes())?;
    match head.uri.authority() {
        Some(authority) => named(authority.as_str().as_bytes()),
        None => Some(host),
    }
}

/// A host's name without its port, in lower case.
fn named(host: &[u8]) -> Option<Box<str>> {
    let host = host::normalise(host).ok()?;
    Some(String::from_utf8_lossy(&host.name).into())
}

/// The redirect to a location whose prefix ends with the slash that the path lacks.
fn slash(record: &Record, host: &str, path: &[u8], args: Option<&[u8]>) -> Refusal {
    let mut location = Vec::new();
    uri::escape(path, &mut location);
    if let Some(args) = args.filter(|args| !args.is_empty()) {
        location.push(b'?');
        location.extend_from_slice(args);
    }
    match HeaderValue::from_bytes(&super::target::absolute(record, host, &location)) {
        Ok(location) => Refusal::Redirect(StatusCode::MOVED_PERMANENTLY, location),
        Err(_) => Refusal::Status(StatusCode::BAD_REQUEST),
    }
}

/// A pattern took too many steps on this request: nginx answers 500.
fn broken(record: &Record, error: &MatchError) -> Refused {
    record.log(Level::Alert, None, format_args!("{error}"));
    ((Refusal::Status(StatusCode::INTERNAL_SERVER_ERROR), None), None)
}

/// Refuses a body that says beforehand that it is too large.
fn check_length(record: &Record, max_body: u64) -> Result<(), Refusal> {
    let length = record.head.headers.get(CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.trim().parse::<u64>().ok());
    match length.filter(|length| *length > max_body) {
        None => Ok(()),
        Some(length) => {
            record.log(
                Level::Error,
                None,
                format_args!("client intended to send too large body: {length} bytes"),
            );
            record.client.linger.set(true);
            Err(Refusal::Status(StatusCode::PAYLOAD_TOO_LARGE))
        }
    }
}
