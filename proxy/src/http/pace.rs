//! How fast an answer goes out: nginx's `limit_rate`.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::time::{Sleep, sleep};

use super::record::Record;
use crate::observe::Level;
use crate::route::Template;

/// What a place says of it.
#[derive(Debug)]
pub(crate) struct Pace {
    /// Bytes per second; 0 is no limit.
    pub(crate) rate: Amount,
    /// Bytes that are not slowed down.
    pub(crate) after: Amount,
}

/// A number of bytes.
#[derive(Debug)]
pub(crate) enum Amount {
    /// The same for every request.
    Fixed(u64),
    /// What a request makes of it: `64k`.
    Text(Template),
}

impl Amount {
    fn bytes(&self, record: &Record) -> u64 {
        let text = match self {
            Self::Fixed(bytes) => return *bytes,
            Self::Text(text) => text,
        };
        let mut value = Vec::new();
        text.render(record, &mut value);
        size(&value).unwrap_or_else(|| {
            let tries = record.tries.borrow();
            let upstream = tries.last().map(|last| &*last.addr);
            let what =
                format_args!("invalid size \"{}\" while sending to client", value.escape_ascii());
            record.log(Level::Error, upstream, what);
            0
        })
    }
}

/// `512`, `64k`, `1m`; nothing at all is 0.
pub(super) fn size(text: &[u8]) -> Option<u64> {
    let (digits, scale) = match text {
        [digits @ .., b'k' | b'K'] => (digits, 1 << 10),
        [digits @ .., b'm' | b'M'] => (digits, 1 << 20),
        [] => return Some(0),
        digits => (digits, 1),
    };
    std::str::from_utf8(digits).ok()?.parse::<u64>().ok()?.checked_mul(scale)
}

/// A quarter of a second's bytes go out at once: no smaller pieces, and no longer silences.
const PIECES: u64 = 4;

/// The pace of one answer.
#[derive(Debug)]
pub(super) struct Pacer {
    rate: u64,
    after: u64,
    since: Instant,
    sent: u64,
    /// What has come and may not go out yet.
    rest: Bytes,
    rests: Option<Pin<Box<Sleep>>>,
}

impl Pacer {
    /// The pace that holds for an answer, if one does.
    pub(super) fn of(record: &Record) -> Option<Box<Self>> {
        let pace = record.rules()?.pace.as_deref();
        let rate = match (record.course.rate.get(), pace) {
            (Some(rate), _) => rate,
            (None, Some(pace)) => pace.rate.bytes(record),
            (None, None) => return None,
        };
        record.course.rate.set(Some(rate));
        if rate == 0 {
            return None;
        }
        let after = pace.map_or(0, |pace| pace.after.bytes(record));
        let since = Instant::now();
        Some(Box::new(Self { rate, after, since, sent: 0, rest: Bytes::new(), rests: None }))
    }

    /// Ready when some bytes may go out. A second's worth may from the beginning.
    pub(super) fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            if let Some(rests) = &mut self.rests {
                ready!(rests.as_mut().poll(cx));
                self.rests = None;
            }
            if self.allowance() > 0 {
                return Poll::Ready(());
            }
            let due = self.sent.saturating_sub(self.after).saturating_add(self.rate / PIECES);
            let due = Duration::from_millis(due.saturating_mul(1000) / self.rate + 1);
            let begun = Duration::from_secs(1) + self.since.elapsed();
            self.rests = Some(Box::pin(sleep(due.saturating_sub(begun))));
        }
    }

    /// What was left over, or what comes next, as far as it may go out.
    pub(super) fn take(&mut self, fresh: Option<Bytes>) -> Option<Bytes> {
        let mut bytes = match fresh {
            Some(fresh) => fresh,
            None if self.rest.is_empty() => return None,
            None => std::mem::take(&mut self.rest),
        };
        let most = usize::try_from(self.allowance()).unwrap_or(usize::MAX);
        if bytes.len() > most {
            self.rest = bytes.split_off(most);
        }
        self.sent = self.sent.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        Some(bytes)
    }

    /// How many bytes wait.
    pub(super) fn waiting(&self) -> u64 {
        u64::try_from(self.rest.len()).unwrap_or(u64::MAX)
    }

    fn allowance(&self) -> u64 {
        let millis = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX);
        let due = self.rate.saturating_mul(millis.saturating_add(1000)) / 1000;
        due.saturating_add(self.after).saturating_sub(self.sent)
    }
}
