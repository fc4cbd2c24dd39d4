//! What a client may send, and for how long a tunnel may last.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::direction::Direction;
use super::ending::Ending;
use super::frames::Tracker;

/// The bounds of a tunnel of WebSocket's that somebody has set.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Bounds {
    /// The longest message of the client's, in bytes.
    pub(crate) message: Option<u32>,
    /// How many messages the client may send.
    pub(crate) rate: Option<Rate>,
    /// How long it may last.
    pub(crate) lifetime: Option<Duration>,
}

/// So many messages in a second, and so many at once.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Rate {
    /// In a second; at least one.
    pub(crate) per_second: u32,
    /// At once; at least one.
    pub(crate) burst: u32,
}

/// Who looks after them.
#[derive(Debug)]
pub(super) struct Guard {
    pub(super) bounds: Bounds,
    /// How many messages may come now, in thousandths.
    pub(super) allowance: u64,
    refilled: Instant,
    /// When the tunnel has lasted for long enough.
    pub(super) expires: Option<Instant>,
}

/// What the client has sent is too much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Breach {
    pub(super) ending: Ending,
    /// How many bytes may be passed, so that the server is between two frames; none where it is in the
    /// middle of a header.
    place: Option<usize>,
}

/// Of one message.
const PART: u64 = 1000;

impl Guard {
    pub(super) fn new(bounds: Bounds) -> Box<Self> {
        let refilled = Instant::now();
        let allowance = bounds.rate.map_or(0, |rate| u64::from(rate.burst) * PART);
        let expires = bounds.lifetime.and_then(|lifetime| refilled.checked_add(lifetime));
        Box::new(Self { bounds, allowance, refilled, expires })
    }

    /// How long it may still last.
    pub(super) fn left(&self) -> Option<Duration> {
        self.expires.map(|expires| expires.saturating_duration_since(Instant::now()))
    }

    /// Whether a message is longer than it may be.
    pub(super) fn forbids(&self, frames: &Tracker) -> bool {
        self.bounds.message.is_some_and(|most| frames.longest() > most)
    }

    /// Looks at what comes next from the client.
    fn look(&mut self, frames: &Tracker, bytes: &[u8]) -> Result<(), Breach> {
        let mut next = frames.ahead();
        next.see(bytes);
        if self.forbids(&next) {
            let place = self.place_before(frames, bytes);
            return Err(Breach { ending: Ending::TooLong, place });
        }
        let messages = next.messages().wrapping_sub(frames.messages());
        if !self.allows(messages, Instant::now()) {
            let mut rest = frames.ahead();
            return Err(Breach { ending: Ending::TooMany, place: Some(rest.finish(bytes)) });
        }
        Ok(())
    }

    /// Whether so many messages may come now.
    fn allows(&mut self, messages: u32, now: Instant) -> bool {
        let Some(rate) = self.bounds.rate.filter(|_| messages > 0) else { return true };
        let millis = now.saturating_duration_since(self.refilled).as_millis();
        let millis = u64::try_from(millis).unwrap_or(u64::MAX);
        // A thousandth of a message comes back in a millisecond for each in a second.
        let more = millis.saturating_mul(rate.per_second.into());
        if more > 0 {
            self.refilled += Duration::from_millis(millis);
            let most = u64::from(rate.burst) * PART;
            self.allowance = self.allowance.saturating_add(more).min(most);
        }
        match self.allowance.checked_sub(u64::from(messages) * PART) {
            Some(left) => {
                self.allowance = left;
                true
            }
            None => false,
        }
    }

    /// Where the first frame begins that makes a message too long.
    fn place_before(&self, frames: &Tracker, bytes: &[u8]) -> Option<usize> {
        let mut known = frames.ahead();
        if known.is_in_header() {
            return None;
        }
        let mut place = known.finish(bytes);
        while let Some((first, rest)) = bytes.get(place..).and_then(<[u8]>::split_first) {
            known.see(&[*first]);
            let more = known.finish(rest);
            if self.forbids(&known) {
                return Some(place);
            }
            place += 1 + more;
        }
        Some(place)
    }
}

impl Direction {
    /// Gives what of these bytes may be passed; less than all of them when that is the end.
    pub(super) fn guarded<'a>(
        &mut self,
        bytes: &'a [u8],
        guard: Option<&mut Guard>,
    ) -> (&'a [u8], Option<Ending>) {
        let Some(guard) = guard else { return (bytes, None) };
        match guard.look(&self.frames, bytes) {
            Ok(()) => (bytes, None),
            Err(Breach { ending, place }) => {
                self.is_cut = place.is_some();
                (bytes.get(..place.unwrap_or(0)).unwrap_or_default(), Some(ending))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(message: Option<u32>, rate: Option<(u32, u32)>) -> Box<Guard> {
        let rate = rate.map(|(per_second, burst)| Rate { per_second, burst });
        Guard::new(Bounds { message, rate, lifetime: None })
    }

    /// A client's frame; its payload is zeros.
    fn frame(first: u8, length: u8) -> Vec<u8> {
        [&[first, 0x80 | length, 0, 0, 0, 0][..], &vec![0; length.into()]].concat()
    }

    #[test]
    fn a_message_is_as_long_as_all_of_its_frames() {
        let mut guard = guard(Some(100), None);
        let frames = Tracker::of_client();
        let fits = [frame(1, 60), frame(0x89, 125), frame(0x80, 40), frame(0x82, 100)].concat();
        assert_eq!(guard.look(&frames, &fits), Ok(()));
        let last = frame(0x80, 41);
        let long = [frame(1, 60), frame(0x89, 125), last.clone()].concat();
        let place = Some(long.len() - last.len());
        let breach = Err(Breach { ending: Ending::TooLong, place });
        assert_eq!(guard.look(&frames, &long), breach);
        // Its header says so before any of it has come.
        assert_eq!(guard.look(&frames, &long[..long.len() - 41]), breach);
    }

    #[test]
    fn in_the_middle_of_a_header_there_is_no_place() {
        let mut guard = guard(Some(10), None);
        let mut frames = Tracker::of_client();
        let long = frame(0x81, 11);
        frames.see(&long[..1]);
        let breach = Breach { ending: Ending::TooLong, place: None };
        assert_eq!(guard.look(&frames, &long[1..]), Err(breach));
    }

    #[test]
    fn messages_come_back_with_time() {
        let mut guard = guard(None, Some((10, 3)));
        let now = guard.refilled;
        assert!(guard.allows(3, now));
        assert!(!guard.allows(1, now + Duration::from_millis(99)));
        assert!(guard.allows(1, now + Duration::from_millis(100)));
        assert!(!guard.allows(1, now + Duration::from_millis(199)));
        assert!(guard.allows(3, now + Duration::from_secs(60)), "no more than the burst");
        assert!(!guard.allows(1, now + Duration::from_secs(60)));
    }

    #[test]
    fn whoever_says_too_much_may_finish_the_frame_that_has_begun() {
        let mut guard = guard(None, Some((1, 1)));
        let mut frames = Tracker::of_client();
        let two = [frame(0x81, 5), frame(0x81, 5)].concat();
        frames.see(&two[..8]);
        let breach = Breach { ending: Ending::TooMany, place: Some(3) };
        assert_eq!(guard.look(&frames, &two[8..]), Err(breach));
    }
}
