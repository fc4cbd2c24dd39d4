//! A plain HTTP/1.1 answer, read to the end of its body.

use tokio::io::{AsyncRead, AsyncReadExt as _};

use super::failure::Failure;

/// The most fields that an answer may have, and the most bytes of its head.
const FIELDS: usize = 100;
const HEAD: usize = 64 << 10;
/// The most that one read takes.
const READ: usize = 64 << 10;

/// What is known of an answer that has been read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// Bytes of its body.
    pub(crate) body: usize,
    /// The connection may be asked again.
    pub(crate) keeps: bool,
}

/// How a body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Framing {
    Length(u64),
    Chunked,
    /// With the connection.
    End,
}

/// Reads answers from one connection.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    unread: Vec<u8>,
}

impl Answers {
    /// The next answer to a GET.
    ///
    /// # Errors
    /// [`Failure::Status`] where it is not one of success, and whatever is wrong with the connection.
    pub(crate) async fn next(
        &mut self,
        stream: &mut (impl AsyncRead + Unpin),
    ) -> Result<Answer, Failure> {
        loop {
            let (status, framing, keeps) = self.head(stream).await?;
            match status {
                100..200 => continue,
                200..300 => {}
                other => return Err(Failure::Status(other)),
            }
            let body = match framing {
                Framing::Length(length) => {
                    let length = usize::try_from(length)
                        .map_err(|_| Failure::Invalid("the body is too long"))?;
                    self.skip(stream, length).await?;
                    length
                }
                Framing::Chunked => self.chunks(stream).await?,
                Framing::End => self.rest(stream).await?,
            };
            return Ok(Answer { body, keeps: keeps && framing != Framing::End });
        }
    }

    /// Status, framing, and whether the connection is kept.
    async fn head(
        &mut self,
        stream: &mut (impl AsyncRead + Unpin),
    ) -> Result<(u16, Framing, bool), Failure> {
        loop {
            if !self.unread.is_empty() {
                let mut fields = [httparse::EMPTY_HEADER; FIELDS];
                let mut head = httparse::Response::new(&mut fields);
                let parsed = head.parse(&self.unread);
                match parsed.map_err(|_| Failure::Invalid("the answer is not HTTP/1"))? {
                    httparse::Status::Complete(length) => {
                        let (status, version) = (head.code.unwrap_or(0), head.version);
                        let (framing, closes) = read_fields(status, head.headers)?;
                        self.unread.drain(..length);
                        return Ok((status, framing, !closes && version == Some(1)));
                    }
                    httparse::Status::Partial if self.unread.len() > HEAD => {
                        return Err(Failure::Invalid("the head is too long"));
                    }
                    httparse::Status::Partial => {}
                }
            }
            self.more(stream).await?;
        }
    }

    /// Takes so many bytes off the stream. What is read beyond them stays.
    async fn skip(
        &mut self,
        stream: &mut (impl AsyncRead + Unpin),
        mut count: usize,
    ) -> Result<(), Failure> {
        while count > self.unread.len() {
            count -= self.unread.len();
            self.unread.clear();
            self.more(stream).await?;
        }
        self.unread.drain(..count);
        Ok(())
    }

    async fn chunks(&mut self, stream: &mut (impl AsyncRead + Unpin)) -> Result<usize, Failure> {
        const WRONG: Failure = Failure::Invalid("a chunk has no size");
        let mut body = 0_usize;
        loop {
            let line = self.line(stream).await?;
            let size = line.split(|byte| *byte == b';').next().unwrap_or_default();
            let size = std::str::from_utf8(size).map_err(|_| WRONG)?.trim();
            let size = usize::from_str_radix(size, 16).map_err(|_| WRONG)?;
            if size == 0 {
                while !self.line(stream).await?.is_empty() {}
                return Ok(body);
            }
            self.skip(stream, size).await?;
            if !self.line(stream).await?.is_empty() {
                return Err(Failure::Invalid("a chunk is longer than it says"));
            }
            body = body.saturating_add(size);
        }
    }

    /// A line, without its end.
    async fn line(&mut self, stream: &mut (impl AsyncRead + Unpin)) -> Result<Vec<u8>, Failure> {
        loop {
            if let Some(end) = self.unread.windows(2).position(|end| end == b"\r\n") {
                let mut line: Vec<u8> = self.unread.drain(..end + 2).collect();
                line.truncate(end);
                return Ok(line);
            }
            if self.unread.len() > HEAD {
                return Err(Failure::Invalid("a line is too long"));
            }
            self.more(stream).await?;
        }
    }

    async fn rest(&mut self, stream: &mut (impl AsyncRead + Unpin)) -> Result<usize, Failure> {
        let mut body = 0;
        loop {
            body += self.unread.len();
            self.unread.clear();
            match self.more(stream).await {
                Ok(()) => {}
                Err(Failure::Ended) => return Ok(body),
                Err(failure) => return Err(failure),
            }
        }
    }

    async fn more(&mut self, stream: &mut (impl AsyncRead + Unpin)) -> Result<(), Failure> {
        self.unread.reserve(READ.saturating_sub(self.unread.len()).max(1024));
        match stream.read_buf(&mut self.unread).await {
            Ok(0) => Err(Failure::Ended),
            Ok(_) => Ok(()),
            Err(error) => Err(Failure::lost(&error)),
        }
    }
}

/// How the body ends, and whether the connection does with it.
fn read_fields(status: u16, fields: &[httparse::Header<'_>]) -> Result<(Framing, bool), Failure> {
    let (mut length, mut chunked, mut closes) = (None, false, false);
    for field in fields {
        let value = std::str::from_utf8(field.value).unwrap_or_default().trim();
        if field.name.eq_ignore_ascii_case("content-length") {
            let wrong = Failure::Invalid("Content-Length is not a number");
            length = Some(value.parse().map_err(|_| wrong)?);
        } else if field.name.eq_ignore_ascii_case("transfer-encoding") {
            chunked = value.to_ascii_lowercase().ends_with("chunked");
        } else if field.name.eq_ignore_ascii_case("connection") {
            closes = value.split(',').any(|word| word.trim().eq_ignore_ascii_case("close"));
        }
    }
    let framing = match (status, chunked, length) {
        (100..200 | 204 | 304, _, _) => Framing::Length(0),
        (_, true, _) => Framing::Chunked,
        (_, false, Some(length)) => Framing::Length(length),
        (_, false, None) => Framing::End,
    };
    Ok((framing, closes))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(text: &str) -> Vec<Result<Answer, Failure>> {
        let (mut answers, mut stream) = (Answers::default(), text.as_bytes());
        let mut all = Vec::new();
        while !stream.is_empty() || !answers.unread.is_empty() {
            let next = answers.next(&mut stream).await;
            let is_last = next.is_err();
            all.push(next);
            if is_last {
                break;
            }
        }
        all
    }

    #[tokio::test]
    async fn a_body_ends_where_its_head_says() {
        let answers = read(
            "HTTP/1.1 100 Continue\r\n\r\n\
             HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc\
             HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nabcd\r\n1;x=y\r\ne\r\n0\r\nA: b\r\n\r\n\
             HTTP/1.1 204 No Content\r\nConnection: keep-alive, Close\r\n\r\n\
             HTTP/1.0 200 OK\r\n\r\nall the rest",
        )
        .await;
        let answer = |body, keeps| Ok(Answer { body, keeps });
        assert_eq!(
            answers,
            [answer(3, true), answer(5, true), answer(0, false), answer(12, false)]
        );
    }

    #[tokio::test]
    async fn what_is_not_a_good_answer_is_a_failure() {
        for (text, failure) in [
            ("HTTP/1.1 502 Bad Gateway\r\n\r\n", Failure::Status(502)),
            ("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabc", Failure::Ended),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
                Failure::Invalid("Content-Length is not a number"),
            ),
            ("SSH-2.0\r\n\r\n", Failure::Invalid("the answer is not HTTP/1")),
        ] {
            assert_eq!(read(text).await, [Err(failure)], "{text}");
        }
    }
}
