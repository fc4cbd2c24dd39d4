//! One end of a connection, held by a test: exact bytes out, and what comes in, taken apart.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Duration;

use socket2::{Domain, Socket, Type};

use crate::message::{Body, Framing, Head};

/// How long a read waits for the next byte before it counts as silence.
pub const SILENCE: Duration = Duration::from_secs(5);

/// TCP or unix.
#[derive(Debug)]
pub enum Stream {
    /// TCP.
    Tcp(TcpStream),
    /// Unix.
    Unix(UnixStream),
}

/// Why there is no more to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// End of stream, or a reset: the difference depends on who was faster.
    Closed,
    /// Nothing came for [`SILENCE`].
    Silent,
}

/// A stream and what was read from it ahead of need.
#[derive(Debug)]
pub struct Wire {
    stream: Stream,
    ahead: Vec<u8>,
}

impl Wire {
    /// Takes a connected stream.
    ///
    /// # Panics
    /// When the system refuses a read timeout.
    #[must_use]
    pub fn new(stream: Stream) -> Self {
        let limited = match &stream {
            Stream::Tcp(tcp) => {
                tcp.set_nodelay(true).and_then(|()| tcp.set_read_timeout(Some(SILENCE)))
            }
            Stream::Unix(unix) => unix.set_read_timeout(Some(SILENCE)),
        };
        limited.expect("a read timeout");
        Self { stream, ahead: Vec::new() }
    }

    /// Connects to this port of 127.0.0.1 from an address of 127/8.
    ///
    /// # Panics
    /// When nobody listens there.
    #[must_use]
    pub fn connect_from(address: Ipv4Addr, port: u16) -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        socket.bind(&SocketAddr::from((address, 0)).into()).expect("an address of the loopback");
        let to = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        socket.connect(&to.into()).expect("somebody who listens");
        Self::new(Stream::Tcp(socket.into()))
    }

    /// Sends exactly these bytes, in one write where the system takes them at once. False when
    /// the other side is gone.
    pub fn send(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).is_ok()
    }

    /// Sends on a thread of its own: for more than the sockets between would hold, when what
    /// comes back must be read meanwhile.
    ///
    /// # Panics
    /// When the system gives no second handle on the stream.
    pub fn send_aside(&self, bytes: Vec<u8>) {
        let mut stream = self.stream.try_clone().expect("a second handle");
        thread::spawn(move || stream.write_all(&bytes));
    }

    /// Ends the sending direction; reading goes on.
    pub fn half_close(&self) {
        let _gone = match &self.stream {
            Stream::Tcp(tcp) => tcp.shutdown(Shutdown::Write),
            Stream::Unix(unix) => unix.shutdown(Shutdown::Write),
        };
    }

    /// Reads a message head, up to and with its empty line.
    ///
    /// # Errors
    /// The stop that came first. What came before it stays to be read by [`Wire::rest`].
    pub fn head(&mut self) -> Result<Head, Stop> {
        loop {
            if let Some(end) = find(&self.ahead, b"\r\n\r\n") {
                let bytes: Vec<u8> = self.ahead.drain(..end + 4).collect();
                return Ok(Head::parse(&bytes));
            }
            self.fill()?;
        }
    }

    /// Reads a body. One that is cut short says so.
    pub fn body(&mut self, framing: Framing) -> Body {
        match framing {
            Framing::None => Body::whole(framing, Vec::new()),
            Framing::Length(length) => {
                let (bytes, stop) = self.exactly(length);
                Body { framing, bytes, trailers: Vec::new(), stop }
            }
            Framing::Close => {
                let (bytes, stop) = self.rest();
                let silent = (stop == Stop::Silent).then_some(stop);
                Body { framing, bytes, trailers: Vec::new(), stop: silent }
            }
            Framing::Chunked => self.chunked(),
        }
    }

    /// Reads `n` bytes, or fewer and the stop that came first.
    pub fn exactly(&mut self, n: usize) -> (Vec<u8>, Option<Stop>) {
        while self.ahead.len() < n {
            if let Err(stop) = self.fill() {
                return (std::mem::take(&mut self.ahead), Some(stop));
            }
        }
        (self.ahead.drain(..n).collect(), None)
    }

    /// Reads until the other side stops.
    pub fn rest(&mut self) -> (Vec<u8>, Stop) {
        loop {
            if let Err(stop) = self.fill() {
                return (std::mem::take(&mut self.ahead), stop);
            }
        }
    }

    /// What has been read ahead of need and not been asked for.
    #[must_use]
    pub fn ahead(&self) -> &[u8] {
        &self.ahead
    }

    fn chunked(&mut self) -> Body {
        let mut body = Body::whole(Framing::Chunked, Vec::new());
        body.stop = self.chunks(&mut body.bytes, &mut body.trailers).err();
        body
    }

    fn chunks(&mut self, bytes: &mut Vec<u8>, trailers: &mut Vec<String>) -> Result<(), Stop> {
        loop {
            let size = self.line()?;
            let digits = size.split(';').next().unwrap_or_default().trim();
            let Ok(size) = usize::from_str_radix(digits, 16) else { return Err(Stop::Closed) };
            if size == 0 {
                break;
            }
            let (chunk, stop) = self.exactly(size + 2);
            bytes.extend_from_slice(&chunk[..chunk.len().min(size)]);
            stop.map_or(Ok(()), Err)?;
        }
        loop {
            let line = self.line()?;
            if line.is_empty() {
                return Ok(());
            }
            trailers.push(line);
        }
    }

    fn line(&mut self) -> Result<String, Stop> {
        loop {
            if let Some(end) = find(&self.ahead, b"\r\n") {
                let line: Vec<u8> = self.ahead.drain(..end + 2).collect();
                return Ok(String::from_utf8_lossy(&line[..end]).into_owned());
            }
            self.fill()?;
        }
    }

    fn fill(&mut self) -> Result<(), Stop> {
        let mut part = [0; 16 * 1024];
        match self.stream.read(&mut part) {
            Ok(0) => Err(Stop::Closed),
            Ok(n) => {
                self.ahead.extend_from_slice(&part[..n]);
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
            Err(error)
                if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) =>
            {
                Err(Stop::Silent)
            }
            Err(_reset) => Err(Stop::Closed),
        }
    }
}

impl Stream {
    fn try_clone(&self) -> io::Result<Self> {
        Ok(match self {
            Self::Tcp(tcp) => Self::Tcp(tcp.try_clone()?),
            Self::Unix(unix) => Self::Unix(unix.try_clone()?),
        })
    }
}

impl Read for Stream {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(tcp) => tcp.read(into),
            Self::Unix(unix) => unix.read(into),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(tcp) => tcp.write(bytes),
            Self::Unix(unix) => unix.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}
