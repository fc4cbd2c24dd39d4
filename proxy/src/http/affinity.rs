//! What of a request its upstream's method goes by.

use std::net::IpAddr;

use super::record::Record;
use crate::balance::Tried;
use crate::upstream::Key;

/// A request that was at no server yet, with its key where the method wants one.
pub(super) fn tried(record: &Record, key: &Key) -> Tried {
    match key {
        Key::Nothing => Tried::default(),
        Key::Client => Tried::keyed(network(record)),
        Key::Text(template) => {
            let mut key = Vec::new();
            template.render(record, &mut key);
            Tried::keyed(key)
        }
    }
}

/// What `ip_hash` takes for the client: 24 bits of IPv4, all of IPv6, and one client for all that
/// come over a Unix socket.
fn network(record: &Record) -> Vec<u8> {
    match record.peer().map(|peer| peer.ip()) {
        Some(IpAddr::V4(ip)) => ip.octets().into_iter().take(3).collect(),
        Some(IpAddr::V6(ip)) => ip.octets().to_vec(),
        None => vec![0; 3],
    }
}
