//! Close codes: what they mean, which may be sent, and how a conversation ended.

use std::fmt;

use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use crate::words;

/// The longest reason that fits a close frame beside its code (RFC 6455 section 5.5), in bytes.
const REASON_LIMIT: usize = 123;

/// A close code and its reason (RFC 6455 section 7.4), shown as `1000 (OK)` or
/// `4001 (private use) reason`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Close {
    /// The code; 1005 and 1006 stand for a close frame without a code, and for no close frame.
    pub(crate) code: u16,
    /// The reason, empty when there is none.
    pub(crate) reason: String,
}

/// Why a code or a reason cannot be sent.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotSendable {
    #[error("{0} cannot be sent as a close code: use 1000 to 1003, 1007 to 1014 or 3000 to 4999")]
    Code(String),
    #[error("the reason is {0} bytes long, and {REASON_LIMIT} is the limit")]
    Reason(usize),
}

impl Close {
    pub(crate) const NORMAL: u16 = 1000;
    pub(crate) const GOING_AWAY: u16 = 1001;
    pub(crate) const PROTOCOL_ERROR: u16 = 1002;
    pub(crate) const NO_STATUS: u16 = 1005;
    pub(crate) const ABNORMAL: u16 = 1006;
    pub(crate) const INVALID_DATA: u16 = 1007;
    pub(crate) const TOO_BIG: u16 = 1009;
    pub(crate) const INTERNAL_ERROR: u16 = 1011;

    pub(crate) fn new(code: u16, reason: impl Into<String>) -> Self {
        Self { code, reason: reason.into() }
    }

    /// What a person typed: a code that may be sent, and a reason that fits.
    ///
    /// # Errors
    /// [`NotSendable`] for a code that RFC 6455 section 7.4 keeps out of frames, or a long reason.
    pub(crate) fn typed(code: &str, reason: &str) -> Result<Self, NotSendable> {
        match code.parse() {
            Ok(number @ (1000..=1003 | 1007..=1014 | 3000..=4999)) => {
                if reason.len() > REASON_LIMIT {
                    return Err(NotSendable::Reason(reason.len()));
                }
                Ok(Self::new(number, reason))
            }
            _ => Err(NotSendable::Code(code.to_owned())),
        }
    }

    /// What the other side sent.
    pub(crate) fn received(frame: Option<&CloseFrame>) -> Self {
        match frame {
            Some(frame) => Self::new(frame.code.into(), frame.reason.as_str()),
            None => Self::new(Self::NO_STATUS, ""),
        }
    }

    /// The frame that says this; a reason that does not fit is left out.
    pub(crate) fn frame(&self) -> CloseFrame {
        let reason = if self.reason.len() > REASON_LIMIT { "" } else { &self.reason };
        CloseFrame { code: self.code.into(), reason: reason.to_owned().into() }
    }

    /// Whether the conversation ended as it should: 1000 or 1001.
    pub(crate) fn is_clean(&self) -> bool {
        matches!(self.code, Self::NORMAL | Self::GOING_AWAY)
    }
}

impl fmt::Display for Close {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.code, meaning(self.code))?;
        if !self.reason.is_empty() {
            write!(f, " {}", words::escape(&self.reason))?;
        }
        Ok(())
    }
}

/// The names of RFC 6455 section 7.4.1 and IANA's registry, as Python's `websockets` words them.
fn meaning(code: u16) -> &'static str {
    match code {
        1000 => "OK",
        1001 => "going away",
        1002 => "protocol error",
        1003 => "unsupported data",
        1005 => "no status received [internal]",
        1006 => "abnormal closure [internal]",
        1007 => "invalid frame payload data",
        1008 => "policy violation",
        1009 => "message too big",
        1010 => "mandatory extension",
        1011 => "internal error",
        1012 => "service restart",
        1013 => "try again later",
        1014 => "bad gateway",
        1015 => "TLS handshake failure [internal]",
        3000..=3999 => "registered",
        4000..=4999 => "private use",
        _ => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_said_in_words() {
        let say = |code, reason: &str| Close::new(code, reason).to_string();
        assert_eq!(say(1000, ""), "1000 (OK)");
        assert_eq!(say(1001, ""), "1001 (going away)");
        assert_eq!(say(1006, ""), "1006 (abnormal closure [internal])");
        assert_eq!(say(1009, "2 > 1"), "1009 (message too big) 2 > 1");
        assert_eq!(say(3000, ""), "3000 (registered)");
        assert_eq!(say(4001, "reason"), "4001 (private use) reason");
        assert_eq!(say(2999, "a\nb"), "2999 (unknown) a\\nb");
    }

    #[test]
    fn only_what_a_frame_may_carry_can_be_typed() {
        assert_eq!(Close::typed("4001", "bye"), Ok(Close::new(4001, "bye")));
        for code in ["1004", "1005", "1006", "1015", "999", "2000", "5000", "70000", "-1", "x", ""]
        {
            assert_eq!(Close::typed(code, ""), Err(NotSendable::Code(code.to_owned())), "{code}");
        }
        assert_eq!(Close::typed("1000", &"r".repeat(124)), Err(NotSendable::Reason(124)));
        assert!(Close::typed("1000", &"r".repeat(123)).is_ok());
    }
}
