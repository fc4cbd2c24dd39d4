//! WebSocket servers, each in a thread of its own and on a port or socket of its own.

use std::future::Future;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::thread;

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

pub(crate) trait Bytes: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Bytes for T {}

/// The server's end of one connection.
pub(crate) struct Peer {
    pub(crate) socket: WebSocketStream<Box<dyn Bytes>>,
    pub(crate) request: Request,
}

/// A server that runs until it is dropped.
pub(crate) struct Server {
    pub(crate) url: String,
    _stop: oneshot::Sender<()>,
}

type Story = Arc<dyn Fn(Peer) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// A server on TCP that leads each connection as `story` says.
pub(crate) fn tcp<F: Future<Output = ()> + Send + 'static>(
    story: impl Fn(Peer) -> F + Send + Sync + 'static,
) -> Server {
    let (listener, address) = listen();
    Server::start(Listener::Tcp(listener), format!("ws://{address}/"), boxed(story))
}

/// The same on a Unix socket.
pub(crate) fn unix<F: Future<Output = ()> + Send + 'static>(
    path: &Path,
    story: impl Fn(Peer) -> F + Send + Sync + 'static,
) -> Server {
    let listener = std::os::unix::net::UnixListener::bind(path).unwrap();
    listener.set_nonblocking(true).unwrap();
    Server::start(Listener::Unix(listener), format!("ws+unix:{}", path.display()), boxed(story))
}

/// The same with TLS.
pub(crate) fn tls<F: Future<Output = ()> + Send + 'static>(
    config: rustls::ServerConfig,
    story: impl Fn(Peer) -> F + Send + Sync + 'static,
) -> Server {
    let (listener, address) = listen();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let url = format!("wss://localhost:{}/", address.port());
    Server::start(Listener::Tls(listener, acceptor), url, boxed(story))
}

/// A server that reads one request head, writes these bytes, and closes.
pub(crate) fn canned(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    thread::spawn(move || {
        let Ok((mut stream, _)) = listener.accept() else { return };
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
            head.push(byte[0]);
        }
        let _ = stream.write_all(answer.as_bytes());
    });
    url
}

/// A port that refuses connections: it was ours a moment ago.
pub(crate) fn refusing() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// Sends every message back until the client closes.
pub(crate) async fn echo(mut peer: Peer) {
    while let Some(Ok(message)) = peer.socket.next().await {
        let is_data = message.is_text() || message.is_binary();
        if is_data && peer.socket.send(message).await.is_err() {
            return;
        }
    }
}

impl Peer {
    /// The next text message.
    pub(crate) async fn text(&mut self) -> String {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Text(text))) => return text.to_string(),
                Some(Ok(_)) => {}
                other => panic!("no text message but {other:?}"),
            }
        }
    }

    pub(crate) async fn send(&mut self, text: &str) {
        self.socket.send(Message::text(text)).await.unwrap();
    }

    /// Closes and waits until the client has done the same.
    pub(crate) async fn close(mut self, code: u16, reason: &'static str) {
        let frame = CloseFrame { code: code.into(), reason: reason.into() };
        let _ = self.socket.close(Some(frame)).await;
        while let Some(Ok(_)) = self.socket.next().await {}
    }

    /// Reads until the client closes, answers that, and returns its code; 1006 if it just leaves.
    pub(crate) async fn closed_with(mut self) -> u16 {
        let mut code = 1006;
        while let Some(Ok(message)) = self.socket.next().await {
            if let Message::Close(frame) = message {
                code = frame.map_or(1005, |frame| frame.code.into());
            }
        }
        code
    }
}

enum Listener {
    Tcp(TcpListener),
    Unix(std::os::unix::net::UnixListener),
    Tls(TcpListener, TlsAcceptor),
}

impl Server {
    fn start(listener: Listener, url: String, story: Story) -> Self {
        let (stop, stopped) = oneshot::channel();
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async {
                tokio::select! {
                    () = serve(listener, story) => {}
                    _ = stopped => {}
                }
            });
        });
        Self { url, _stop: stop }
    }
}

async fn serve(listener: Listener, story: Story) {
    let mut peers = JoinSet::new();
    match listener {
        Listener::Tcp(listener) => {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            while let Ok((stream, _)) = listener.accept().await {
                peers.spawn(lead(Box::new(stream), Arc::clone(&story)));
            }
        }
        Listener::Unix(listener) => {
            let listener = tokio::net::UnixListener::from_std(listener).unwrap();
            while let Ok((stream, _)) = listener.accept().await {
                peers.spawn(lead(Box::new(stream), Arc::clone(&story)));
            }
        }
        Listener::Tls(listener, acceptor) => {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            while let Ok((stream, _)) = listener.accept().await {
                if let Ok(stream) = acceptor.accept(stream).await {
                    peers.spawn(lead(Box::new(stream), Arc::clone(&story)));
                }
            }
        }
    }
}

/// Shakes hands, accepting the first subprotocol offered unless it is called "unknown".
async fn lead(stream: Box<dyn Bytes>, story: Story) {
    let mut seen = None;
    #[expect(clippy::result_large_err, reason = "tungstenite's callback is typed so")]
    let callback = |request: &Request, mut response: Response| {
        seen = Some(request.clone());
        if let Some(offered) = request.headers().get("sec-websocket-protocol") {
            let first = offered.to_str().unwrap().split(',').next().unwrap().trim();
            if first != "unknown" {
                response.headers_mut().insert("sec-websocket-protocol", first.parse().unwrap());
            }
        }
        Ok(response)
    };
    if let Ok(socket) = tokio_tungstenite::accept_hdr_async(stream, callback).await {
        story(Peer { socket, request: seen.unwrap() }).await;
    }
}

fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

fn boxed<F: Future<Output = ()> + Send + 'static>(
    story: impl Fn(Peer) -> F + Send + Sync + 'static,
) -> Story {
    Arc::new(move |peer| Box::pin(story(peer)))
}
