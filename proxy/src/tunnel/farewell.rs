//! Whether a server has said farewell: its frames are followed by their headers alone, to know
//! whether one of them was a Close.

/// Where between its frames a server's side of a WebSocket tunnel is (RFC 6455, 5.2): 16 bytes.
#[derive(Debug, Default)]
pub(super) enum Farewell {
    /// Between two frames.
    #[default]
    Start,
    /// Behind the first byte of a frame; whether it is a control frame.
    Length(bool),
    /// So many bytes of the length are still to come.
    Extended(u8, u64),
    /// So many bytes of the payload are.
    Payload(u64),
    /// In a Close frame or behind it.
    Said,
    /// Somewhere: what came is no frame of a server's.
    Lost,
}

impl Farewell {
    /// Whether an end here is one that nobody has announced.
    pub(super) fn is_missing(&self) -> bool {
        !matches!(self, Self::Said | Self::Lost)
    }

    /// These bytes have come.
    pub(super) fn see(&mut self, mut bytes: &[u8]) {
        while self.is_missing()
            && let Some((&first, rest)) = bytes.split_first()
        {
            if let Self::Payload(left) = *self {
                let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX).min(left);
                self.pass(length);
                let length = usize::try_from(length).unwrap_or(bytes.len());
                bytes = bytes.get(length..).unwrap_or_default();
            } else {
                *self = self.next(first);
                bytes = rest;
            }
        }
    }

    /// So many bytes have come that nobody has looked at.
    pub(super) fn pass(&mut self, bytes: u64) {
        *self = match *self {
            Self::Said => Self::Said,
            Self::Payload(left) if bytes < left => Self::Payload(left - bytes),
            Self::Payload(left) if bytes == left => Self::Start,
            _ => Self::Lost,
        };
    }

    fn next(&self, byte: u8) -> Self {
        match *self {
            Self::Start => {
                let (last, opcode) = (byte & 0x80 != 0, byte & 0x0f);
                let control = opcode & 8 != 0;
                // The first reserved bit is permessage-deflate's; nobody uses the others.
                let known = matches!(opcode, 0..=2 | 8..=10) && byte & 0x30 == 0;
                match opcode {
                    _ if !known || (control && !last) => Self::Lost,
                    8 => Self::Said,
                    _ => Self::Length(control),
                }
            }
            // A server masks nothing, and a control frame is short.
            Self::Length(control) => match byte {
                0 => Self::Start,
                1..=125 => Self::Payload(byte.into()),
                126 if !control => Self::Extended(2, 0),
                127 if !control => Self::Extended(8, 0),
                _ => Self::Lost,
            },
            Self::Extended(left, length) => match (left, (length << 8) | u64::from(byte)) {
                (1, 0) => Self::Start,
                (1, length) => Self::Payload(length),
                (left, length) => Self::Extended(left - 1, length),
            },
            Self::Payload(_) | Self::Said | Self::Lost => Self::Lost,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is missing after these bytes, in one piece and in single ones.
    fn is_missing(bytes: &[u8]) -> bool {
        let (mut whole, mut single) = (Farewell::default(), Farewell::default());
        whole.see(bytes);
        bytes.iter().for_each(|byte| single.see(&[*byte]));
        assert_eq!(whole.is_missing(), single.is_missing(), "{}", bytes.escape_ascii());
        whole.is_missing()
    }

    #[test]
    fn a_close_is_a_farewell_wherever_it_comes() {
        for before in [
            &b""[..],
            b"\x81\x02hi",
            b"\x01\x02hi\x89\x01!\x80\0",
            b"\xc1\x01x",
            &[&b"\x82\x7e\x01\0"[..], &[0x88; 256]].concat(),
            &[&b"\x82\x7f\0\0\0\0\0\x01\0\0"[..], &[0x88; 65536]].concat(),
        ] {
            assert!(is_missing(before));
            assert!(!is_missing(&[before, b"\x88\0"].concat()));
            assert!(!is_missing(&[before, b"\x88\x02\x03\xe8"].concat()));
        }
        assert!(is_missing(b"\x81\x05hi"), "an end within a frame is none");
    }

    #[test]
    fn what_is_no_frame_has_no_farewell() {
        for bytes in
            [&b"hello"[..], b"\x81\x82maskhi", b"\x08\0", b"\x83\0", b"\x89\x7e\x01\0", b"Hi"]
        {
            assert!(!is_missing(bytes), "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn what_nobody_has_looked_at_may_be_payload_only() {
        let mut farewell = Farewell::default();
        farewell.see(b"\x82\x7e\x01\0some");
        farewell.pass(252);
        assert!(farewell.is_missing());
        farewell.pass(1);
        assert!(!farewell.is_missing());
    }
}
