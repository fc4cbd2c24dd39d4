//! The trailers of a server's answer: the fields behind its last chunk.

use super::failure::Failure;
use super::invalid;
use crate::framing::Body;

/// Trailers on their way.
#[derive(Debug)]
pub(super) struct Trailers {
    /// Their bytes as they come, and how many there may be.
    bytes: Vec<u8>,
    most: usize,
}

impl Trailers {
    /// Of at most so many bytes (nginx: `proxy_buffer_size`).
    pub(super) fn new(most: usize) -> Self {
        Self { bytes: Vec::new(), most }
    }

    /// Takes bytes of the answer as [`Body::content`] does, and keeps those that belong here.
    pub(super) fn take(
        &mut self,
        framing: &mut Body,
        bytes: &[u8],
        content: &mut Vec<u8>,
    ) -> Result<usize, Failure> {
        let mut ahead = *framing;
        let at = ahead.before_trailers(bytes);
        let (front, rest) = bytes.split_at_checked(at).unwrap_or((bytes, b""));
        let mut taken = framing.content(front, content);
        if taken == front.len() {
            let behind = framing.follow(rest);
            self.bytes.extend_from_slice(rest.get(..behind).unwrap_or_default());
            taken += behind;
        }
        if self.bytes.len() > self.most {
            return Err(Failure::invalid_body("too big trailers"));
        }
        if framing.is_lost()
            && let Some(failure) = invalid::trailer(&self.bytes)
        {
            return Err(failure);
        }
        Ok(taken)
    }

    /// All have come: the lines that they go out in.
    pub(super) fn finish(self) -> Result<Vec<u8>, Failure> {
        if let Some(failure) = invalid::trailer(&self.bytes) {
            return Err(failure);
        }
        let mut lines = Vec::with_capacity(self.bytes.len());
        for line in self.bytes.split(|byte| *byte == b'\n') {
            let Some(at) = line.iter().position(|byte| *byte == b':') else { continue };
            let (name, value) = line.split_at_checked(at).unwrap_or_default();
            let value = value.get(1..).unwrap_or_default().trim_ascii();
            for part in [name, b": ", value, b"\r\n"] {
                lines.extend_from_slice(part);
            }
        }
        Ok(lines)
    }
}
