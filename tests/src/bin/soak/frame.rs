//! WebSocket frames: what a client writes, and what it reads, with the way in which it ended.

use tokio::io::{AsyncRead, AsyncReadExt as _};

pub(crate) const CONTINUATION: u8 = 0x0;
pub(crate) const BINARY: u8 = 0x2;
pub(crate) const CLOSE: u8 = 0x8;
pub(crate) const PING: u8 = 0x9;
pub(crate) const PONG: u8 = 0xa;

/// Appends a frame, masked with this key (RFC 6455, section 5.2).
pub(crate) fn write(into: &mut Vec<u8>, is_final: bool, opcode: u8, key: [u8; 4], payload: &[u8]) {
    into.push(if is_final { 0x80 } else { 0 } | opcode);
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(short @ ..126), _) => into.push(0x80 | short),
        (_, Ok(medium)) => {
            into.push(0x80 | 126);
            into.extend(medium.to_be_bytes());
        }
        _ => {
            into.push(0x80 | 127);
            into.extend(u64::try_from(payload.len()).unwrap().to_be_bytes());
        }
    }
    into.extend(key);
    into.extend(payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
}

/// What came.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) opcode: u8,
    pub(crate) payload: Vec<u8>,
}

/// Why no more comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// A Close frame with this code; 1005 for none.
    Close(u16),
    /// The connection was closed between two frames.
    Between,
    /// It was closed within a frame.
    Within,
    /// It was reset.
    Reset,
}

/// What was read and is not taken yet.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    bytes: Vec<u8>,
}

impl Inbox {
    /// An inbox with what came behind the handshake.
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        Self { bytes }
    }

    /// The next frame. Dropping it on the way loses nothing.
    pub(crate) async fn frame(
        &mut self,
        from: &mut (impl AsyncRead + Unpin),
    ) -> Result<Frame, End> {
        loop {
            if let Some((frame, length)) = self.first() {
                self.bytes.drain(..length);
                return match (frame.opcode, frame.payload.as_slice()) {
                    (CLOSE, [high, low, ..]) => Err(End::Close(u16::from_be_bytes([*high, *low]))),
                    (CLOSE, _) => Err(End::Close(1005)),
                    _ => Ok(frame),
                };
            }
            self.bytes.reserve(4096);
            match from.read_buf(&mut self.bytes).await {
                Ok(0) if self.bytes.is_empty() => return Err(End::Between),
                Ok(0) => return Err(End::Within),
                Ok(_) => {}
                Err(_reset) => return Err(End::Reset),
            }
        }
    }

    /// The first frame and its length with its header, once it is whole. A server does not mask.
    fn first(&self) -> Option<(Frame, usize)> {
        let (&[first, second], rest) = self.bytes.split_first_chunk()?;
        let (extended, payload) = match second {
            126 => (2, u64::from(u16::from_be_bytes(*rest.first_chunk()?))),
            127 => (8, u64::from_be_bytes(*rest.first_chunk()?)),
            short => (0, u64::from(short)),
        };
        let start = 2 + extended;
        let end = start + usize::try_from(payload).ok()?;
        let payload = self.bytes.get(start..end)?.to_vec();
        // The bit that says that this is the message's last frame goes with the rest: echoes are whole.
        Some((Frame { opcode: first & 0x0f, payload }, end))
    }
}
