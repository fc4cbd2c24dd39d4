//! The line of a request whose head never became whole.

use std::rc::Rc;

use http::{Request, request::Parts};

use super::client::Client;
use super::record::{Record, Routed};
use super::refused::Refused;
use crate::observe::Level;

/// Tells the logs of a request whose client left, or was let go, in the middle of its head: the
/// default server's, as nginx has it. Of the head its line is known, or the beginning of it, and
/// what could be read.
pub(crate) fn tell_cut_off(
    client: &Rc<Client>,
    status: u16,
    why: &str,
    line: Box<[u8]>,
    head: Option<Parts>,
) {
    let (number, _) = client.begin();
    let server = client.site.servers.default_server().clone();
    let head = head.unwrap_or_else(nothing);
    let refused = Refused { number, status, why: why.into(), line, head: None };
    let record = Record::new(client.clone(), number, head, Box::default(), Some(Box::new(refused)));
    record.course.enter(server.rules.clone());
    // A record is routed once.
    let _ = record.routed.set(Routed { host: "".into(), port: None, server });
    record.status.set(status);
    record.log(Level::Info, None, format_args!("{why}"));
}

fn nothing() -> Parts {
    Request::new(()).into_parts().0
}
