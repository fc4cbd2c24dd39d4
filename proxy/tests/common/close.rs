//! The end of a WebSocket connection that is told.

use super::Wire;

impl Wire {
    /// Waits for the end, before which a Close frame with this code must come and nothing else
    /// (RFC 6455, 5.5.1).
    pub(crate) fn expect_close(&mut self, code: u16, masked: bool) {
        let last = self.rest();
        assert_eq!((last[0], last[1] & 0x80 != 0), (0x88, masked), "{}", last.escape_ascii());
        let (key, payload) = last[2..].split_at(if masked { 4 } else { 0 });
        assert_eq!(payload.len(), usize::from(last[1] & 0x7f), "{}", last.escape_ascii());
        let key = if masked { [key[0], key[1]] } else { [0, 0] };
        assert_eq!(u16::from_be_bytes([payload[0] ^ key[0], payload[1] ^ key[1]]), code);
    }
}
