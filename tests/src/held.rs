//! A WebSocket client that does no more than hold its connection and talk on it now and then.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

/// How long a read waits before it counts as silence.
const SILENCE: Duration = Duration::from_secs(10);

const TEXT: u8 = 0x1;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xa;

/// An open WebSocket connection. Dropping it closes with 1000 and does not wait.
#[derive(Debug)]
pub struct Held {
    stream: BufReader<TcpStream>,
}

impl Held {
    /// Connects to `port` of 127.0.0.1 and shakes hands.
    ///
    /// # Errors
    /// The status line, or what the system says, when that was not answered with a 101.
    pub fn open(port: u16) -> Result<Self, String> {
        Self::shake_hands(port).map_err(|error| error.to_string())
    }

    fn shake_hands(port: u16) -> io::Result<Self> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_read_timeout(Some(SILENCE))?;
        stream.set_nodelay(true)?;
        let request = format!(
            "GET / HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: Upgrade\r\n\
             Upgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             Sec-WebSocket-Version: 13\r\n\r\n"
        );
        stream.write_all(request.as_bytes())?;
        let mut this = Self { stream: BufReader::new(stream) };
        let status = this.line()?;
        if !status.starts_with("HTTP/1.1 101 ") {
            return Err(io::Error::other(status));
        }
        while !this.line()?.is_empty() {}
        Ok(this)
    }

    /// Sends `text` (up to 125 bytes) and gives the next message that comes; `None` when the
    /// connection has ended, with or without a Close frame.
    pub fn say(&mut self, text: &str) -> Option<String> {
        self.send(TEXT, text.as_bytes()).ok()?;
        self.hear()
    }

    /// The next message that comes, pings answered on the way; `None` when the connection has
    /// ended.
    ///
    /// # Panics
    /// When nothing comes for ten seconds: an end that is never told is an error of its own.
    pub fn hear(&mut self) -> Option<String> {
        loop {
            match self.frame() {
                Ok((TEXT, payload)) => return Some(String::from_utf8_lossy(&payload).into_owned()),
                Ok((PING, payload)) => self.send(PONG, &payload).ok()?,
                Ok((CLOSE, _)) => return None,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    panic!("neither a message nor an end came within {SILENCE:?}")
                }
                Err(_ended) => return None,
            }
        }
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        match self.stream.read_line(&mut line)? {
            0 => Err(io::Error::other("closed before the end of an answer's head")),
            _ => Ok(line.trim_end().to_owned()),
        }
    }

    fn frame(&mut self) -> io::Result<(u8, Vec<u8>)> {
        let mut head = [0; 2];
        self.stream.read_exact(&mut head)?;
        let [first, length] = head;
        assert!(length < 126, "a frame longer than anything that was sent");
        let mut payload = vec![0; usize::from(length)];
        self.stream.read_exact(&mut payload)?;
        Ok((first & 0x0f, payload))
    }

    /// A frame with a mask of zeros, which RFC 6455 allows and which masks nothing.
    fn send(&mut self, opcode: u8, payload: &[u8]) -> io::Result<()> {
        let length = u8::try_from(payload.len()).ok().filter(|length| *length < 126);
        let length = length.expect("a short frame");
        let mut frame = vec![0x80 | opcode, 0x80 | length, 0, 0, 0, 0];
        frame.extend_from_slice(payload);
        self.stream.get_mut().write_all(&frame)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let _gone = self.send(CLOSE, &1000_u16.to_be_bytes());
    }
}
