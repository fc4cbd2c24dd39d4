//! The end of a WebSocket connection that is told.

use super::Wire;

impl Wire {
    /// A Close frame with this code must come next (RFC 6455, 5.5.1). It is answered.
    pub(crate) fn expect_close(&mut self, code: u16, masked: bool) {
        let head = self.exactly(2);
        assert_eq!((head[0], head[1] & 0x80 != 0), (0x88, masked), "{}", head.escape_ascii());
        let key = if masked { self.exactly(4) } else { vec![0; 4] };
        let payload = self.exactly(usize::from(head[1] & 0x7f));
        assert_eq!(u16::from_be_bytes([payload[0] ^ key[0], payload[1] ^ key[1]]), code);
        // Whoever gets masked frames sends none.
        self.send(if masked { &b"\x88\0"[..] } else { b"\x88\x80\0\0\0\0" });
    }

    /// The same, and then the end of the connection.
    pub(crate) fn expect_close_and_end(&mut self, code: u16, masked: bool) {
        self.expect_close(code, masked);
        self.expect_end();
    }
}

/// Both ends of a tunnel are told that it ends, and it does.
pub(crate) fn expect_closes((client, server): (&mut Wire, &mut Wire), code: u16) {
    client.expect_close(code, false);
    server.expect_close(code, true);
    client.expect_end();
    server.expect_end();
}
