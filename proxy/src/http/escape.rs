//! What `log_format` makes of values.

use std::io::Write;

use super::record::Record;
use crate::route::{Part, Template, Values};

/// How `log_format` escapes values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Escape {
    /// `"`, `\` and bytes that are not printable ASCII as `\xXX`; what is absent is `-`.
    Default,
    /// By JSON's rules; what is absent is empty.
    Json,
    /// Not at all.
    None,
}

/// Renders a log line: text as it is, values escaped.
pub(super) fn render_escaped(
    record: &Record,
    format: &Template,
    escape: Escape,
    out: &mut Vec<u8>,
) {
    let mut value = Vec::new();
    for part in format.parts() {
        value.clear();
        render_part(record, part, escape, &mut value, out);
    }
}

/// Renders a piece of one; `value` is room that is empty.
pub(super) fn render_part(
    record: &Record,
    part: &Part,
    escape: Escape,
    value: &mut Vec<u8>,
    out: &mut Vec<u8>,
) {
    match part {
        Part::Literal(text) => out.extend_from_slice(text.as_bytes()),
        Part::Variable(variable) => {
            let found = record.write(variable, value);
            match escape {
                Escape::Default if !found => out.push(b'-'),
                Escape::Default => value.iter().for_each(|byte| escape_default(*byte, out)),
                Escape::Json => value.iter().for_each(|byte| escape_json(*byte, out)),
                Escape::None => out.extend_from_slice(value),
            }
        }
    }
}

fn escape_default(byte: u8, out: &mut Vec<u8>) {
    match byte {
        b'"' | b'\\' | 0..=31 | 127..=255 => show(out, format_args!("\\x{byte:02X}")),
        byte => out.push(byte),
    }
}

fn escape_json(byte: u8, out: &mut Vec<u8>) {
    match byte {
        b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
        b'\n' => out.extend_from_slice(b"\\n"),
        b'\r' => out.extend_from_slice(b"\\r"),
        b'\t' => out.extend_from_slice(b"\\t"),
        8 => out.extend_from_slice(b"\\b"),
        12 => out.extend_from_slice(b"\\f"),
        0..=31 => show(out, format_args!("\\u{byte:04X}")),
        byte => out.push(byte),
    }
}

fn show(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    // Writing to a Vec cannot fail.
    let _ = out.write_fmt(text);
}
