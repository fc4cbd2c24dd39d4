//! Early hints: a server's 103 on its way to the client.

use std::rc::Rc;

use http::{HeaderName, Version};

use super::access::holds;
use super::forward::Forwarded;
use super::record::Record;
use super::trailers::passed;
use crate::upstream::Hints;

/// Who is told of them.
#[derive(Debug)]
pub(super) struct Hinted<'a> {
    record: Rc<Record>,
    hide: &'a [HeaderName],
}

impl<'a> Forwarded<'a> {
    /// Who is told of early hints, where the configuration wants somebody to be.
    pub(super) fn hinted(&self) -> Option<Hinted<'a>> {
        let forwarding = self.forwarding;
        let passing = &forwarding.passing;
        let wanted = self.record.head.version == Version::HTTP_11
            && passing.early_hints.iter().any(|text| holds(&self.record, text));
        wanted.then(|| Hinted { record: self.record.clone(), hide: &passing.hide })
    }
}

impl Hints for Hinted<'_> {
    fn hint(&self, head: &[u8]) {
        let line = head.iter().position(|byte| *byte == b'\n').unwrap_or(head.len());
        let mut fields = Vec::new();
        passed(head.get(line..).unwrap_or_default(), self.hide, &mut fields);
        if !fields.is_empty() {
            let mut out = self.record.client.interim.borrow_mut();
            for part in [&b"HTTP/1.1 103 Early Hints\r\n"[..], &fields, b"\r\n"] {
                out.extend_from_slice(part);
            }
        }
    }
}
