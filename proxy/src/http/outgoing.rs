//! What goes out to a server for a request: its head, and what of its body.

use std::rc::Rc;

use http::{Method, StatusCode, Version};
use http_body::Body as _;

use super::forward::{Forwarded, Prepared};
use super::headers::Framing;
use super::reply::Refusal;
use super::site::Forwarding;
use super::target;
use crate::net::Dialing;
use crate::observe::Level;
use crate::upstream::{Broken, Failure, Outgoing, Pending, RequestBody, Sent, Uncollected};

impl Forwarded<'_> {
    /// Sees to the body before any server is asked: what replaces it, and how long it is where
    /// that must be known.
    pub(super) async fn prepare(&mut self) -> Result<(), Refusal> {
        if self.record.client.site.asks_for_bodies {
            self.keep_body().await?;
        }
        let passing = &self.forwarding.passing;
        if passing.set_body.is_some() || !passing.pass_body {
            if let Some(body) = self.body.take() {
                let discarded = body.discard(self.limit(), self.forwarding.times.client).await;
                discarded.map_err(|error| self.uncollected(&error))?;
            }
            self.body = passing.set_body.as_ref().map(|text| {
                let mut body = Vec::new();
                text.render(&*self.record, &mut body);
                Pending::Here(body.into())
            });
        }
        if self.forwarding.version == Version::HTTP_10 {
            self.measure().await?;
        }
        Ok(())
    }

    /// Waits for a small body, so that it has a variable.
    async fn keep_body(&mut self) -> Result<(), Refusal> {
        let Some(body) = self.body.take() else { return Ok(()) };
        let most = self.record.rules().map_or(0, |rules| rules.kept_body);
        let body = body.collect_small(most, self.limit(), self.forwarding.times.client).await;
        let body = body.map_err(|error| self.uncollected(&error))?;
        *self.record.course.body.borrow_mut() = body.whole().filter(|b| b.len() <= most).cloned();
        self.body = Some(body);
        Ok(())
    }

    /// Without chunks a server must know a body's length, so that it is collected first.
    async fn measure(&mut self) -> Result<(), Refusal> {
        let Some(body) = self.body.take_if(|body| !body.has_length()) else { return Ok(()) };
        let collected = body.collect(self.limit(), self.forwarding.times.client).await;
        self.body = Some(collected.map_err(|error| self.uncollected(&error))?);
        Ok(())
    }

    /// How large a body may be.
    fn limit(&self) -> u64 {
        self.record.rules().map_or(u64::MAX, |rules| rules.max_body)
    }

    fn uncollected(&self, error: &Uncollected) -> Refusal {
        let client = &self.record.client;
        let refusal = match error {
            Uncollected::Broken(Broken::TooLarge) => {
                let what = format_args!("{}", Failure::TooLarge);
                self.record.log(Level::Error, None, what);
                client.linger.set(true);
                StatusCode::PAYLOAD_TOO_LARGE
            }
            Uncollected::TooLong => {
                client.closing.set(true);
                client.linger.set(true);
                StatusCode::LENGTH_REQUIRED
            }
            Uncollected::Broken(Broken::Client(_)) => StatusCode::BAD_REQUEST,
            Uncollected::Silent => {
                self.record.cut();
                return Refusal::Hangup(408);
            }
        };
        Refusal::Status(refusal)
    }

    /// Whether the request can be sent once more: it has no body, or its body was kept.
    pub(super) fn has_body_again(&mut self) -> bool {
        let Some(sent) = self.sent.take() else { return true };
        self.body = sent.again();
        self.body.is_some()
    }

    /// The method that goes out; none where a text comes to no method.
    pub(super) fn method(&self) -> Option<Method> {
        let mut method = Vec::new();
        match &self.forwarding.passing.method {
            None => return Some(self.record.method().clone()),
            Some(text) => text.render(&*self.record, &mut method),
        }
        Method::from_bytes(&method).ok()
    }

    /// The request that goes out.
    pub(super) fn request(&mut self, method: &Method) -> Option<(Prepared, Option<Rc<Sent>>)> {
        let Forwarding { uri, headers, version, .. } = self.forwarding;
        let limit =
            if self.forwarding.passing.set_body.is_some() { u64::MAX } else { self.limit() };
        let (body, sent) = match self.body.take() {
            Some(body) => {
                let kept = self.record.rules().map_or(0, |rules| rules.kept_body);
                let (body, sent) = RequestBody::new(body, limit, kept);
                (body, Some(sent))
            }
            None => (RequestBody::none(), None),
        };
        let framing = match &sent {
            Some(_) => body.size_hint().exact().map_or(Framing::Chunked, Framing::Length),
            None => Framing::None,
        };
        let mut head = Vec::with_capacity(self.record.fields.len() + 256);
        head.extend_from_slice(method.as_str().as_bytes());
        head.push(b' ');
        target::outgoing(&self.record, uri, &mut head)?;
        head.extend_from_slice(match *version {
            Version::HTTP_10 => b" HTTP/1.0\r\n",
            _ => b" HTTP/1.1\r\n",
        });
        let upgrade = headers.write(&self.record, framing, self.may_switch, &mut head);
        let outgoing = Outgoing { head, body, chunked: framing == Framing::Chunked };
        Some((Prepared { outgoing, upgrade }, sent))
    }

    /// How a connection is made.
    pub(super) fn dialing(&self) -> Dialing {
        let passing = &self.forwarding.passing;
        let from = passing.bind.as_ref().and_then(|text| {
            let mut value = Vec::new();
            text.render(&*self.record, &mut value);
            let value = String::from_utf8_lossy(&value);
            let plain = value.trim_start_matches('[').trim_end_matches(']');
            let ip = plain.parse().map(|ip| std::net::SocketAddr::new(ip, 0));
            let from = ip.ok().or_else(|| value.parse().ok());
            if from.is_none() && !value.is_empty() {
                let what = format_args!("invalid local address \"{value}\"");
                self.record.log(Level::Error, None, what);
            }
            from
        });
        Dialing { from, transparent: passing.transparent, keepalive: passing.socket_keepalive }
    }
}
