//! One request from its head to its answer: the tower stack over hyper.
//!
//! [`stack`] is the whole of it, to be read from top to bottom. What a layer learns of a request
//! it writes into the request's [`Record`], which the variables and the logs read.

mod accel;
mod access;
mod affinity;
mod answering;
mod asked;
mod body;
mod client;
mod context;
mod course;
mod cut_off;
mod endings;
mod epitaph;
mod escape;
mod expires;
mod facts;
mod files;
mod forward;
mod headers;
mod heads;
mod hints;
mod holding;
mod lengths;
mod limits;
mod mapped;
mod outgoing;
mod pace;
mod passing;
mod phases;
mod phrase;
mod ranged;
mod record;
mod refused;
mod reply;
mod returning;
mod rewritten;
mod routing;
mod site;
mod status;
mod target;
mod trailers;
mod tries;
mod values;
mod websocket;
mod written;

use std::rc::Rc;

use http::{Request, Response};
use hyper::body::Incoming;
use tower::{Service, ServiceBuilder};

pub(crate) use body::Body;
pub(crate) use client::{Client, Flow, Written};
pub(crate) use cut_off::tell_cut_off;
pub(crate) use endings::Endings;
pub(crate) use epitaph::{Epitaph, Testament};
pub(crate) use escape::Escape as LogEscape;
pub(crate) use expires::{Expires, Expiry};
pub(crate) use files::{Aliased, Files, ModifiedSince};
pub(crate) use headers::{HeaderPlan, hidden};
pub(crate) use heads::HeadRules;
pub(crate) use limits::{ConnectionLimit, Limited, Limits, RequestLimit, Zone};
pub(crate) use pace::{Amount, Pace};
pub(crate) use passing::{Cookies, Flags, Looked, Passing, Replace, Towards};
pub(crate) use record::Switched;
pub(crate) use refused::Refused;
pub(crate) use site::{
    AccessLog, Action, Added, ErrorPage, ErrorPages, Forwarding, LogSink, Logs, RealIp, Redirects,
    Returning, Rules, Server, Site, TryFiles, TryLast, UriPart, Variables,
};
pub(crate) use trailers::Trailer;
pub(crate) use websocket::{Origins, Told, WebSocket};

/// What every request of a client connection goes through.
pub(crate) fn stack(
    client: Rc<Client>,
) -> impl Service<Request<Incoming>, Response = Response<Body>, Error = Hangup, Future: Unpin> + Clone
{
    ServiceBuilder::new()
        // Opens the request's record; the log lines are written when the answer has ended.
        .layer_fn(|inner| access::Access::new(client.clone(), inner))
        // Refusals become pages; every answer gets Server, Connection and its length.
        .layer_fn(reply::Reply::new)
        // Which server; then nginx's phases: which location, what is rewritten, who may ask. What
        // ends in an error may go through them again, to the error's page.
        .layer_fn(routing::Routing::new)
        // The answer itself, where no phase has given one: fetched from an upstream.
        .service(forward::Forward)
}

/// The connection is to be closed without an answer (nginx: 444).
#[derive(Debug, thiserror::Error)]
#[error("closed without an answer")]
pub(crate) struct Hangup;
