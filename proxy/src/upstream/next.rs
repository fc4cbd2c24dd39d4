//! When a request goes on to the next server (nginx: `proxy_next_upstream`).

use std::time::{Duration, Instant};

use http::{Method, StatusCode};

use super::failure::{Failure, Phase};

/// The conditions, and how long and how often.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NextUpstream {
    /// Connecting, sending or reading the head failed.
    pub(crate) error: bool,
    /// One of those took too long.
    pub(crate) timeout: bool,
    /// The answer was empty or broken.
    pub(crate) invalid_header: bool,
    /// POST, LOCK and PATCH go on too after they were sent.
    pub(crate) non_idempotent: bool,
    /// Status codes that count as a failure.
    pub(crate) statuses: Statuses,
    /// How many servers are tried at most; 0 is all of them.
    pub(crate) tries: u32,
    /// How long may pass until the last one is tried; zero is no limit.
    pub(crate) within: Duration,
}

/// The status codes among the conditions.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Statuses([Option<StatusCode>; 7]);

impl FromIterator<StatusCode> for Statuses {
    fn from_iter<T: IntoIterator<Item = StatusCode>>(codes: T) -> Self {
        let mut statuses = Self::default();
        statuses.0.iter_mut().zip(codes).for_each(|(place, code)| *place = Some(code));
        statuses
    }
}

impl Statuses {
    /// Whether an answer with this code counts as a failure.
    pub(crate) fn contain(&self, status: StatusCode) -> bool {
        self.0.contains(&Some(status))
    }
}

/// What is left of the tries of one request.
#[derive(Debug)]
pub(crate) struct Budget {
    tries: u32,
    deadline: Option<Instant>,
}

impl NextUpstream {
    /// The tries of one request that starts now.
    pub(crate) fn budget(&self, now: Instant) -> Budget {
        let tries = if self.tries == 0 { u32::MAX } else { self.tries };
        let deadline = (!self.within.is_zero()).then(|| now + self.within);
        Budget { tries, deadline }
    }

    /// Whether this failure lets this request go on.
    pub(crate) fn allows(&self, failure: &Failure, method: &Method) -> bool {
        let condition = match failure {
            Failure::Timeout(_) => self.timeout,
            Failure::Invalid(..) => self.invalid_header,
            Failure::Unasked | Failure::Client | Failure::ClientTimeout | Failure::TooLarge => {
                false
            }
            failure if failure.is_shortage() => false,
            Failure::Connect(..) | Failure::Closed(_) | Failure::Socket(..) => self.error,
        };
        condition && (failure.phase() == Phase::Connect || self.repeats(method))
    }

    /// Whether a request with this method may be sent a second time.
    pub(crate) fn repeats(&self, method: &Method) -> bool {
        self.non_idempotent || !matches!(method.as_str(), "POST" | "LOCK" | "PATCH")
    }
}

impl Budget {
    /// Whether there is one left to take.
    pub(crate) fn is_left(&self, now: Instant) -> bool {
        self.tries > 0 && self.deadline.is_none_or(|deadline| now < deadline)
    }

    /// How long another server may still be tried; none where there is no limit, or no try.
    pub(crate) fn time_left(&self, now: Instant) -> Option<Duration> {
        let left = self.deadline?.checked_duration_since(now)?;
        (self.tries > 0 && !left.is_zero()).then_some(left)
    }

    /// Takes one try; false when none is left or the time is over.
    pub(crate) fn take(&mut self, now: Instant) -> bool {
        let left = self.is_left(now);
        self.tries = self.tries.saturating_sub(1);
        left
    }
}
