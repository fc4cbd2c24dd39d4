//! What a rewritten path or argument is escaped to, and what a redirect is unescaped from.

/// Appends an argument's value with the bytes escaped that would end it: nginx's `NGX_ESCAPE_ARGS`.
pub fn escape_args(value: &[u8], out: &mut Vec<u8>) {
    for byte in value {
        if *byte <= b' ' || *byte >= 0x7f || b"#%&+;?".contains(byte) {
            out.extend_from_slice(format!("%{byte:02X}").as_bytes());
        } else {
            out.push(*byte);
        }
    }
}

/// A redirect's text with what was escaped in vain as it is; its arguments are left alone.
#[must_use]
pub fn unescape_redirect(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        if byte == b'?' {
            break;
        }
        rest = after;
        let code = (byte == b'%').then(|| hex(after)).flatten();
        match code {
            Some(code @ 0x26..0x7f) => {
                out.push(code);
                rest = after.get(2..).unwrap_or_default();
                if code == b'?' {
                    break;
                }
            }
            _ => out.push(byte),
        }
    }
    out.extend_from_slice(rest);
    out
}

fn hex(text: &[u8]) -> Option<u8> {
    let digits = std::str::from_utf8(text.get(..2)?).ok()?;
    digits.bytes().all(|digit| digit.is_ascii_hexdigit()).then_some(())?;
    u8::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_escaped_and_redirects_unescaped() {
        let mut out = Vec::new();
        escape_args(b"a b&c/\xff", &mut out);
        assert_eq!(out, b"a%20b%26c/%FF");
        assert_eq!(unescape_redirect(b"/%41%20%zz%4?%41"), b"/A%20%zz%4?%41");
        assert_eq!(unescape_redirect(b"/%3F%41"), b"/?%41");
    }
}
