//! Where the bytes of one HTTP/1 body end, and which of them are its content (RFC 9112, 6 and 7).

/// How many bytes of extensions and trailers a body may have beside as many as it has content: nobody
/// here reads them, and they are not to be a way to send bytes without end that no limit counts.
const SPARE: u16 = 1 << 14;

/// What is left of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Body {
    /// This many bytes.
    Length(u64),
    /// Chunks.
    Chunked(Chunks),
    /// All that comes until the connection ends.
    UntilClose,
}

/// A chunked body that is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Chunks {
    at: Chunk,
    /// How many bytes of extensions and trailers may still come.
    spare: u16,
}

/// Where in a chunked body the next byte stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Chunk {
    /// At the start of a size.
    Start,
    /// In the size of a chunk, of which this is known.
    Size(u64),
    /// Behind the size, in spaces.
    Space(u64),
    /// In an extension.
    Extension(u64),
    /// The size's line feed.
    SizeEnd(u64),
    /// In the data, of which this much is to come.
    Data(u64),
    /// The carriage return behind the data.
    DataReturn,
    /// The line feed behind the data.
    DataEnd,
    /// At the start of a trailer's line.
    Trailer,
    /// Within a trailer's name.
    TrailerName,
    /// Within a trailer's value.
    TrailerValue,
    /// The line feed of a trailer.
    TrailerEnd,
    /// The last line feed.
    LastEnd,
    /// The body has ended.
    Over,
    /// It is no chunked body: nobody knows where it ends.
    Lost,
}

impl Body {
    /// A chunked body from its start.
    pub(crate) const CHUNKED: Self = Self::Chunked(Chunks { at: Chunk::Start, spare: SPARE });

    /// Whether nothing of it is left.
    pub(crate) fn is_over(self) -> bool {
        matches!(self, Self::Length(0) | Self::Chunked(Chunks { at: Chunk::Over, .. }))
    }

    /// How many of these bytes belong to the body; fewer than there are only at its end.
    pub(crate) fn follow(&mut self, bytes: &[u8]) -> usize {
        match self {
            Self::Length(left) => skip(left, bytes.len()),
            Self::Chunked(chunks) => chunks.follow(bytes),
            Self::UntilClose => bytes.len(),
        }
    }

    /// Moves the content among these bytes to `out`. Says how many of them belong to the body;
    /// fewer than there are only at its end.
    pub(crate) fn content(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> usize {
        let Self::Chunked(chunks) = self else {
            let taken = self.follow(bytes);
            out.extend_from_slice(bytes.get(..taken).unwrap_or_default());
            return taken;
        };
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            if let Chunk::Data(left) = &mut chunks.at {
                let taken = skip(left, rest.len());
                out.extend_from_slice(rest.get(..taken).unwrap_or_default());
                if *left == 0 {
                    chunks.at = Chunk::DataReturn;
                }
                at += taken;
            } else if matches!(chunks.at, Chunk::Over | Chunk::Lost) {
                break;
            } else {
                chunks.step(*rest.first().unwrap_or(&0));
                at += 1;
            }
        }
        at
    }

    /// How many of these bytes are in front of where a chunked body has its trailers.
    pub(crate) fn before_trailers(&mut self, bytes: &[u8]) -> usize {
        let Self::Chunked(chunks) = self else { return self.follow(bytes) };
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            match &mut chunks.at {
                Chunk::Data(left) => {
                    at += skip(left, rest.len());
                    if *left == 0 {
                        chunks.at = Chunk::DataReturn;
                    }
                    continue;
                }
                Chunk::Trailer | Chunk::TrailerName | Chunk::TrailerValue => break,
                Chunk::TrailerEnd | Chunk::LastEnd | Chunk::Over => break,
                Chunk::Lost => return bytes.len(),
                _ => chunks.step(*rest.first().unwrap_or(&0)),
            }
            at += 1;
        }
        at
    }

    /// Whether a chunked body is where its trailers begin.
    pub(crate) fn is_at_trailers(self) -> bool {
        matches!(self, Self::Chunked(Chunks { at: Chunk::Trailer, .. }))
    }

    /// Whether these bytes were not what their framing promised.
    pub(crate) fn is_lost(self) -> bool {
        matches!(self, Self::Chunked(Chunks { at: Chunk::Lost, .. }))
    }
}

impl Chunks {
    fn follow(&mut self, bytes: &[u8]) -> usize {
        let mut at = 0;
        loop {
            if let Chunk::Data(left) = &mut self.at {
                at += skip(left, bytes.len() - at);
                if *left == 0 {
                    self.at = Chunk::DataReturn;
                }
            }
            match (self.at, bytes.get(at)) {
                (Chunk::Lost, _) => return bytes.len(),
                (Chunk::Over, _) | (_, None) => return at,
                (_, Some(byte)) => self.step(*byte),
            }
            at += 1;
        }
    }

    fn step(&mut self, byte: u8) {
        self.at = self.at.next(byte);
        if let Chunk::Data(size) = self.at {
            let size = u16::try_from(size).unwrap_or(u16::MAX);
            self.spare = self.spare.saturating_add(size).min(SPARE);
        } else if self.at.is_spare() {
            match self.spare.checked_sub(1) {
                Some(spare) => self.spare = spare,
                None => self.at = Chunk::Lost,
            }
        }
    }
}

impl Chunk {
    /// Where the byte behind this one stands. Lines end with CR and LF, and have no other CR, LF or
    /// control character: readers that are less strict do not agree on where such a line ends.
    fn next(self, byte: u8) -> Self {
        match (self, byte) {
            (Self::Size(size) | Self::Space(size) | Self::Extension(size), b'\r') => {
                Self::SizeEnd(size)
            }
            (Self::Size(size) | Self::Space(size), b' ' | b'\t') => Self::Space(size),
            (Self::Size(size) | Self::Space(size), b';') => Self::Extension(size),
            (Self::Extension(size), byte) if is_value(byte) => Self::Extension(size),
            (Self::Start, digit) => Self::digit(0, digit),
            (Self::Size(size), digit) => Self::digit(size, digit),
            (Self::SizeEnd(0), b'\n') | (Self::TrailerEnd, b'\n') => Self::Trailer,
            (Self::SizeEnd(size), b'\n') => Self::Data(size),
            (Self::DataReturn, b'\r') => Self::DataEnd,
            (Self::DataEnd, b'\n') => Self::Start,
            (Self::Trailer, b'\r') => Self::LastEnd,
            (Self::TrailerName, b':') => Self::TrailerValue,
            (Self::Trailer | Self::TrailerName, byte) if is_token(byte) => Self::TrailerName,
            (Self::TrailerValue, b'\r') => Self::TrailerEnd,
            (Self::TrailerValue, byte) if is_value(byte) => Self::TrailerValue,
            (Self::LastEnd, b'\n') => Self::Over,
            _ => Self::Lost,
        }
    }

    /// A size with one more digit. No chunk is longer than a file may be.
    fn digit(size: u64, digit: u8) -> Self {
        let digit = char::from(digit).to_digit(16).map(u64::from);
        let size = digit.and_then(|digit| size.checked_mul(16)?.checked_add(digit));
        size.filter(|size| i64::try_from(*size).is_ok()).map_or(Self::Lost, Self::Size)
    }

    /// Whether the byte before belongs to an extension or to a trailer.
    fn is_spare(self) -> bool {
        matches!(self, Self::Space(_) | Self::Extension(_) | Self::TrailerName | Self::TrailerValue)
    }
}

/// What may stand in a field's name (RFC 9110, 5.6.2).
pub(crate) fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// What may stand in its value (RFC 9110, 5.5), and in an extension: no control character but the tab.
pub(crate) fn is_value(byte: u8) -> bool {
    byte == b'\t' || (byte >= b' ' && byte != 0x7f)
}

/// A `Content-Length`: digits only (RFC 9110, 8.6), and no more than a file may be long.
pub(crate) fn length(value: &[u8]) -> Option<u64> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let length: u64 = std::str::from_utf8(value).ok()?.parse().ok()?;
    i64::try_from(length).is_ok().then_some(length)
}

/// Takes up to `most` off `left`, and says how many.
fn skip(left: &mut u64, most: usize) -> usize {
    let taken = usize::try_from(*left).unwrap_or(usize::MAX).min(most);
    *left -= u64::try_from(taken).unwrap_or(*left);
    taken
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_chunked_body_ends_where_it_ends() {
        for body in [
            "0\r\n\r\n",
            "3\r\nabc\r\n0\r\n\r\n",
            "A;x=\"y\"\r\n0123456789\r\n00 \r\nT: 1\r\nU: 2\r\n\r\n",
            "1\r\n\r\r\n1\r\n\n\r\n0\r\n\r\n",
        ] {
            let mut follower = Body::CHUNKED;
            let bytes = format!("{body}GET / HTTP/1.1");
            assert_eq!(follower.follow(bytes.as_bytes()), body.len(), "{body:?}");
            assert!(follower.is_over(), "{body:?}");
        }
    }

    #[test]
    fn sizes_may_be_padded_for_as_long_as_there_is_content() {
        let body = "2  \r\nab\r\n".repeat(usize::from(SPARE)) + "0\r\n\r\n";
        let mut follower = Body::CHUNKED;
        assert_eq!(follower.follow(body.as_bytes()), body.len());
        assert!(follower.is_over());
    }

    #[test]
    fn what_is_no_chunked_body_has_no_end() {
        let long = format!("1;{}\r\n", "x".repeat(SPARE.into()));
        let many = "1;xy\r\n0\r\n".repeat(usize::from(SPARE));
        for body in [
            "zz\r\n",
            "\r\n",
            " 3\r\n",
            "3\nabc",
            "3\r\r\n",
            "3 x\r\n",
            "3;\0\r\n",
            "3;a\rb\r\n",
            "3\r\nabcd\r\n",
            "3\r\nabc\n",
            "11111111111111111\r\n",
            "8000000000000000\r\n",
            "0\r\n\n",
            "0\r\nT\r\n",
            "0\r\nT : 1\r\n",
            "0\r\n fold\r\n",
            "0\r\nT: 1\n\r\n",
            "0\r\nT: \0\r\n",
            &long,
            &many,
        ] {
            let mut follower = Body::CHUNKED;
            assert_eq!(follower.follow(body.as_bytes()), body.len(), "{body:.60?}");
            assert!(follower.is_lost(), "{body:.60?}");
            let mut follower = Body::CHUNKED;
            follower.content(body.as_bytes(), &mut Vec::new());
            assert!(follower.is_lost(), "{body:.60?}");
        }
    }

    #[test]
    fn trailers_begin_behind_the_last_chunk() {
        let (front, end) = ("3\r\nabc\r\n0\r\n", "\r\nHTTP/1.1 200 OK\r\n");
        for cut in 0..front.len() {
            let mut body = Body::CHUNKED;
            assert_eq!(body.before_trailers(&front.as_bytes()[..cut]), cut);
            assert!(!body.is_at_trailers());
            let rest = format!("{}{end}", &front[cut..]);
            assert_eq!(body.before_trailers(rest.as_bytes()), front.len() - cut);
            assert!(body.is_at_trailers());
        }
        let mut lost = Body::CHUNKED;
        assert_eq!(lost.before_trailers(b"anything"), 8);
        assert!(lost.is_lost());
    }

    proptest! {
        #[test]
        fn pieces_make_no_difference(
            chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..40), 0..5),
            cuts in prop::collection::vec(1..20_usize, 1..50),
        ) {
            let mut bytes = Vec::new();
            for chunk in &chunks {
                bytes.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
                bytes.extend_from_slice(chunk);
                bytes.extend_from_slice(b"\r\n");
            }
            bytes.extend_from_slice(b"0\r\nA: b\r\n\r\n");
            let end = bytes.len();
            bytes.extend_from_slice(b"GET / HTTP/1.1\r\n");
            let (mut body, mut at) = (Body::CHUNKED, 0);
            for cut in cuts.iter().cycle() {
                let piece = &bytes[at..(at + cut).min(bytes.len())];
                let taken = body.follow(piece);
                at += taken;
                if taken < piece.len() || at == bytes.len() { break }
            }
            prop_assert!(body.is_over());
            prop_assert_eq!(at, end);
            let (mut body, mut at, mut content) = (Body::CHUNKED, 0, Vec::new());
            for cut in cuts.iter().cycle() {
                let piece = &bytes[at..(at + cut).min(bytes.len())];
                let taken = body.content(piece, &mut content);
                at += taken;
                if taken < piece.len() || at == bytes.len() { break }
            }
            prop_assert!(body.is_over());
            prop_assert_eq!((at, content), (end, chunks.concat()));
        }
    }
}
