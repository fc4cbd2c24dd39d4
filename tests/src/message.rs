//! An HTTP/1 message as it stood on the wire: nothing corrected, nothing folded.

use crate::wire::Stop;

/// A start line and header lines, without their line ends.
#[derive(Debug, Clone)]
pub struct Head {
    /// The request or status line.
    pub start: String,
    /// Each header line whole, in the order of the wire.
    pub lines: Vec<String>,
}

/// How the end of a body is known (RFC 9112, section 6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// There is no body.
    None,
    /// `Content-Length`.
    Length(usize),
    /// `Transfer-Encoding: chunked`.
    Chunked,
    /// The end of the connection.
    Close,
}

/// A body, without its chunk sizes.
#[derive(Debug)]
pub struct Body {
    /// How its end was known.
    pub framing: Framing,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// The lines between the last chunk and the empty line.
    pub trailers: Vec<String>,
    /// What stopped it before its end.
    pub stop: Option<Stop>,
}

impl Head {
    /// Takes apart a head that ends with its empty line. A byte that is not ASCII becomes the
    /// character of that number, so that none is lost.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Self {
        let text: String = bytes.iter().copied().map(char::from).collect();
        let mut lines = text.trim_end_matches("\r\n").split("\r\n").map(str::to_owned);
        let start = lines.next().unwrap_or_default();
        Self { start, lines: lines.collect() }
    }

    /// The value of the first header of this name, whatever its case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.lines.iter().find_map(|line| {
            let (this, value) = line.split_once(':')?;
            this.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// The status code of a response; 0 when there is none.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.start.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0)
    }

    /// The header lines sorted by name (whatever the case); those of one name keep their order.
    #[must_use]
    pub fn sorted(&self) -> Vec<&str> {
        let mut lines: Vec<&str> = self.lines.iter().map(String::as_str).collect();
        lines.sort_by_key(|line| line.split(':').next().unwrap_or(line).to_ascii_lowercase());
        lines
    }

    /// How the body of this request is framed.
    #[must_use]
    pub fn request_framing(&self) -> Framing {
        self.framing().unwrap_or(Framing::None)
    }

    /// How the body of this response to a request of `method` is framed.
    #[must_use]
    pub fn response_framing(&self, method: &str) -> Framing {
        match self.status() {
            100..200 | 204 | 304 => Framing::None,
            _ if method == "HEAD" => Framing::None,
            _ => self.framing().unwrap_or(Framing::Close),
        }
    }

    fn framing(&self) -> Option<Framing> {
        if self.header("Transfer-Encoding").is_some_and(|value| value.ends_with("chunked")) {
            return Some(Framing::Chunked);
        }
        self.header("Content-Length")?.parse().ok().map(Framing::Length)
    }
}

impl Body {
    /// A body that came to its end.
    #[must_use]
    pub fn whole(framing: Framing, bytes: Vec<u8>) -> Self {
        Self { framing, bytes, trailers: Vec::new(), stop: None }
    }
}
