//! The body that is a file, or parts of it.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use bytes::Bytes;

/// How much is read at once: what a client that does not read costs is a few of these.
const PIECE: usize = 32 * 1024;

/// What is left to be sent.
#[derive(Debug)]
pub(in super::super) struct Pieces {
    file: File,
    parts: VecDeque<Part>,
    left: u64,
}

/// A part of the body.
#[derive(Debug)]
pub(super) enum Part {
    /// Text between the parts of the file.
    Text(Bytes),
    /// The file from here to there.
    File(u64, u64),
}

impl Part {
    fn length(&self) -> u64 {
        match self {
            Self::Text(text) => u64::try_from(text.len()).unwrap_or(u64::MAX),
            Self::File(start, end) => end.saturating_sub(*start),
        }
    }
}

impl Pieces {
    pub(super) fn new(file: File, parts: impl IntoIterator<Item = Part>) -> Self {
        let parts: VecDeque<_> = parts.into_iter().filter(|part| part.length() > 0).collect();
        let left = parts.iter().map(Part::length).sum();
        Self { file, parts, left }
    }

    /// How many bytes are left.
    pub(in super::super) fn left(&self) -> u64 {
        self.left
    }

    /// The next piece; none when all was read.
    ///
    /// # Errors
    /// The file cannot be read, or is shorter than it was.
    pub(in super::super) fn next(&mut self) -> io::Result<Option<Bytes>> {
        let bytes = match self.parts.pop_front() {
            None => return Ok(None),
            Some(Part::Text(text)) => text,
            Some(Part::File(start, end)) => {
                let length = usize::try_from(end - start).unwrap_or(PIECE).min(PIECE);
                let mut piece = vec![0; length];
                let read = self.file.read_at(&mut piece, start)?;
                if read == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                piece.truncate(read);
                let next = start + u64::try_from(read).unwrap_or(0);
                if next < end {
                    self.parts.push_front(Part::File(next, end));
                }
                Bytes::from(piece)
            }
        };
        self.left -= u64::try_from(bytes.len()).unwrap_or(0).min(self.left);
        Ok(Some(bytes))
    }
}
