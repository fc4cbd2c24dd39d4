//! All that is known of a running proxy at one moment. Times are in seconds, sizes in bytes, and
//! what is counted is counted since the start. What another version of the program does not say is read as nothing.

use serde::{Deserialize, Serialize};

use crate::observe::{Counts, Distribution};

/// All that is known of a running proxy at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The program's version.
    pub version: String,
    /// When this was, in seconds since 1970.
    pub time: f64,
    /// What is being served.
    pub generation: Generation,
    /// The process.
    pub process: Process,
    /// The client connections of all listeners, those included that are listened at no more.
    pub connections: Connections,
    /// Where it listens.
    pub listeners: Vec<Listener>,
    /// To whom it balances.
    pub upstreams: Vec<Upstream>,
    /// What upgraded connections carry.
    pub tunnels: Tunnels,
}

/// The configuration that is being served.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Generation {
    /// 1 for the one that the process started with; each reload that succeeds makes it one more.
    pub number: u64,
    /// When it was loaded, in seconds since 1970.
    pub loaded: f64,
    /// The last reload; none if there was none.
    pub reload: Option<Reload>,
}

/// A reload.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reload {
    /// When it was, in seconds since 1970.
    pub time: f64,
    /// Why it failed; none if it did not.
    pub error: Option<String>,
}

/// The process, as the system sees it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// When it was started, in seconds since 1970.
    pub started: f64,
    /// For how long it has run.
    pub uptime: f64,
    /// Its threads.
    pub threads: u64,
    /// The memory that it has in use.
    pub memory: u64,
    /// The time of processors that it has used.
    pub cpu: f64,
    /// Its open descriptors.
    pub descriptors: u64,
    /// How many it may have; none if that has no bound.
    pub descriptor_limit: Option<u64>,
}

/// Client connections, as nginx's `stub_status` counts them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Connections {
    /// Accepted since the start.
    pub accepted: u64,
    /// Those of them that were served: all of them.
    pub handled: u64,
    /// Open now, tunnels included.
    pub active: u64,
    /// The head of a request has begun to come.
    pub reading: u64,
    /// A request is being answered; or it is a tunnel, or is being closed.
    pub writing: u64,
    /// Nothing is asked.
    pub waiting: u64,
    /// Requests since the start.
    pub requests: u64,
}

impl From<Counts> for Connections {
    fn from(counts: Counts) -> Self {
        Self {
            accepted: counts.accepted,
            handled: counts.accepted,
            active: counts.connections,
            reading: counts.reading,
            writing: counts.writing(),
            waiting: counts.waiting,
            requests: counts.requests,
        }
    }
}

/// A listening address.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Listener {
    /// The address.
    pub address: String,
    /// Its client connections.
    #[serde(flatten)]
    pub connections: Connections,
    /// Those of them that are tunnels.
    pub tunnels: u64,
    /// The answers since the start, by class of status.
    pub answers: Answers,
    /// How long requests took that became no tunnel, from their head to the end of their answer.
    pub request_time: Distribution,
}

/// Answers by class of status.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the classes of status")]
pub struct Answers {
    #[serde(rename = "1xx")]
    pub informational: u64,
    #[serde(rename = "2xx")]
    pub successful: u64,
    #[serde(rename = "3xx")]
    pub redirected: u64,
    #[serde(rename = "4xx")]
    pub refused: u64,
    #[serde(rename = "5xx")]
    pub failed: u64,
}

/// An upstream.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Upstream {
    /// Its name.
    pub name: String,
    /// Its servers in the order written, and behind them those that are listed no more and still
    /// have connections.
    pub servers: Vec<Server>,
}

/// A server of an upstream.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Server {
    /// Its address.
    pub address: String,
    /// Its weight.
    pub weight: u32,
    /// Whether it is a spare one.
    pub backup: bool,
    /// `up`; `recovering` after it was benched; `full` of connections; `benched` after it has
    /// failed; `down` by the configuration; `draining` when it is down, or listed no more, and
    /// still has connections.
    pub state: String,
    /// Why it is benched, in the words of the error log.
    pub reason: Option<String>,
    /// How long it is still benched.
    pub benched_for: Option<f64>,
    /// The part of its weight that it has while it recovers.
    pub share: Option<f64>,
    /// Connections that it has: requests under way, and tunnels.
    pub active: u64,
    /// How often it was picked.
    pub selected: u64,
    /// Requests that it has answered.
    pub requests: u64,
    /// How often it has failed.
    pub failures: u64,
    /// How long it took to open a tunnel, from the pick to the answer.
    pub handshake_time: Distribution,
    /// What its tunnels carry.
    #[serde(flatten)]
    pub traffic: Traffic,
}

/// What tunnels carry. Those that are open are counted, too.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Traffic {
    /// Tunnels that are open.
    pub tunnels: u64,
    /// Those that have been opened since the start.
    pub opened: u64,
    /// Those of them that have ended.
    pub closed: u64,
    /// Messages from clients.
    pub messages_received: u64,
    /// Messages to clients.
    pub messages_sent: u64,
    /// Bytes from clients.
    pub bytes_received: u64,
    /// Bytes to clients.
    pub bytes_sent: u64,
    /// How WebSocket tunnels ended.
    pub ends: Vec<End>,
}

/// A way in which WebSocket tunnels ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// The code of the first Close: 1005 where it had none, 1006 where nobody sent one, 0 for the
    /// rest when there are too many different ones.
    pub code: u16,
    /// Who ended it: `client`, `server`, `proxy`; `nobody` where that is the network's doing.
    pub by: String,
    /// How often.
    pub count: u64,
}

/// All tunnels.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tunnels {
    /// What they carry.
    #[serde(flatten)]
    pub traffic: Traffic,
    /// How long those lasted that have ended.
    pub lifetime: Distribution,
    /// How long messages were, in both directions.
    pub message_size: Distribution,
    /// Those that have been open for longest.
    pub oldest: Vec<Tunnel>,
    /// Those that have carried most.
    pub busiest: Vec<Tunnel>,
}

/// An open tunnel.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tunnel {
    /// Its client's address.
    pub client: String,
    /// Its server's upstream.
    pub upstream: String,
    /// Its server's address.
    pub server: String,
    /// For how long it has been open.
    pub age: f64,
    /// For how long nothing has moved.
    pub idle: f64,
    /// How long the client's answer to the last ping took; none where there was none.
    pub ping: Option<f64>,
    /// Messages from the client.
    pub messages_received: u64,
    /// Messages to the client.
    pub messages_sent: u64,
    /// Bytes from the client.
    pub bytes_received: u64,
    /// Bytes to the client.
    pub bytes_sent: u64,
}

impl Snapshot {
    /// All of it, as JSON.
    pub(crate) fn json(&self) -> Vec<u8> {
        // Numbers and texts: there is nothing that JSON could not say.
        serde_json::to_vec(self).unwrap_or_default()
    }
}
