//! Messages prepared in advance, so that sending one and checking its echo costs next to nothing.

/// The key that every client names in its upgrade request: the one of RFC 6455, section 1.3.
pub(crate) const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

/// Final frame, binary message (RFC 6455, section 5.2).
const BINARY: u8 = 0x82;
/// The bit of the second byte that says a masking key follows.
pub(crate) const MASKED: u8 = 0x80;
/// Octets of a masking key.
pub(crate) const KEY_LENGTH: usize = 4;
/// Octets at the start of a payload that tell one message from all others of its load.
const STAMP: usize = 8;

/// A binary message in one frame, as the client sends it and as it should come back.
///
/// The masking key is zero, which RFC 6455 allows: the payload is the same on both ways, and
/// neither the load nor the worker spends CPU on masking. The fronts don't unmask.
#[derive(Debug)]
pub(crate) struct Message {
    sent: Vec<u8>,
    echo: Vec<u8>,
    /// Where the payload starts in the echo.
    payload: usize,
    connection: u32,
    sequence: u32,
}

impl Message {
    /// Of `size` payload bytes (8 at least), unlike those of other connections.
    pub(crate) fn new(connection: u32, size: usize) -> Self {
        let pattern = (0..=250).cycle().skip(usize::try_from(connection % 251).unwrap_or(0));
        let payload: Vec<u8> = pattern.take(size.max(STAMP)).collect();
        let mut sent = header(payload.len(), MASKED);
        sent.extend([0; KEY_LENGTH]);
        sent.extend(&payload);
        let mut echo = header(payload.len(), 0);
        let start = echo.len();
        echo.extend(&payload);
        Self { sent, echo, payload: start, connection, sequence: 0 }
    }

    /// Makes it the next message of its connection: unlike all that were sent before.
    pub(crate) fn advance(&mut self) {
        self.sequence = self.sequence.wrapping_add(1);
        let [a, b, c, d] = self.connection.to_be_bytes();
        let [e, f, g, h] = self.sequence.to_be_bytes();
        let start = self.payload;
        for (frame, start) in [(&mut self.sent, start + KEY_LENGTH), (&mut self.echo, start)] {
            if let Some(stamp) = frame.get_mut(start..start + STAMP) {
                stamp.copy_from_slice(&[a, b, c, d, e, f, g, h]);
            }
        }
    }

    /// The bytes to send.
    pub(crate) fn sent(&self) -> &[u8] {
        &self.sent
    }

    /// The bytes that should come back.
    pub(crate) fn echo(&self) -> &[u8] {
        &self.echo
    }
}

/// A frame header's lengths, in octets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    /// The header's own length, masking key included.
    pub(crate) length: usize,
    /// The payload's length.
    pub(crate) payload: usize,
}

impl Header {
    /// Reads the header that `bytes` starts with; `None` while it is not complete.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let (&[_, second], rest) = bytes.split_first_chunk()?;
        let key = if second & MASKED == 0 { 0 } else { KEY_LENGTH };
        let (extended, payload) = match second & !MASKED {
            126 => (2, u64::from(u16::from_be_bytes(*rest.first_chunk()?))),
            127 => (8, u64::from_be_bytes(*rest.first_chunk()?)),
            short => (0, u64::from(short)),
        };
        let length = 2 + extended + key;
        let payload = usize::try_from(payload).ok()?;
        (bytes.len() >= length).then_some(Self { length, payload })
    }
}

fn header(payload: usize, masked: u8) -> Vec<u8> {
    let mut header = vec![BINARY];
    match (u8::try_from(payload), u16::try_from(payload)) {
        (Ok(short @ ..126), _) => header.push(masked | short),
        (_, Ok(medium)) => {
            header.push(masked | 126);
            header.extend(medium.to_be_bytes());
        }
        _ => {
            header.push(masked | 127);
            header.extend(u64::try_from(payload).unwrap_or(u64::MAX).to_be_bytes());
        }
    }
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_comes_back_without_its_mask() {
        for (size, header) in [(32, 2), (125, 2), (126, 4), (16 << 10, 4), (1 << 20, 10)] {
            let message = Message::new(7, size);
            assert_eq!(
                Header::read(message.sent()),
                Some(Header { length: header + KEY_LENGTH, payload: size })
            );
            assert_eq!(
                Header::read(message.echo()),
                Some(Header { length: header, payload: size })
            );
            assert!(message.sent().ends_with(&message.echo()[header..]), "{size}");
        }
    }

    #[test]
    fn no_two_messages_are_alike() {
        let (mut one, mut other) = (Message::new(1, 32), Message::new(2, 32));
        let mut seen = std::collections::HashSet::new();
        for _ in 0..100 {
            one.advance();
            other.advance();
            assert!(seen.insert(one.echo().to_vec()) && seen.insert(other.echo().to_vec()));
            assert!(one.sent().ends_with(&one.echo()[2..]));
        }
    }

    #[test]
    fn a_header_is_read_once_it_is_whole() {
        let sent = Message::new(0, 1 << 20).sent;
        assert!((0..14).all(|cut| Header::read(&sent[..cut]).is_none()));
        assert!(Header::read(&sent[..14]).is_some());
    }
}
