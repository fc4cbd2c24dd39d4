//! The heads of answers, and asking over a connection that is there.

use std::io;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// An answer's head, and what came behind it.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) head: String,
    pub(crate) rest: Vec<u8>,
}

impl Answer {
    /// Sends a request and waits for the head of its answer. `Ok(None)` when the connection was closed
    /// before the answer's first byte.
    pub(crate) async fn to(request: &str, stream: &mut TcpStream) -> io::Result<Option<Self>> {
        if stream.write_all(request.as_bytes()).await.is_err() {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        loop {
            if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                let rest = bytes.split_off(end + 4);
                return Ok(Some(Self { head: String::from_utf8_lossy(&bytes).into_owned(), rest }));
            }
            match stream.read_buf(&mut bytes).await {
                Ok(0) if bytes.is_empty() => return Ok(None),
                Err(_reset) if bytes.is_empty() => return Ok(None),
                Ok(0) => return Err(io::Error::other("an answer ended within its head")),
                Ok(_) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Its first line.
    pub(crate) fn line(&self) -> &str {
        self.head.lines().next().unwrap_or_default()
    }

    /// Whether it is this status.
    pub(crate) fn is(&self, status: u16) -> bool {
        self.line().starts_with(&format!("HTTP/1.1 {status} "))
    }

    /// The value of a field.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (this, value) = line.split_once(": ")?;
            this.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    /// The number of the worker that gave it.
    pub(crate) fn worker(&self) -> Option<usize> {
        // The last one of those that were asked.
        let address = self.field("X-Worker")?.rsplit(", ").next()?;
        let (_, name) = address.rsplit_once("worker-")?;
        name.strip_suffix(".sock")?.parse().ok().filter(|number| *number < 4)
    }

    /// The rest of its body, which has a length or is chunked.
    pub(crate) async fn body(mut self, stream: &mut TcpStream) -> io::Result<Vec<u8>> {
        let length = self.field("Content-Length").and_then(|length| length.parse().ok());
        let whole = |bytes: &[u8]| match length {
            Some(length) => bytes.len() >= length,
            None => bytes.ends_with(b"0\r\n\r\n"),
        };
        while !whole(&self.rest) {
            if stream.read_buf(&mut self.rest).await? == 0 {
                return Err(io::Error::other("an answer ended within its body"));
            }
        }
        Ok(self.rest)
    }
}
