//! What a location does with the requests that it passes on, and with their answers: compiled.

use std::borrow::Cow;
use std::sync::Arc;

use http::{HeaderName, StatusCode};

use super::record::Record;
use super::reply::Refusal;
use super::site::Forwarding;
use crate::observe::Level;
use crate::route::{Regex, Template, Variable};
use crate::upstream::{Destination, Directory, Group, NoDestination};

/// To whom requests go.
#[derive(Debug)]
pub(crate) enum Towards {
    /// To these servers.
    Group(Group),
    /// To whom this URL names then.
    Text(Template, Arc<Directory>),
}

/// What the URL with variables of a `proxy_pass` has come to.
#[derive(Debug)]
pub(crate) struct Passed {
    /// `$proxy_host`
    pub(super) host: Box<str>,
    /// `$proxy_port`
    pub(super) port: Box<str>,
    /// Its URI, or nothing.
    pub(super) uri: Box<str>,
}

/// How requests are made, and what becomes of their answers.
#[derive(Debug)]
pub(crate) struct Passing {
    /// What goes out in the place of the client's method.
    pub(crate) method: Option<Template>,
    /// What goes out in the place of the client's body.
    pub(crate) set_body: Option<Template>,
    /// Whether the client's body goes out.
    pub(crate) pass_body: bool,
    /// The address that connections come from.
    pub(crate) bind: Option<Template>,
    /// Whether they are watched by TCP's keepalive.
    pub(crate) socket_keepalive: bool,
    /// Whether connections may come from an address that is not this machine's.
    pub(crate) transparent: bool,
    /// Whether a request goes on when its client leaves.
    pub(crate) ignores_abort: bool,
    /// How many bytes of a body are read in a second.
    pub(crate) limit_rate: Option<Template>,
    /// The largest head, in bytes.
    pub(crate) largest_head: usize,
    /// When early hints are passed on: where one of these comes to something.
    pub(crate) early_hints: Box<[Template]>,
    /// Whether an answer's trailers are passed on.
    pub(crate) trailers: bool,
    /// The fields that clients do not get.
    pub(crate) hide: Box<[HeaderName]>,
    /// Whether parts are cut out of answers.
    pub(crate) force_ranges: bool,
    /// Whether an answer may send its request elsewhere.
    pub(crate) obeys_redirect: bool,
    /// Whether an answer may say how fast it is read.
    pub(crate) obeys_limit_rate: bool,
    /// Whether an answer with an `error_page` is replaced by it.
    pub(crate) intercept: bool,
    /// What becomes of places that answers name.
    pub(crate) redirects: Box<[Replace]>,
    /// What becomes of their cookies.
    pub(crate) cookies: Option<Box<Cookies>>,
}

/// What becomes of cookies.
#[derive(Debug)]
pub(crate) struct Cookies {
    /// Of their domains.
    pub(crate) domain: Box<[Replace]>,
    /// Of their paths.
    pub(crate) path: Box<[Replace]>,
    /// Of their flags.
    pub(crate) flags: Box<[Flags]>,
}

/// What is looked for.
#[derive(Debug)]
pub(crate) enum Looked {
    /// This text.
    Text(Template),
    /// What this matches.
    Regex(Regex),
}

/// What is looked for, and what takes its place.
#[derive(Debug)]
pub(crate) struct Replace {
    /// What is looked for.
    pub(crate) from: Looked,
    /// What takes its place.
    pub(crate) to: Template,
}

/// The flags of one cookie.
#[derive(Debug)]
pub(crate) struct Flags {
    /// Its name.
    pub(crate) cookie: Looked,
    /// The words, each with what it does.
    pub(crate) words: Box<[Template]>,
}

impl Forwarding {
    /// The servers that this request goes to.
    pub(super) fn group(&self, record: &Record) -> Result<Cow<'_, Group>, Refusal> {
        match &self.towards {
            Towards::Group(group) => Ok(Cow::Borrowed(group)),
            Towards::Text(url, directory) => find(record, url, directory).map(Cow::Owned),
        }
    }
}

impl Forwarding {
    /// `$proxy_host` and `$proxy_port`; of a URL with variables, once it has come to something.
    pub(super) fn write_destination(
        &self,
        record: &Record,
        variable: &Variable,
        out: &mut Vec<u8>,
    ) -> bool {
        let passed = record.course.passed.borrow();
        let (host, port) = match (&self.towards, &*passed) {
            (Towards::Group(_), _) => (&self.proxy_host, &self.proxy_port),
            (Towards::Text(..), Some(passed)) => (&passed.host, &passed.port),
            (Towards::Text(..), None) => return false,
        };
        let is_host = matches!(variable, Variable::ProxyHost);
        out.extend_from_slice(if is_host { host.as_bytes() } else { port.as_bytes() });
        true
    }
}

/// What a URL with variables comes to; it is kept with the request.
fn find(record: &Record, url: &Template, directory: &Directory) -> Result<Group, Refusal> {
    let mut text = Vec::new();
    url.render(record, &mut text);
    let text = String::from_utf8_lossy(&text);
    let (to, uri) = Destination::parse(&text).map_err(|why| {
        let shown = text.split_once("://").map_or(&*text, |(_, rest)| rest);
        match why {
            NoDestination::Prefix => {
                record.log(Level::Error, None, format_args!("{why} in \"{text}\""));
            }
            _ => record.log(Level::Error, None, format_args!("{why} in upstream \"{shown}\"")),
        }
        Refusal::Status(StatusCode::INTERNAL_SERVER_ERROR)
    })?;
    let unix = to.host.starts_with("unix:");
    let passed = Passed {
        host: match to.port.filter(|port| *port != 80) {
            _ if unix => "localhost".into(),
            Some(port) => format!("{}:{port}", to.host).into(),
            None => to.host.into(),
        },
        port: if unix { "".into() } else { to.port.unwrap_or(80).to_string().into() },
        uri: if uri.starts_with('?') { format!("/{uri}").into() } else { uri.into() },
    };
    record.course.passed.replace(Some(Box::new(passed)));
    directory.find(to).ok_or_else(|| {
        let name = to.host;
        record.log(Level::Error, None, format_args!("no resolver defined to resolve {name}"));
        Refusal::Status(StatusCode::BAD_GATEWAY)
    })
}
