//! How things are said: one line each, safe for a terminal, in the form of `python -m websockets`.

use std::fmt::Write as _;
use std::io;

use tokio_tungstenite::tungstenite::Message;

/// One line for a message that came in: `< text`, or `< (binary) 0001ff`. `None` for control frames.
pub(crate) fn incoming(message: &Message) -> Option<String> {
    match message {
        Message::Text(text) => Some(format!("< {}", escape(text))),
        Message::Binary(bytes) => Some(format!("< (binary) {}", hex(bytes))),
        _ => None,
    }
}

/// Makes text safe for a terminal, and keeps it on one line.
///
/// Control characters (C0, DEL, C1) become `\n`, `\t`, `\r` or `\x1b`; so do, as `\u202e`, the
/// characters that break a line or turn the direction of what follows.
pub(crate) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => safe.push_str("\\n"),
            '\r' => safe.push_str("\\r"),
            '\t' => safe.push_str("\\t"),
            _ if c.is_control() => push(&mut safe, format_args!("\\x{:02x}", u32::from(c))),
            '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                push(&mut safe, format_args!("\\u{:04x}", u32::from(c)));
            }
            _ => safe.push(c),
        }
    }
    safe
}

/// An error of the operating system without its number: `Connection refused`.
pub(crate) fn os(error: &io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error") {
        Some((words, _)) => words.to_owned(),
        None => text,
    }
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().saturating_mul(2));
    for byte in bytes {
        push(&mut text, format_args!("{byte:02x}"));
    }
    text
}

fn push(text: &mut String, what: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = text.write_fmt(what);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_would_move_the_cursor_is_escaped() {
        assert_eq!(escape("a\tb\r\nc"), "a\\tb\\r\\nc");
        assert_eq!(escape("\u{1b}[2J\u{7}\u{7f}\u{9b}"), "\\x1b[2J\\x07\\x7f\\x9b");
        assert_eq!(escape("abc\u{202e}def\u{2028}"), "abc\\u202edef\\u2028");
    }

    #[test]
    fn other_text_stays_as_it_is() {
        let text = "Grüße, 世界, 👩‍💻, \u{a0}, back\\slash";
        assert_eq!(escape(text), text);
    }

    #[test]
    fn messages_are_told_apart() {
        assert_eq!(incoming(&Message::text("hi")).as_deref(), Some("< hi"));
        assert_eq!(incoming(&Message::text("")).as_deref(), Some("< "));
        let binary = Message::binary(vec![0, 1, 255]);
        assert_eq!(incoming(&binary).as_deref(), Some("< (binary) 0001ff"));
        assert_eq!(incoming(&Message::Ping(Vec::new().into())), None);
    }

    #[test]
    fn an_error_number_is_left_out() {
        assert_eq!(os(&io::Error::from_raw_os_error(111)), "Connection refused");
        assert_eq!(os(&io::Error::other("something else")), "something else");
    }
}
