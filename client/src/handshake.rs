//! From an address to an open WebSocket: connect, TLS if asked for, and the opening handshake.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use http::header::{HeaderName, HeaderValue};
use http::{Request, Uri};
use tokio::net::{TcpStream, UnixStream, lookup_host};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::{CapacityError, ProtocolError, SubProtocolError};
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Error};

use crate::address::{Address, Place};
use crate::stream::Stream;
use crate::tls::{self, TlsError, Trust};
use crate::words;

/// How long all of it may take, name look-up and TLS included: as Python's `open_timeout`.
const OPEN_TIMEOUT: Duration = Duration::from_secs(10);

/// The longest message that is taken in, in bytes; whoever wants more wants another tool.
const MESSAGE_LIMIT: usize = 64 << 20;

/// What the request says besides what every handshake says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Offer {
    /// `--header`, in the order given; names may repeat.
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    /// `--subprotocol`, in order of preference.
    pub(crate) subprotocols: Vec<String>,
    /// `--origin`.
    pub(crate) origin: Option<HeaderValue>,
}

/// Why there is no connection. The words end a line that starts with `Failed to connect to URL:`.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectError {
    #[error("cannot find {0}: {msg}", msg = words::os(.1))]
    Lookup(String, #[source] io::Error),
    #[error("{0}: {msg}", msg = words::os(.1))]
    Socket(String, #[source] io::Error),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error("bad request: {0}")]
    Request(#[from] http::Error),
    #[error("server rejected WebSocket connection: HTTP {0}")]
    Rejected(u16),
    #[error("{}", refusal(.0))]
    Handshake(#[source] tungstenite::Error),
    #[error("no answer within {} seconds", OPEN_TIMEOUT.as_secs())]
    Timeout,
}

/// Connects and shakes hands.
///
/// # Errors
/// [`ConnectError`], also when it takes longer than ten seconds.
pub(crate) async fn connect(
    address: &Address,
    offer: &Offer,
    trust: &Trust,
) -> Result<WebSocketStream<Stream>, ConnectError> {
    // Boxed: a TLS handshake in progress is large.
    let opening = Box::pin(open(address, offer, trust));
    tokio::time::timeout(OPEN_TIMEOUT, opening).await.unwrap_or(Err(ConnectError::Timeout))
}

async fn open(
    address: &Address,
    offer: &Offer,
    trust: &Trust,
) -> Result<WebSocketStream<Stream>, ConnectError> {
    let request = request(address, offer)?;
    let stream = match &address.place {
        Place::Unix(path) => unix(path.clone()).await?,
        Place::Tcp(host, port) => {
            let tcp = tcp(host, *port).await?;
            match &address.tls {
                Some(name) => tls::start(tcp, name, trust).await?,
                None => Stream::Tcp(tcp),
            }
        }
    };
    let config = WebSocketConfig::default()
        .max_message_size(Some(MESSAGE_LIMIT))
        .max_frame_size(Some(MESSAGE_LIMIT));
    match tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await {
        Ok((socket, _response)) => Ok(socket),
        Err(Error::Http(response)) => Err(ConnectError::Rejected(response.status().as_u16())),
        Err(error) => Err(ConnectError::Handshake(error)),
    }
}

async fn unix(path: PathBuf) -> Result<Stream, ConnectError> {
    match UnixStream::connect(&path).await {
        Ok(stream) => Ok(Stream::Unix(stream)),
        Err(error) => Err(ConnectError::Socket(path.display().to_string(), error)),
    }
}

/// Tries every address of the host in turn; the last failure is the one that is told.
async fn tcp(host: &str, port: u16) -> Result<TcpStream, ConnectError> {
    let lookup = |error| ConnectError::Lookup(host.to_owned(), error);
    let addresses = lookup_host((host, port)).await.map_err(lookup)?;
    let mut failure = lookup(io::Error::other("no address"));
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                // A message typed is a message to be sent now.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Err(error) => failure = ConnectError::Socket(address.to_string(), error),
        }
    }
    Err(failure)
}

/// The request of RFC 6455 section 4.1, with a key of its own.
///
/// # Errors
/// When the address or the offer cannot be said in HTTP.
pub(crate) fn request(address: &Address, offer: &Offer) -> Result<Request<()>, http::Error> {
    let scheme = if address.tls.is_some() { "wss" } else { "ws" };
    let uri = Uri::builder()
        .scheme(scheme)
        .authority(address.host.as_str())
        .path_and_query(address.target.as_str())
        .build()?;
    let mut request = Request::get(uri)
        .header("Host", &address.host)
        .header("Connection", "Upgrade")
        .header("Upgrade", "websocket")
        .header("Sec-WebSocket-Version", "13")
        .header("Sec-WebSocket-Key", generate_key())
        .body(())?;
    let headers = request.headers_mut();
    if let Some(origin) = &offer.origin {
        headers.insert(http::header::ORIGIN, origin.clone());
    }
    if !offer.subprotocols.is_empty() {
        let list = HeaderValue::from_str(&offer.subprotocols.join(", "))?;
        headers.insert(http::header::SEC_WEBSOCKET_PROTOCOL, list);
    }
    for (name, value) in &offer.headers {
        if name == http::header::HOST {
            headers.insert(name, value.clone());
        } else {
            headers.append(name, value.clone());
        }
    }
    Ok(request)
}

/// What was wrong with the answer.
fn refusal(error: &tungstenite::Error) -> String {
    match error {
        Error::Protocol(ProtocolError::HandshakeIncomplete) => {
            "the server closed the connection without an answer".to_owned()
        }
        Error::Protocol(ProtocolError::HttparseError(_) | ProtocolError::WrongHttpVersion) => {
            "the answer is not HTTP/1.1".to_owned()
        }
        Error::Protocol(ProtocolError::MissingUpgradeWebSocketHeader) => {
            "the answer lacks \"Upgrade: websocket\"".to_owned()
        }
        Error::Protocol(ProtocolError::MissingConnectionUpgradeHeader) => {
            "the answer lacks \"Connection: Upgrade\"".to_owned()
        }
        Error::Protocol(ProtocolError::SecWebSocketAcceptKeyMismatch) => {
            "the answer's Sec-WebSocket-Accept does not match the key".to_owned()
        }
        Error::Protocol(ProtocolError::SecWebSocketSubProtocolError(which)) => match which {
            SubProtocolError::NoSubProtocol => "the server speaks none of the subprotocols",
            SubProtocolError::InvalidSubProtocol => "the server chose a subprotocol not offered",
            SubProtocolError::ServerSentSubProtocolNoneRequested => {
                "the server chose a subprotocol though none was offered"
            }
        }
        .to_owned(),
        Error::Capacity(CapacityError::TooManyHeaders) | Error::AttackAttempt => {
            "the answer's head is too long".to_owned()
        }
        Error::Io(error) => words::os(error),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_server_that_does_not_answer_is_given_up() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("ws://{}/", listener.local_addr().unwrap());
        let address = Address::parse(&url).unwrap();
        let failure = connect(&address, &Offer::default(), &Trust::default()).await.unwrap_err();
        assert_eq!(failure.to_string(), "no answer within 10 seconds");
    }
}
