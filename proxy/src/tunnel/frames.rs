//! Where one WebSocket frame ends and the next begins (RFC 6455, section 5.2), from the headers
//! alone: no payload is unmasked or copied, but for the two bytes of a close code.

use serde::{Deserialize, Serialize};

use crate::observe::message;

/// The longest header: two bytes, a length of eight, a key of four.
const LONGEST: usize = 14;

/// What one direction of a tunnel has carried: 40 bytes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Tracker {
    /// Bytes of the present frame's payload that have not come.
    left: u64,
    /// Messages whose last frame has come whole.
    messages: u32,
    /// The bytes of the present message that its headers have announced, and those of the longest.
    size: u32,
    longest: u32,
    /// The header that is coming; of a Close the one that came, and behind it the code.
    head: [u8; LONGEST],
    /// How much of it has; of a Close's code, while that comes.
    have: u8,
    phase: Phase,
    /// The first byte of the present frame.
    first: u8,
    /// Whether this direction's frames are masked: a client's are.
    masked: bool,
    /// Whether a message has begun whose last frame has not.
    fragmented: bool,
    /// Whether it runs ahead of another one, which counts what comes.
    #[serde(default)]
    ahead: bool,
}

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Phase {
    /// A header, or the rest of one.
    Header,
    /// Payload.
    Payload,
    /// Nothing: a Close has passed.
    Closed,
    /// Nobody knows: what came was no frame, or is none of WebSocket's.
    Lost,
}

/// What a header says.
struct Frame {
    first: u8,
    payload: u64,
    /// How long the header is.
    length: usize,
}

impl Tracker {
    /// At the start of a client's frames.
    pub(crate) fn of_client() -> Self {
        Self::new(true, Phase::Header)
    }

    /// At the start of a server's frames.
    pub(crate) fn of_server() -> Self {
        Self::new(false, Phase::Header)
    }

    /// Of what is not WebSocket.
    pub(super) fn lost() -> Self {
        Self::new(false, Phase::Lost)
    }

    fn new(masked: bool, phase: Phase) -> Self {
        Self {
            left: 0,
            messages: 0,
            size: 0,
            longest: 0,
            head: [0; LONGEST],
            have: 0,
            phase,
            first: 0,
            masked,
            fragmented: false,
            ahead: false,
        }
    }

    /// One that runs ahead of it.
    pub(super) fn ahead(&self) -> Self {
        Self { ahead: true, ..self.clone() }
    }

    /// Whether it knows where it is.
    pub(crate) fn is_lost(&self) -> bool {
        self.phase == Phase::Lost
    }

    /// Whether frames are masked here: a client's are.
    pub(super) fn is_masked_here(&self) -> bool {
        self.masked
    }

    /// Whether a frame may be put in here.
    pub(crate) fn is_between_frames(&self) -> bool {
        self.phase == Phase::Header && self.have == 0
    }

    /// Whether a Close has passed.
    pub(crate) fn is_closed(&self) -> bool {
        self.phase == Phase::Closed
    }

    /// Whether an end here is one that nobody has announced.
    pub(super) fn lacks_close(&self) -> bool {
        match self.phase {
            Phase::Header => true,
            Phase::Payload => !self.is_close(),
            Phase::Closed | Phase::Lost => false,
        }
    }

    /// Whether a header has come in part.
    pub(super) fn is_in_header(&self) -> bool {
        self.phase == Phase::Header && self.have > 0
    }

    /// How long the longest message is, by what its headers have announced; 4 GB and more are the same.
    pub(super) fn longest(&self) -> u32 {
        self.longest
    }

    /// Messages that have come whole.
    pub(super) fn messages(&self) -> u32 {
        self.messages
    }

    /// The code of the Close that has passed: 1005 where it had none (RFC 6455, 7.1.5).
    pub(super) fn close_code(&self) -> Option<u16> {
        let [.., high, low] = self.head;
        self.is_closed().then_some(if self.have == 2 {
            u16::from_be_bytes([high, low])
        } else {
            1005
        })
    }

    /// How many bytes may come that nobody looks at.
    pub(super) fn payload_left(&self) -> u64 {
        match self.phase {
            Phase::Payload if !self.is_close() => self.left,
            Phase::Lost => u64::MAX,
            _ => 0,
        }
    }

    /// So many bytes have come that nobody has looked at, no more than [`Tracker::payload_left`].
    pub(super) fn pass(&mut self, bytes: u64) {
        if self.phase == Phase::Payload {
            self.left = self.left.saturating_sub(bytes);
            if self.left == 0 {
                self.end();
            }
        }
    }

    /// These bytes have come.
    pub(crate) fn see(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && !matches!(self.phase, Phase::Closed | Phase::Lost) {
            let taken = self.step(bytes);
            bytes = bytes.get(taken..).unwrap_or_default();
        }
    }

    /// How many of these bytes, which come next, belong to the frame under way. They are seen.
    pub(crate) fn finish(&mut self, bytes: &[u8]) -> usize {
        let mut taken = 0;
        while let Some(rest) = bytes.get(taken..).filter(|rest| !rest.is_empty())
            && !self.is_between_frames()
            && !matches!(self.phase, Phase::Closed | Phase::Lost)
        {
            taken += self.step(rest);
        }
        taken
    }

    /// Takes a header, or payload, or what there is of it.
    fn step(&mut self, bytes: &[u8]) -> usize {
        if self.phase == Phase::Header {
            return self.header(bytes);
        }
        let here = u64::try_from(bytes.len()).unwrap_or(u64::MAX).min(self.left);
        let taken = usize::try_from(here).unwrap_or(bytes.len());
        if self.is_close() {
            self.read_code(bytes.get(..taken).unwrap_or_default());
        }
        self.pass(here);
        taken
    }

    fn header(&mut self, bytes: &[u8]) -> usize {
        if self.have == 0
            && let Some(frame) = Frame::read(bytes)
        {
            // Most headers come in one piece.
            self.begin(&frame, bytes);
            return frame.length;
        }
        let mut taken = 0;
        for byte in bytes {
            if let Some(place) = self.head.get_mut(usize::from(self.have)) {
                *place = *byte;
            }
            self.have += 1;
            taken += 1;
            let head = self.head;
            let have = head.get(..usize::from(self.have)).unwrap_or_default();
            if let Some(frame) = Frame::read(have) {
                self.begin(&frame, &head);
                break;
            }
        }
        taken
    }

    /// A frame with this header begins.
    fn begin(&mut self, frame: &Frame, head: &[u8]) {
        let (last, opcode, control) =
            (frame.first & 0x80 != 0, frame.first & 0x0f, frame.first & 8 != 0);
        let masked = head.get(1).is_some_and(|byte| byte & 0x80 != 0);
        let sound = match opcode {
            0 => self.fragmented,
            1 | 2 => !self.fragmented,
            8..=10 => last && frame.payload <= 125,
            _ => false,
        };
        if !sound || masked != self.masked || frame.payload > u64::MAX / 2 {
            self.phase = Phase::Lost;
            return;
        }
        if !control {
            let payload = u32::try_from(frame.payload).unwrap_or(u32::MAX);
            self.size = if opcode == 0 { self.size.saturating_add(payload) } else { payload };
            self.longest = self.longest.max(self.size);
            self.fragmented = !last;
        }
        if opcode == 8
            && let Some(head) = head.get(..frame.length)
            && let Some(kept) = self.head.get_mut(..frame.length)
        {
            kept.copy_from_slice(head);
        }
        (self.first, self.left, self.phase, self.have) =
            (frame.first, frame.payload, Phase::Payload, 0);
        if self.left == 0 {
            self.end();
        }
    }

    /// The present frame has come whole.
    fn end(&mut self) {
        self.phase = if self.is_close() { Phase::Closed } else { Phase::Header };
        if self.first & 0x88 == 0x80 {
            self.messages = self.messages.saturating_add(1);
            if !self.ahead {
                message(self.size);
            }
        }
    }

    fn is_close(&self) -> bool {
        self.first & 0x0f == 8
    }

    /// Keeps the first two bytes of a Close, without their mask.
    fn read_code(&mut self, payload: &[u8]) {
        // The key stands behind the first two bytes of a header this short, the code at the end.
        for byte in payload.iter().take(2_usize.saturating_sub(self.have.into())) {
            let place = usize::from(self.have);
            let key = self.head.get(2 + place).copied().filter(|_| self.masked).unwrap_or(0);
            if let Some(code) = self.head.get_mut(LONGEST - 2 + place) {
                *code = byte ^ key;
            }
            self.have += 1;
        }
    }
}

impl Frame {
    /// The header at the start of these bytes, if it is whole.
    fn read(bytes: &[u8]) -> Option<Self> {
        let [first, second, rest @ ..] = bytes else { return None };
        let key = if second & 0x80 != 0 { 4 } else { 0 };
        let (payload, length) = match second & 0x7f {
            126 => (u16::from_be_bytes(*rest.first_chunk()?).into(), 4 + key),
            127 => (u64::from_be_bytes(*rest.first_chunk()?), 10 + key),
            short => (short.into(), 2 + key),
        };
        (bytes.len() >= length).then_some(Self { first: *first, payload, length })
    }
}

/// A Ping frame that says this; towards a server with a key of its own.
pub(super) fn ping(mut payload: [u8; 8], key: Option<[u8; 4]>) -> Vec<u8> {
    frame(0x89, &mut payload, key)
}

/// What a Pong frame says, if it is as long as what our pings say.
pub(super) fn pong_payload(frame: &[u8]) -> Option<[u8; 8]> {
    match frame {
        [0x8a, 8, payload @ ..] => payload.try_into().ok(),
        [0x8a, 0x88, a, b, c, d, payload @ ..] => {
            let mut payload: [u8; 8] = payload.try_into().ok()?;
            let key = [a, b, c, d].into_iter().cycle();
            payload.iter_mut().zip(key).for_each(|(byte, key)| *byte ^= key);
            Some(payload)
        }
        _ => None,
    }
}

/// A Close frame with this code and these words, which fit (RFC 6455, 5.5.1); towards a server with
/// a key of its own.
pub(super) fn close(code: u16, reason: &str, key: Option<[u8; 4]>) -> Vec<u8> {
    let mut payload = code.to_be_bytes().to_vec();
    payload.extend(reason.bytes().take(123));
    frame(0x88, &mut payload, key)
}

/// A control frame.
fn frame(first: u8, payload: &mut [u8], key: Option<[u8; 4]>) -> Vec<u8> {
    let length = u8::try_from(payload.len()).unwrap_or(125);
    let mut frame = vec![first, length | if key.is_some() { 0x80 } else { 0 }];
    if let Some(key) = key {
        frame.extend(key);
        payload.iter_mut().zip(key.iter().cycle()).for_each(|(byte, key)| *byte ^= key);
    }
    frame.extend_from_slice(payload);
    frame
}

#[cfg(test)]
mod tests;
