//! `proxy status URL`: what a running proxy says of itself, as tables.

use std::io::{self, Write};
use std::process::ExitCode;

use super::ask;
use super::table::Table;
use super::words;
use crate::status::{Server, Snapshot, Tunnel, Upstream};

/// Asks and prints.
pub(super) fn main(args: impl Iterator<Item = String>) -> ExitCode {
    let (options, urls): (Vec<_>, Vec<_>) = args.partition(|arg| arg.starts_with('-'));
    let json = match options.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => false,
        ["--json"] => true,
        [option, ..] => return fail(&format!("invalid option: \"{option}\"")),
    };
    let [url] = urls.as_slice() else {
        return fail("status wants one URL, whose location says \"status json;\"");
    };
    let body = match ask::get(url) {
        Ok(body) => body,
        Err(failure) => return fail(&format!("{url}: {failure}")),
    };
    let snapshot: Snapshot = match serde_json::from_slice(&body) {
        Ok(snapshot) => snapshot,
        Err(error) => return fail(&format!("{url}: the answer is no status: {error}")),
    };
    let text = if json { [body.as_slice(), b"\n"].concat() } else { show(&snapshot).into_bytes() };
    // A reader that has gone, such as `head`, has seen what it wanted.
    let _ = io::stdout().write_all(&text);
    ExitCode::SUCCESS
}

fn fail(why: &str) -> ExitCode {
    words::say(&format!("proxy: {why}\n"));
    ExitCode::FAILURE
}

fn show(snapshot: &Snapshot) -> String {
    let mut text = heading(snapshot);
    text.push('\n');
    text.push_str(&listeners(snapshot).text());
    for upstream in &snapshot.upstreams {
        text.push('\n');
        text.push_str(&servers(upstream).text());
        for server in &upstream.servers {
            if let Some(reason) = &server.reason {
                text.push_str(&format!("{}: {reason}\n", server.address));
            }
        }
    }
    let all = &snapshot.tunnels.traffic;
    text.push_str(&format!(
        "\n{} tunnels, {} opened, {} closed; {} messages and {} in, {} messages and {} out\n",
        all.tunnels,
        all.opened,
        all.closed,
        all.messages_received,
        bytes(all.bytes_received),
        all.messages_sent,
        bytes(all.bytes_sent),
    ));
    if !all.ends.is_empty() {
        let ends = all.ends.iter().map(|end| format!("{} by {}: {}", end.code, end.by, end.count));
        text.push_str(&format!("closed with {}\n", ends.collect::<Vec<_>>().join(", ")));
    }
    for (name, tunnels) in
        [("OLDEST", &snapshot.tunnels.oldest), ("BUSIEST", &snapshot.tunnels.busiest)]
    {
        if !tunnels.is_empty() {
            text.push('\n');
            text.push_str(&named(name, tunnels).text());
        }
    }
    text
}

fn heading(snapshot: &Snapshot) -> String {
    let Snapshot { version, time, generation, process, .. } = snapshot;
    let limit = process.descriptor_limit.map_or_else(String::new, |limit| format!(" of {limit}"));
    let mut text = format!(
        "proxy {version}, process {}, up {}, {} threads, {}, {:.1} s of processors, \
         {}{limit} descriptors\n",
        process.pid,
        time_of(process.uptime),
        process.threads,
        bytes(process.memory),
        process.cpu,
        process.descriptors,
    );
    let loaded = time_of(time - generation.loaded);
    text.push_str(&format!("configuration {}, loaded {loaded} ago\n", generation.number));
    if let Some(reload) = &generation.reload
        && let Some(error) = &reload.error
    {
        let ago = time_of(time - reload.time);
        text.push_str(&format!("the last reload failed, {ago} ago: {error}\n"));
    }
    text
}

fn listeners(snapshot: &Snapshot) -> Table {
    let headings = ["LISTENER", "ACCEPTED", "ACTIVE", "READING", "WRITING", "WAITING"];
    let mut table = Table::new(&[&headings[..], &["TUNNELS", "REQUESTS", "4XX", "5XX"]].concat());
    for listener in &snapshot.listeners {
        let its = &listener.connections;
        let numbers = [
            its.accepted,
            its.active,
            its.reading,
            its.writing,
            its.waiting,
            listener.tunnels,
            its.requests,
            listener.answers.refused,
            listener.answers.failed,
        ];
        table.row([listener.address.clone()].into_iter().chain(numbers.map(|it| it.to_string())));
    }
    table
}

fn servers(upstream: &Upstream) -> Table {
    let name = format!("UPSTREAM {}", upstream.name);
    let headings = ["STATE", "WEIGHT", "ACTIVE", "TUNNELS", "SELECTED", "REQUESTS", "FAILURES"];
    let traffic = ["MESSAGES IN", "OUT", "BYTES IN", "OUT"];
    let mut table = Table::new(&[&[name.as_str()][..], &headings, &traffic].concat());
    for server in &upstream.servers {
        let its = &server.traffic;
        let numbers = [
            server.weight.into(),
            server.active,
            its.tunnels,
            server.selected,
            server.requests,
            server.failures,
            its.messages_received,
            its.messages_sent,
        ];
        let bytes = [its.bytes_received, its.bytes_sent].map(bytes);
        let numbers = numbers.map(|it: u64| it.to_string()).into_iter().chain(bytes);
        table.row([server.address.clone(), state(server)].into_iter().chain(numbers));
    }
    table
}

fn state(server: &Server) -> String {
    match (server.benched_for, server.share) {
        (Some(left), _) => format!("{} {}", server.state, time_of(left)),
        (_, Some(share)) => format!("{} {:.0}%", server.state, share * 100.0),
        _ => server.state.clone(),
    }
}

fn named(name: &str, tunnels: &[Tunnel]) -> Table {
    let headings = ["SERVER", "AGE", "IDLE", "PING"];
    let traffic = ["MESSAGES IN", "OUT", "BYTES IN", "OUT"];
    let mut table = Table::new(&[&[name][..], &headings, &traffic].concat());
    for tunnel in tunnels {
        table.row([
            tunnel.client.clone(),
            tunnel.server.clone(),
            time_of(tunnel.age),
            time_of(tunnel.idle),
            tunnel.ping.map_or_else(|| "-".to_owned(), |ping| format!("{:.0} ms", ping * 1000.0)),
            tunnel.messages_received.to_string(),
            tunnel.messages_sent.to_string(),
            bytes(tunnel.bytes_received),
            bytes(tunnel.bytes_sent),
        ]);
    }
    table
}

/// A time in its two largest units.
fn time_of(seconds: f64) -> String {
    let whole = std::time::Duration::try_from_secs_f64(seconds).unwrap_or_default().as_secs();
    let (days, hours, minutes) = (whole / 86_400, whole / 3600 % 24, whole / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{} s", whole % 60),
        (0, 0, _) => format!("{minutes} m {} s", whole % 60),
        (0, ..) => format!("{hours} h {minutes} m"),
        _ => format!("{days} d {hours} h"),
    }
}

/// A number of bytes with a unit that leaves three digits or four.
fn bytes(count: u64) -> String {
    let units = [("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1000)];
    match units.into_iter().find(|(_, size)| count >= 10 * size) {
        Some((unit, size)) => format!("{} {unit}", count / size),
        None => format!("{count} B"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_sizes_are_short() {
        assert_eq!(
            [0.4, 61.0, 7260.0, 90_000.0].map(time_of),
            ["0 s", "1 m 1 s", "2 h 1 m", "1 d 1 h"]
        );
        assert_eq!(time_of(-1.0), "0 s");
        assert_eq!(
            [0, 9999, 10_000, 123_456_789, 10_000_000_000].map(bytes),
            ["0 B", "9999 B", "10 kB", "123 MB", "10 GB"]
        );
    }
}
