//! Pings: the regular ones that show that the server still lives, and those a person asks for.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;

/// Pings sent and not yet answered.
#[derive(Debug)]
pub(crate) struct Keepalive {
    /// A ping this often, and this long for its pong; `None` sends none.
    interval: Option<Duration>,
    next: Instant,
    count: u64,
    waiting: VecDeque<Ping>,
}

#[derive(Debug)]
struct Ping {
    number: u64,
    at: Instant,
    asked: bool,
}

impl Keepalive {
    pub(crate) fn new(interval: Option<Duration>, now: Instant) -> Self {
        let next = now + interval.unwrap_or_default();
        Self { interval, next, count: 0, waiting: VecDeque::new() }
    }

    /// A ping that a person `asked` for, or a regular one.
    pub(crate) fn ping(&mut self, asked: bool, now: Instant) -> Message {
        self.count += 1;
        self.waiting.push_back(Ping { number: self.count, at: now, asked });
        if !asked {
            self.next = now + self.interval.unwrap_or_default();
        }
        Message::Ping(self.count.to_string().into_bytes().into())
    }

    /// Takes a pong, which answers every ping up to its own (RFC 6455 section 5.5.3). Returns how
    /// long those took that a person asked for. A pong that answers none of ours is no matter.
    pub(crate) fn pong(&mut self, payload: &[u8], now: Instant) -> Vec<Duration> {
        let number = std::str::from_utf8(payload).ok().and_then(|text| text.parse::<u64>().ok());
        let Some(at) = self.waiting.iter().position(|ping| Some(ping.number) == number) else {
            return Vec::new();
        };
        let answered = self.waiting.drain(..=at);
        answered.filter(|ping| ping.asked).map(|ping| now - ping.at).collect()
    }

    /// When to look here again.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let interval = self.interval?;
        let oldest = self.waiting.front().map(|ping| ping.at + interval);
        Some(oldest.map_or(self.next, |oldest| oldest.min(self.next)))
    }

    /// Whether a regular ping is due.
    pub(crate) fn is_due(&self, now: Instant) -> bool {
        self.interval.is_some() && self.next <= now
    }

    /// Whether a pong is overdue.
    pub(crate) fn is_overdue(&self, now: Instant) -> bool {
        let Some((interval, oldest)) = self.interval.zip(self.waiting.front()) else {
            return false;
        };
        oldest.at + interval <= now
    }

    /// Nobody has read what the server sends, so a missing pong says nothing: wait once more.
    pub(crate) fn excuse(&mut self, now: Instant) {
        for ping in &mut self.waiting {
            ping.at = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_ping_is_due_every_interval_and_overdue_an_interval_later() {
        let start = Instant::now();
        let mut keepalive = Keepalive::new(Some(20 * SECOND), start);
        assert!(!keepalive.is_due(start + 19 * SECOND));
        assert_eq!(keepalive.deadline(), Some(start + 20 * SECOND));
        let sent = start + 20 * SECOND;
        assert!(keepalive.is_due(sent));
        assert_eq!(keepalive.ping(false, sent), Message::Ping("1".into()));
        assert!(!keepalive.is_due(sent));
        assert!(!keepalive.is_overdue(sent + 19 * SECOND));
        assert!(keepalive.is_overdue(sent + 20 * SECOND));
        assert!(keepalive.pong(b"1", sent + SECOND).is_empty(), "nobody asked for this one");
        assert!(!keepalive.is_overdue(sent + 20 * SECOND));
    }

    #[test]
    fn a_pong_answers_all_pings_before_it_and_only_ours() {
        let start = Instant::now();
        let mut keepalive = Keepalive::new(None, start);
        keepalive.ping(true, start);
        keepalive.ping(true, start + SECOND);
        assert!(keepalive.pong(b"9", start).is_empty());
        assert!(keepalive.pong(b"\xff", start).is_empty());
        assert_eq!(keepalive.pong(b"2", start + 3 * SECOND), [3 * SECOND, 2 * SECOND]);
        assert!(keepalive.pong(b"2", start + 3 * SECOND).is_empty());
    }

    #[test]
    fn without_an_interval_nothing_is_ever_due() {
        let start = Instant::now();
        let mut keepalive = Keepalive::new(None, start);
        keepalive.ping(true, start);
        assert_eq!(keepalive.deadline(), None);
        assert!(!keepalive.is_due(start + 9999 * SECOND));
        assert!(!keepalive.is_overdue(start + 9999 * SECOND));
    }

    #[test]
    fn an_excused_ping_gets_its_time_again() {
        let start = Instant::now();
        let mut keepalive = Keepalive::new(Some(SECOND), start);
        keepalive.ping(false, start);
        keepalive.excuse(start + SECOND);
        assert!(!keepalive.is_overdue(start + SECOND));
        assert!(keepalive.is_overdue(start + 2 * SECOND));
    }
}
