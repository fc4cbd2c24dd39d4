//! The messages of one connection, masked in advance, so that sending one costs next to nothing.

/// Final frame, binary message (RFC 6455, section 5.2).
const BINARY: u8 = 0x82;
/// The bit of the second byte that says a masking key follows.
const MASKED: u8 = 0x80;
/// Octets of a masking key.
const KEY: usize = 4;
/// Octets of the longest header of a client's frame: two, a length of eight, the key.
const HEAD: usize = 10 + KEY;
/// Octets at the start of a payload that tell one message from all others of the run.
const STAMP: usize = 8;

/// A message that is to be sent, and what is to come back.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Message<'a> {
    /// The frame, masked.
    pub(crate) frame: &'a [u8],
    /// The payload, not masked.
    pub(crate) payload: &'a [u8],
}

/// Makes a connection's messages one after the other, in place.
///
/// The masking key is the connection's own and stays. RFC 6455 wants an unpredictable one for each
/// frame to protect proxies from hostile scripts; here nobody but this program chooses the bytes.
#[derive(Debug)]
pub(crate) struct Messages {
    /// Room for the longest header, then the payload, masked.
    sent: Vec<u8>,
    payload: Vec<u8>,
    key: [u8; KEY],
    connection: u32,
    sequence: u32,
}

impl Messages {
    /// Of a connection, with payloads of `largest` bytes at most.
    pub(crate) fn new(connection: u32, largest: usize) -> Self {
        let key = (connection ^ 0x5bd1_e995).wrapping_mul(0x9e37_79b1).to_be_bytes();
        let skip = usize::try_from(connection % 251).unwrap_or(0);
        let payload: Vec<u8> = (0..=250).cycle().skip(skip).take(largest).collect();
        let mut sent = vec![0; HEAD];
        sent.extend(payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
        Self { sent, payload, key, connection, sequence: 0 }
    }

    /// The next one, of `size` bytes; unlike all others, if it has room for eight.
    pub(crate) fn next(&mut self, size: usize) -> Message<'_> {
        self.sequence = self.sequence.wrapping_add(1);
        let [a, b, c, d] = self.sequence.to_be_bytes();
        let [e, f, g, h] = self.connection.to_be_bytes();
        let stamp: [u8; STAMP] = [d, c, b, a, e, f, g, h];
        let masked = self.sent.iter_mut().skip(HEAD).zip(self.key.iter().cycle());
        for (((masked, key), plain), stamp) in masked.zip(&mut self.payload).zip(stamp) {
            *plain = stamp;
            *masked = stamp ^ key;
        }
        let start = self.write_header(size);
        Message {
            frame: self.sent.get(start..HEAD + size).unwrap_or_default(),
            payload: self.payload.get(..size).unwrap_or_default(),
        }
    }

    /// Writes the header so that it ends where the payload starts. Says where it starts.
    fn write_header(&mut self, size: usize) -> usize {
        let mut header = [0; HEAD];
        let length = match (u8::try_from(size), u16::try_from(size)) {
            (Ok(short @ ..126), _) => {
                put(&mut header, 0, &[BINARY, MASKED | short]);
                2
            }
            (_, Ok(medium)) => {
                put(&mut header, 0, &[BINARY, MASKED | 126]);
                put(&mut header, 2, &medium.to_be_bytes());
                4
            }
            _ => {
                put(&mut header, 0, &[BINARY, MASKED | 127]);
                put(&mut header, 2, &u64::try_from(size).unwrap_or(u64::MAX).to_be_bytes());
                10
            }
        };
        put(&mut header, length, &self.key);
        let start = HEAD - KEY - length;
        put(&mut self.sent, start, header.get(..length + KEY).unwrap_or_default());
        start
    }
}

fn put(into: &mut [u8], at: usize, bytes: &[u8]) {
    if let Some(place) = into.get_mut(at..at + bytes.len()) {
        place.copy_from_slice(bytes);
    }
}

/// A masked control frame with a payload of 125 bytes at most.
pub(crate) fn control(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let payload = payload.get(..payload.len().min(125)).unwrap_or_default();
    // The key zero: it changes nothing.
    let length = u8::try_from(payload.len()).unwrap_or(0);
    let mut frame = vec![0x80 | opcode, MASKED | length, 0, 0, 0, 0];
    frame.extend_from_slice(payload);
    frame
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use tokio_tungstenite::tungstenite::protocol::Role;
    use tokio_tungstenite::tungstenite::{Message as Whole, WebSocket};

    use super::*;

    /// Reads the bytes as a server does that trusts nobody.
    fn read(bytes: &[u8]) -> Whole {
        struct Bytes<'a>(&'a [u8]);
        impl std::io::Read for Bytes<'_> {
            fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
                self.0.read(into)
            }
        }
        impl std::io::Write for Bytes<'_> {
            fn write(&mut self, from: &[u8]) -> std::io::Result<usize> {
                Ok(from.len())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        WebSocket::from_raw_socket(Bytes(bytes), Role::Server, None).read().unwrap()
    }

    #[test]
    fn a_server_reads_what_was_meant() {
        for size in [0, 1, 7, 8, 125, 126, 65_535, 65_536, 1 << 20] {
            let mut messages = Messages::new(7, 1 << 20);
            for _ in 0..2 {
                let message = messages.next(size);
                assert_eq!(message.payload.len(), size);
                assert_eq!(read(message.frame), Whole::binary(message.payload.to_vec()), "{size}");
            }
        }
        assert_eq!(read(&control(9, b"hi")), Whole::Ping(b"hi".to_vec().into()));
    }

    #[test]
    fn no_two_messages_are_alike() {
        let (mut one, mut other) = (Messages::new(1, 32), Messages::new(2, 32));
        let mut seen = HashSet::new();
        for _ in 0..300 {
            assert!(seen.insert(one.next(32).payload.to_vec()));
            assert!(seen.insert(other.next(8).payload.to_vec()));
        }
    }
}
