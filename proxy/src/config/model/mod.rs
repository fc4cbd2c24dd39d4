//! The typed model: what a configuration says once every directive was applied, every level
//! inherited and every default filled in. Values that can still turn out wrong when they are made
//! live (addresses, templates, patterns, paths) keep their [`Span`](super::Span), so that an error
//! found late still says `in FILE:LINE`.

mod answer;
mod client;
mod limit;
mod log;
mod main;
mod proxying;
mod rewrite;
mod server;
mod settings;
mod upstream;
mod websocket;

pub use answer::{
    AccessRule, AddHeader, ErrorPage, ErrorStatus, Expires, Files, Inheriting, LimitExcept,
    ModifiedSince, RealIp, RealIpHeader, Redirects, Root, TryFiles, TryLast, Who,
};
pub use client::{Amount, Clients, Endings, Heads, Linger, Pace};
pub use limit::{ConnectionLimit, LimitCounts, LimitZone, Limited, Limits, RequestLimit};
pub use log::{AccessLog, ErrorLog, Escape, LogBuffer, LogFormat, LogLevel, LogTarget};
pub use main::{Config, EventMethod, Geo, Http, Map, MapEntry, SplitClients, User};
pub use proxying::{FlagsRule, IgnoredHeaders, Matching, Proxying, RedirectRule, ReplaceRule};
pub use rewrite::{Condition, FileTest, Return, RewriteFlag, Step};
pub use server::{
    Listen, ListenAddress, Location, LocationPattern, Server, ServerName, SocketKeepalive,
    SocketOptions,
};
pub use settings::{
    HttpVersion, NextUpstream, ProxyPass, ProxyTarget, SetHeader, Settings, Status, Types,
};
pub use upstream::{Keepalive, Method, Queue, Rebalance, Upstream, UpstreamServer};
pub use websocket::{Lifetime, MessageRate, WebSocket, WebSocketLog, WebSocketPing};
