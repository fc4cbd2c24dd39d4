//! Where the connections go, and how each of them gets there.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use tokio::net::{TcpSocket, UnixStream, lookup_host};
use tokio_rustls::TlsConnector;

use super::failure::Failure;
use super::tunnel::Tunnel;
use super::wire::Wire;
use crate::address::{Address, Place};
use crate::handshake::{self, Offer};
use crate::stream::Stream;
use crate::tls::{self, Trust};

/// How many addresses of 127/8 the connections come from: with one, its ports would run out.
const SOURCES: u32 = 200;

/// A URL, looked up once.
pub(crate) struct Target {
    address: Address,
    socket: Socket,
    tls: Option<(String, TlsConnector)>,
    offer: Offer,
}

#[derive(Debug)]
enum Socket {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

impl Target {
    /// Understands the URL and looks its host up.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub(crate) async fn find(url: &str, offer: Offer, trust: &Trust) -> Result<Self, String> {
        let address = Address::parse(&as_websocket(url)).map_err(|error| error.to_string())?;
        let socket = match &address.place {
            Place::Unix(path) => Socket::Unix(path.clone()),
            Place::Tcp(host, port) => {
                let unknown = |why: &str| format!("cannot find {host}: {why}");
                let found = lookup_host((host.as_str(), *port)).await;
                let mut found = found.map_err(|error| unknown(&crate::words::os(&error)))?;
                Socket::Tcp(found.next().ok_or_else(|| unknown("no address"))?)
            }
        };
        let connector = |name: &String| tls::connector(trust).map(|tls| (name.clone(), tls));
        let tls = address.tls.as_ref().map(connector).transpose();
        Ok(Self { socket, tls: tls.map_err(|error| error.to_string())?, address, offer })
    }

    /// Connects, as the connection of this number.
    pub(crate) async fn connect(&self, number: u32) -> Result<Stream, Failure> {
        let failed = |error: std::io::Error| Failure::connect(&error);
        let tcp = match &self.socket {
            Socket::Unix(path) => {
                return UnixStream::connect(path).await.map(Stream::Unix).map_err(failed);
            }
            Socket::Tcp(address) => socket(*address, number).map_err(failed)?.connect(*address),
        };
        let tcp = tcp.await.map_err(failed)?;
        tcp.set_nodelay(true).map_err(failed)?;
        match &self.tls {
            None => Ok(Stream::Tcp(tcp)),
            Some((host, connector)) => tls::start_with(connector, tcp, host)
                .await
                .map_err(|error| Failure::Connect(error.to_string())),
        }
    }

    /// Connects and shakes hands: a tunnel for messages of `largest` bytes at most.
    pub(crate) async fn open(&self, number: u32, largest: usize) -> Result<Tunnel, Failure> {
        let stream = self.connect(number).await?;
        let request = handshake::request(&self.address, &self.offer);
        let request = request.map_err(|error| Failure::Upgrade(error.to_string()))?;
        // tungstenite checks the answer, the accept key included; the frames are ours.
        let shaken = tokio_tungstenite::client_async_with_config(request, Wire::new(stream), None);
        match shaken.await {
            Ok((socket, _)) => Ok(Tunnel::new(socket.into_inner(), largest)),
            Err(error) => Err(Failure::upgrade(&error)),
        }
    }

    /// A plain request that keeps the connection.
    pub(crate) fn request(&self) -> Vec<u8> {
        let Address { target, host, .. } = &self.address;
        let mut request = format!("GET {target} HTTP/1.1\r\n").into_bytes();
        let given = &self.offer.headers;
        if given.iter().all(|(name, _)| name != http::header::HOST) {
            request.extend(format!("Host: {host}\r\n").into_bytes());
        }
        for (name, value) in given {
            request.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
        }
        request.extend(b"\r\n");
        request
    }
}

/// A socket that comes from one of many addresses, where the target is on this machine.
fn socket(target: SocketAddr, number: u32) -> std::io::Result<TcpSocket> {
    let IpAddr::V4(address) = target.ip() else { return TcpSocket::new_v6() };
    let socket = TcpSocket::new_v4()?;
    if address.is_loopback() {
        let host = u8::try_from(1 + number % SOURCES).unwrap_or(1);
        socket.bind((Ipv4Addr::new(127, 0, 1, host), 0).into())?;
    }
    Ok(socket)
}

/// `http://` and `https://` name the same places as `ws://` and `wss://`.
fn as_websocket(url: &str) -> String {
    for (plain, websocket) in [("http://", "ws://"), ("https://", "wss://")] {
        if let Some((scheme, rest)) = url.split_at_checked(plain.len())
            && scheme.eq_ignore_ascii_case(plain)
        {
            return format!("{websocket}{rest}");
        }
    }
    url.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_request_is_for_what_the_url_says() {
        let offer = Offer {
            headers: vec![("x-a".parse().unwrap(), "b".parse().unwrap())],
            ..Offer::default()
        };
        let found = Target::find("HTTP://127.0.0.1:1/a?b", offer, &Trust::default()).await;
        assert_eq!(
            found.ok().unwrap().request(),
            b"GET /a?b HTTP/1.1\r\nHost: 127.0.0.1:1\r\nx-a: b\r\n\r\n"
        );
        let wrong = Target::find("ftp://x", Offer::default(), &Trust::default()).await;
        assert!(wrong.err().unwrap().contains("starts with ws://"));
    }
}
