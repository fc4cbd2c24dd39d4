//! One GET, for `proxy status`.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// How long each step may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The largest answer that is read.
const MOST: u64 = 64 << 20;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// The text is no URL that can be asked for.
    #[error("\"{0}\" is not http://HOST[:PORT]/PATH or http://unix:SOCKET:/PATH")]
    Url(String),
    /// Nobody answers there.
    #[error("{0}")]
    Socket(#[from] io::Error),
    /// What came is not HTTP.
    #[error("the answer is not HTTP")]
    NotHttp,
    /// Another answer than 200.
    #[error("the answer is {0}")]
    Status(String),
}

/// Where to ask, and for what.
#[derive(Debug, PartialEq, Eq)]
struct Url<'a> {
    /// A host with a port, or the path of a socket.
    place: Place<'a>,
    /// What `Host` says.
    host: &'a str,
    path: &'a str,
}

#[derive(Debug, PartialEq, Eq)]
enum Place<'a> {
    Tcp(&'a str, u16),
    Unix(&'a str),
}

/// Asks for JSON at this URL; gives the body of the answer.
pub(super) fn get(url: &str) -> Result<Vec<u8>, Failure> {
    let Url { place, host, path } = Url::parse(url).ok_or_else(|| Failure::Url(url.to_owned()))?;
    let request = format!(
        "GET {path} HTTP/1.0\r\nHost: {host}\r\nAccept: application/json\r\n\
         User-Agent: proxy/{}\r\n\r\n",
        env!("CARGO_PKG_VERSION")
    );
    let answer = match place {
        Place::Unix(path) => {
            let stream = UnixStream::connect(path)?;
            stream.set_read_timeout(Some(PATIENCE))?;
            stream.set_write_timeout(Some(PATIENCE))?;
            exchange(stream, &request)?
        }
        Place::Tcp(host, port) => {
            let stream = connect(host, port)?;
            stream.set_read_timeout(Some(PATIENCE))?;
            stream.set_write_timeout(Some(PATIENCE))?;
            exchange(stream, &request)?
        }
    };
    body(&answer)
}

/// Connects to the first address of this host that answers.
fn connect(host: &str, port: u16) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    for addr in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&addr, PATIENCE) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn exchange(mut stream: impl Read + Write, request: &str) -> io::Result<Vec<u8>> {
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.take(MOST).read_to_end(&mut answer)?;
    Ok(answer)
}

/// What follows the head of an answer with 200.
fn body(answer: &[u8]) -> Result<Vec<u8>, Failure> {
    const EMPTY: &[u8] = b"\r\n\r\n";
    let end = answer.windows(EMPTY.len()).position(|part| part == EMPTY);
    let (head, rest) = end.and_then(|end| answer.split_at_checked(end)).ok_or(Failure::NotHttp)?;
    let head = String::from_utf8_lossy(head);
    let line = head.lines().next().unwrap_or_default();
    let status = line.strip_prefix("HTTP/1.").and_then(|line| line.split_once(' '));
    match status {
        Some((_, status)) if status.starts_with("200") => {
            Ok(rest.get(EMPTY.len()..).unwrap_or_default().to_vec())
        }
        Some((_, status)) => Err(Failure::Status(status.to_owned())),
        None => Err(Failure::NotHttp),
    }
}

impl<'a> Url<'a> {
    fn parse(url: &'a str) -> Option<Self> {
        let rest = url.strip_prefix("http://")?;
        if let Some(rest) = rest.strip_prefix("unix:") {
            let (socket, path) = rest.split_once(':').unwrap_or((rest, "/"));
            let place = Place::Unix(socket);
            return (!socket.is_empty()).then_some(Self { place, host: "localhost", path });
        }
        let (host, path) = match rest.find('/') {
            Some(slash) => rest.split_at(slash),
            None => (rest, "/"),
        };
        let (name, port) = match host.rsplit_once(':') {
            // In brackets it is an address, whose colons are its own.
            Some((name, port)) if !port.ends_with(']') => (name, port.parse().ok()?),
            _ => (host, 80),
        };
        let name = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
        (!name.is_empty()).then_some(Self { place: Place::Tcp(name, port), host, path })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_name_a_host_or_a_socket() {
        let tcp = |url, host, port, path| {
            let parsed = Url::parse(url).unwrap();
            assert_eq!((parsed.place, parsed.path), (Place::Tcp(host, port), path), "{url}");
        };
        tcp("http://here", "here", 80, "/");
        tcp("http://here:8080/status?x", "here", 8080, "/status?x");
        tcp("http://[::1]:81/s", "::1", 81, "/s");
        tcp("http://[::1]/s", "::1", 80, "/s");
        let socket = Url::parse("http://unix:/run/p.sock:/status").unwrap();
        assert_eq!((socket.place, socket.path), (Place::Unix("/run/p.sock"), "/status"));
        for bad in ["", "here:80", "https://here/", "http://", "http://:80/", "http://a:b/"] {
            assert_eq!(Url::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn only_200_has_a_body() {
        assert_eq!(body(b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n{}").unwrap(), b"{}");
        let said = |answer: &[u8]| body(answer).unwrap_err().to_string();
        assert_eq!(said(b"HTTP/1.1 403 Forbidden\r\n\r\nno"), "the answer is 403 Forbidden");
        assert_eq!(said(b"hello"), "the answer is not HTTP");
    }
}
