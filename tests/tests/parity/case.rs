//! A case: a configuration, workers, what a client does. Written to be a few lines each.

use std::sync::Arc;

use tests::worker::{Script, answer};

use crate::scene::Scene;

/// The shortest answer with a body.
pub(crate) const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// A request that is the last on its connection.
pub(crate) const LAST: &str = "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";

/// One scene to be played with either front.
pub(crate) struct Case {
    /// Unique; named in the list of differences.
    pub(crate) name: String,
    /// With `{port}`, `{dir}`, and `{a}` for the port of the TCP worker `a`. Worker `a` on a unix
    /// socket is `unix:a.sock`.
    pub(crate) config: String,
    pub(crate) workers: Vec<(&'static str, Kind)>,
    pub(crate) play: Play,
    /// A log file to compare, and how many lines to wait for.
    pub(crate) log: Option<(&'static str, usize)>,
    /// Whether the worker's connections are told apart: which request came on which.
    pub(crate) connections: bool,
    /// Files beside the configuration.
    pub(crate) files: Vec<(&'static str, &'static str)>,
}

#[derive(Clone)]
pub(crate) enum Kind {
    Unix(Script),
    Tcp(Script),
    /// A socket file that nobody listens on.
    Refusing,
}

pub(crate) enum Play {
    /// Starts the front and drives it.
    Served(Arc<dyn Fn(&mut Scene) + Send + Sync>),
    /// Only asks what it thinks of the file: `-t`.
    Checked,
}

impl Case {
    /// A case whose client is told later; the worker `a` answers [`OK`] until told otherwise.
    pub(crate) fn new(name: impl Into<String>, config: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            config: config.into(),
            workers: vec![("a", Kind::Unix(answer(OK)))],
            play: Play::Served(Arc::new(|_| ())),
            log: None,
            connections: false,
            files: Vec::new(),
        }
    }

    /// A case that is only `-t` on this text.
    pub(crate) fn check(name: impl Into<String>, config: impl Into<String>) -> Self {
        let mut this = Self::new(name, config);
        this.workers.clear();
        this.play = Play::Checked;
        this
    }

    /// The worker `a` gives each request this answer.
    pub(crate) fn answers(self, raw: impl Into<Vec<u8>>) -> Self {
        self.worker("a", answer(raw))
    }

    /// A worker on the unix socket `NAME.sock`, in the place of one of that name.
    pub(crate) fn worker(self, name: &'static str, script: Script) -> Self {
        self.with(name, Kind::Unix(script))
    }

    /// A worker on a TCP port, `{NAME}` in the configuration.
    pub(crate) fn tcp_worker(self, name: &'static str, script: Script) -> Self {
        self.with(name, Kind::Tcp(script))
    }

    /// A socket file `NAME.sock` that refuses connections.
    pub(crate) fn refusing(self, name: &'static str) -> Self {
        self.with(name, Kind::Refusing)
    }

    /// Workers that each answer with their own name.
    pub(crate) fn named_workers(mut self, names: &[&'static str]) -> Self {
        for name in names {
            let raw = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{name}", name.len());
            self = self.worker(name, answer(raw));
        }
        self
    }

    /// The client sends `raw` on one connection, reads one answer, and looks whether the
    /// connection was kept open.
    pub(crate) fn asks(self, raw: impl Into<Vec<u8>>) -> Self {
        let raw = raw.into();
        let method = raw.split(|byte| *byte == b' ').next().map(<[u8]>::to_vec);
        let method = String::from_utf8(method.unwrap_or_default()).unwrap_or_default();
        self.client(move |scene| {
            let mut client = scene.connect();
            client.send(&raw);
            client.response_to(&method);
            client.end();
        })
    }

    /// The client asks for `target` in the plainest way.
    pub(crate) fn gets(self, target: &str) -> Self {
        self.asks(format!("GET {target} HTTP/1.1\r\nHost: h\r\n\r\n"))
    }

    /// The client does as it is told here.
    pub(crate) fn client(mut self, play: impl Fn(&mut Scene) + Send + Sync + 'static) -> Self {
        self.play = Play::Served(Arc::new(play));
        self
    }

    /// Compares this log file too, once it has that many lines.
    pub(crate) fn log(mut self, file: &'static str, lines: usize) -> Self {
        self.log = Some((file, lines));
        self
    }

    /// Compares which of the worker's connections each request came on.
    pub(crate) fn connections(mut self) -> Self {
        self.connections = true;
        self
    }

    /// Puts a file beside the configuration.
    pub(crate) fn file(mut self, name: &'static str, text: &'static str) -> Self {
        self.files.push((name, text));
        self
    }

    fn with(mut self, name: &'static str, kind: Kind) -> Self {
        self.workers.retain(|(other, _)| *other != name);
        self.workers.push((name, kind));
        self
    }
}

/// A whole configuration around what stands in `http`. Where Debian's nginx and the newest one
/// have other defaults, the newest one's are spelt out.
pub(crate) fn http(inside: &str) -> String {
    let head = "worker_processes 1;\nevents {}\nhttp {\n    access_log off;\n    \
                proxy_http_version 1.1;\n    proxy_set_header Connection \"\";\n";
    format!("{head}{inside}\n}}\n")
}

/// One server with this inside.
pub(crate) fn server(inside: &str) -> String {
    http(&format!("    server {{\n        listen 127.0.0.1:{{port}};\n{inside}\n    }}"))
}

/// One server that passes everything to the worker `a`, with this in its location.
pub(crate) fn proxied(inside: &str) -> String {
    server(&format!("location / {{ proxy_pass http://unix:a.sock; {inside} }}"))
}

/// An upstream `u` with this inside, and a server that passes everything to it.
pub(crate) fn balanced(upstream: &str, location: &str) -> String {
    let server = "server { listen 127.0.0.1:{port}; location / { proxy_pass http://u;";
    http(&format!("    upstream u {{\n{upstream}\n    }}\n    {server} {location} }} }}"))
}
