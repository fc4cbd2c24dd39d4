//! What each directive means: one file per directive or close family, holding its names,
//! contexts, arguments, examples and effects as values of the one const table in `table`.
//! `walk` goes through the statements and applies them. Nothing here reads a file or a clock.

mod access_log;
mod add_header;
mod answer;
mod client;
mod condition;
mod error_log;
mod error_page;
mod events;
mod expires;
mod files;
mod geo;
mod heads;
mod http;
mod include;
mod keepalive;
mod limit;
mod limit_zones;
mod limits;
mod listen;
mod listen_options;
mod location;
mod log_format;
mod map;
mod modules;
mod process;
mod proxy;
mod proxy_answer;
mod proxy_buffers;
mod proxy_cookie;
mod proxy_next_upstream;
mod proxy_pass;
mod proxy_request;
mod real_ip;
#[cfg(test)]
mod reference;
mod refused;
mod rewrite;
mod server;
mod server_name;
mod serving;
mod split_clients;
mod status;
mod table;
#[cfg(test)]
mod tests;
mod tuning;
mod types;
mod upstream;
mod upstream_keepalive;
mod upstream_method;
mod upstream_release;
mod upstream_server;
mod walk;
mod websocket;

pub use modules::modules;
#[cfg(test)]
pub(super) use table::names;
pub(super) use walk::Walk;
