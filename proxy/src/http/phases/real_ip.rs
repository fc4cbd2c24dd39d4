//! Who a client is, where another proxy that is believed says so.

use std::net::{IpAddr, SocketAddr};

use super::super::record::Record;
use super::super::site::{RealIp, Rules};

/// Believes the proxy in front, once for each request.
pub(super) fn find(record: &Record, rules: &Rules) {
    let Some(real) = &rules.real_ip else { return };
    if record.course.peer.get().is_some() {
        return;
    }
    if let Some(found) = believed(record, real) {
        record.course.peer.set(Some(found));
    }
}

/// The last address that is not of one who is believed; without `real_ip_recursive`, the last.
fn believed(record: &Record, real: &RealIp) -> Option<SocketAddr> {
    let mut client = record.client.peer.map(|peer| peer.ip());
    let mut found = None;
    let lines = record.head.headers.get_all(&real.header);
    let mut lines: Vec<_> = lines.iter().filter_map(|line| line.to_str().ok()).collect();
    while let Some(line) = lines.pop() {
        for text in line.rsplit([',', ' ', '\t']).filter(|text| !text.is_empty()) {
            if !real.from.iter().any(|who| who.is(client)) {
                return found;
            }
            let Some(addr) = address(text) else { return found };
            found = Some(addr);
            client = Some(addr.ip());
            if !real.recursive {
                return found;
            }
        }
    }
    found
}

/// `ADDR`, `ADDR:PORT` or `[ADDR]:PORT`; nginx has port 0 where none is written.
fn address(text: &str) -> Option<SocketAddr> {
    let plain = text.trim_start_matches('[').trim_end_matches(']');
    let plain = plain.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, 0));
    plain.or_else(|_| text.parse()).ok()
}
