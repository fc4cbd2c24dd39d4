//! A client's frames, taken apart.

use std::borrow::Cow;
use std::io::Cursor;

use tungstenite::protocol::frame::FrameHeader;
use tungstenite::protocol::frame::coding::{Control, Data, OpCode};

use super::encode::{put_control, put_header};
use crate::spare;

/// RFC 6455 §5.5: the payload of a control frame has at most 125 bytes.
const CONTROL_MAX: u64 = 125;

/// RFC 6455 §5.2: the longest header of an unmasked frame.
const HEADER_MAX: usize = 10;

/// A gathered message asks for at least this much room, in bytes.
const LEAST_ROOM: usize = 16 * 1024;

/// Takes a client's bytes in pieces of any size and writes the answers.
#[derive(Debug)]
pub(crate) struct Decoder {
    max_size: usize,
    /// A header that came without its end.
    head: Vec<u8>,
    /// The frame whose payload is expected next.
    frame: Option<Frame>,
    /// The message that this frame and perhaps others before it belong to.
    message: Option<Message>,
    /// The payload of a control frame that came in parts.
    control: Vec<u8>,
    awaited_pong: Option<[u8; 4]>,
}

/// Whether more can come.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    /// Every byte was taken.
    Open,
    /// The peer has sent a Close; the answer to it is written, and all that follows is ignored.
    Closed,
}

/// What the peer did wrong: how to close the connection (RFC 6455 §7.1.7).
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// RFC 6455 §7.4.1.
    pub(crate) code: u16,
    /// At most 123 bytes.
    pub(crate) reason: Cow<'static, str>,
}

impl Failure {
    /// A failure with a reason of at most 123 bytes.
    pub(crate) fn new(code: u16, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { code, reason: reason.into() }
    }
}

#[derive(Debug)]
struct Frame {
    opcode: OpCode,
    is_final: bool,
    mask: [u8; 4],
    /// Payload bytes still to come.
    left: usize,
    /// Payload bytes that have come.
    done: usize,
}

#[derive(Debug)]
struct Message {
    is_text: bool,
    /// It is one frame: its size is known from the start.
    is_whole: bool,
    /// The bytes at the start of `data` that are the answer's header; 0 unless `is_whole`.
    header: usize,
    data: Vec<u8>,
}

impl Decoder {
    /// Takes messages of up to `max_size` bytes.
    pub(crate) fn new(max_size: usize) -> Self {
        Self {
            max_size,
            head: Vec::new(),
            frame: None,
            message: None,
            control: Vec::new(),
            awaited_pong: None,
        }
    }

    /// From now until a pong with this payload comes, [`Self::awaits_pong`] is true.
    pub(crate) fn await_pong(&mut self, payload: [u8; 4]) {
        self.awaited_pong = Some(payload);
    }

    /// Whether the last awaited pong is still to come.
    pub(crate) fn awaits_pong(&self) -> bool {
        self.awaited_pong.is_some()
    }

    /// Takes the next bytes and appends the answers to `output`, those before a failure included.
    pub(crate) fn feed(&mut self, mut input: &[u8], output: &mut Vec<u8>) -> Result<Flow, Failure> {
        loop {
            let mut frame = match self.frame.take() {
                Some(frame) => frame,
                None => match self.header(&mut input)? {
                    Some(frame) => frame,
                    None => return Ok(Flow::Open),
                },
            };
            let (part, rest) = input.split_at(frame.left.min(input.len()));
            input = rest;
            frame.left -= part.len();
            match frame.opcode {
                OpCode::Control(kind) => {
                    if self.control(kind, &frame, part, output)? == Flow::Closed {
                        return Ok(Flow::Closed);
                    }
                }
                OpCode::Data(_) => self.data(&frame, part, output)?,
            }
            frame.done += part.len();
            if frame.left > 0 {
                self.frame = Some(frame);
                return Ok(Flow::Open);
            }
        }
    }

    /// Takes a frame's header off the input; `None` when it has not come whole.
    fn header(&mut self, input: &mut &[u8]) -> Result<Option<Frame>, Failure> {
        if self.head.is_empty() {
            let Some((header, len, taken)) = parse(input)? else {
                self.head = std::mem::take(input).to_vec();
                return Ok(None);
            };
            *input = input.get(taken..).unwrap_or_default();
            return self.check(&header, len).map(Some);
        }
        // Once per read at most, and 14 bytes at most: byte by byte will do.
        while let Some((first, rest)) = input.split_first() {
            self.head.push(*first);
            *input = rest;
            if let Some((header, len, _)) = parse(&self.head)? {
                self.head = Vec::new();
                return self.check(&header, len).map(Some);
            }
        }
        Ok(None)
    }

    /// All that a header alone can tell is told here, before any of the payload is read.
    fn check(&mut self, header: &FrameHeader, len: u64) -> Result<Frame, Failure> {
        let wrong = |what: &'static str| Err(Failure::new(1002, what));
        if header.rsv1 || header.rsv2 || header.rsv3 {
            return wrong("reserved bits must be 0");
        }
        let Some(mask) = header.mask else {
            return wrong("a client's frames must be masked");
        };
        match header.opcode {
            OpCode::Control(_) if !header.is_final => return wrong("fragmented control frame"),
            OpCode::Control(_) if len > CONTROL_MAX => return wrong("control frame too long"),
            OpCode::Control(_) => {}
            OpCode::Data(kind) => self.check_data(kind, header.is_final, len)?,
        }
        let left = usize::try_from(len).map_err(|_| Failure::new(1009, "frame too big"))?;
        Ok(Frame { opcode: header.opcode, is_final: header.is_final, mask, left, done: 0 })
    }

    fn check_data(&mut self, kind: Data, is_final: bool, len: u64) -> Result<(), Failure> {
        let before = match (&self.message, kind) {
            (Some(message), Data::Continue) => message.data.len(),
            (Some(_), _) => return Err(Failure::new(1002, "expected a continuation frame")),
            (None, Data::Continue) => {
                return Err(Failure::new(1002, "unexpected continuation frame"));
            }
            (None, _) => 0,
        };
        let size = usize::try_from(len).unwrap_or(usize::MAX).saturating_add(before);
        if size > self.max_size {
            let (limit, least) = (self.max_size, if is_final { "" } else { "at least " });
            let reason = format!("message of {least}{size} bytes exceeds the limit of {limit}");
            return Err(Failure::new(1009, reason));
        }
        if self.message.is_none() {
            let is_text = kind == Data::Text;
            self.message =
                Some(Message { is_text, is_whole: is_final, header: 0, data: Vec::new() });
        }
        Ok(())
    }

    fn data(&mut self, frame: &Frame, part: &[u8], output: &mut Vec<u8>) -> Result<(), Failure> {
        let is_end = frame.left == 0 && frame.is_final;
        let mut message = match self.message.take() {
            Some(message) if is_end => message,
            Some(message) => {
                self.message.insert(message).add(frame, part);
                return Ok(());
            }
            None => return Ok(()),
        };
        if message.is_whole && message.data.is_empty() {
            let start = output.len();
            put_header(opcode(message.is_text), part.len(), output);
            let payload = output.len();
            extend_unmasked(output, part, frame.mask, 0);
            return check_text(message.is_text, output, payload)
                .inspect_err(|_| output.truncate(start));
        }
        message.add(frame, part);
        check_text(message.is_text, &message.data, message.header)?;
        if message.header == 0 {
            put_header(opcode(message.is_text), message.data.len(), output);
        }
        if output.is_empty() {
            std::mem::swap(output, &mut message.data); // a large message is not copied
        } else {
            output.extend_from_slice(&message.data);
        }
        spare::give(message.data);
        Ok(())
    }

    fn control(
        &mut self,
        kind: Control,
        frame: &Frame,
        part: &[u8],
        output: &mut Vec<u8>,
    ) -> Result<Flow, Failure> {
        extend_unmasked(&mut self.control, part, frame.mask, frame.done);
        if frame.left > 0 {
            return Ok(Flow::Open);
        }
        let payload = std::mem::take(&mut self.control);
        match kind {
            Control::Ping => put_control(Control::Pong, &payload, output),
            Control::Pong => {
                if self.awaited_pong.is_some_and(|awaited| awaited == *payload) {
                    self.awaited_pong = None;
                }
            }
            Control::Close => {
                check_close(&payload)?;
                put_control(Control::Close, &payload, output);
                return Ok(Flow::Closed);
            }
            Control::Reserved(_) => return Err(Failure::new(1002, "unknown opcode")),
        }
        Ok(Flow::Open)
    }
}

impl Message {
    fn add(&mut self, frame: &Frame, part: &[u8]) {
        if part.is_empty() {
            return;
        }
        if self.data.is_empty() && part.len() + frame.left >= spare::SMALLEST {
            self.data = spare::take();
        }
        let room = self.data.capacity() - self.data.len();
        if room < part.len() + frame.left {
            // What is announced is believed in steps: who sends little must not hold much.
            let trust = LEAST_ROOM.max(self.data.len().saturating_mul(4));
            self.data.reserve(HEADER_MAX + part.len() + frame.left.min(trust));
        }
        if self.is_whole && self.data.is_empty() {
            put_header(opcode(self.is_text), part.len() + frame.left, &mut self.data);
            self.header = self.data.len();
        }
        extend_unmasked(&mut self.data, part, frame.mask, frame.done);
    }
}

/// The header at the start of `input`, the payload's length and the header's own.
fn parse(input: &[u8]) -> Result<Option<(FrameHeader, u64, usize)>, Failure> {
    let mut cursor = Cursor::new(input);
    let parsed =
        FrameHeader::parse(&mut cursor).map_err(|error| Failure::new(1002, error.to_string()))?;
    Ok(parsed.map(|(header, len)| {
        let taken = usize::try_from(cursor.position()).unwrap_or(input.len());
        (header, len, taken)
    }))
}

/// RFC 6455 §8.1.
fn check_text(is_text: bool, data: &[u8], start: usize) -> Result<(), Failure> {
    let payload = data.get(start..).unwrap_or_default();
    if is_text && std::str::from_utf8(payload).is_err() {
        return Err(Failure::new(1007, "invalid UTF-8 in a text message"));
    }
    Ok(())
}

fn opcode(is_text: bool) -> OpCode {
    OpCode::Data(if is_text { Data::Text } else { Data::Binary })
}

/// RFC 6455 §5.5.1 and §7.4: nothing, or a code that may go over the wire and a reason in UTF-8.
fn check_close(payload: &[u8]) -> Result<(), Failure> {
    match payload {
        [] => Ok(()),
        [_] => Err(Failure::new(1002, "close code cut short")),
        [high, low, reason @ ..] => {
            let code = u16::from_be_bytes([*high, *low]);
            if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
                return Err(Failure::new(1002, "invalid close code"));
            }
            match std::str::from_utf8(reason) {
                Ok(_) => Ok(()),
                Err(_) => Err(Failure::new(1007, "invalid UTF-8 in the close reason")),
            }
        }
    }
}

/// Appends `part`, unmasked. `offset` is its place in the frame's payload.
fn extend_unmasked(data: &mut Vec<u8>, part: &[u8], mut mask: [u8; 4], offset: usize) {
    mask.rotate_left(offset % 4);
    data.reserve(part.len());
    // The same four bytes four times over, whatever the byte order.
    let key = u128::from(u32::from_ne_bytes(mask)) * 0x1_0000_0001_0000_0001_0000_0001;
    // In steps of a page, which is still in the nearest cache when it is unmasked.
    for page in part.chunks(4096) {
        let start = data.len();
        data.extend_from_slice(page);
        let (blocks, rest) = data.get_mut(start..).unwrap_or_default().as_chunks_mut::<16>();
        for block in blocks {
            *block = (u128::from_ne_bytes(*block) ^ key).to_ne_bytes();
        }
        for (byte, key) in rest.iter_mut().zip(mask.iter().cycle()) {
            *byte ^= key;
        }
    }
}

#[cfg(test)]
mod tests;
