//! A request that was refused before it became one.

use http::request::Parts;

use super::client::Client;

/// A request head that was refused before it became a request.
#[derive(Debug)]
pub(crate) struct Refused {
    /// Its position among the requests of its connection, from 1.
    pub(crate) number: u64,
    /// The status to be answered; 494 as nginx has it: 400 with a word about the size.
    pub(crate) status: u16,
    /// What the client has sent, for the log.
    pub(crate) why: Box<str>,
    /// Its request line as it came, or as much as there is of it.
    pub(crate) line: Box<[u8]>,
    /// What could be read of it; nothing when the request line is none.
    pub(crate) head: Option<Parts>,
}

impl Client {
    /// The refusal of this request, if it is refused.
    pub(super) fn take_refused(&self, number: u64) -> Option<Box<Refused>> {
        self.refused.borrow_mut().take_if(|refused| refused.number == number)
    }
}
