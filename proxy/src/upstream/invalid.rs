//! What is wrong with a head that a server sent, in nginx's words.

use httparse::Header;

use super::failure::Failure;
use crate::framing::{is_token, is_value};

/// Why a head does not say where its body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unframed {
    /// A coding that nobody knows here.
    Coding,
    /// A length and a coding, of which only one can be right (RFC 9112, 6.3).
    Both,
    /// A field twice of which there is one.
    Twice(&'static str),
    /// A length that is none.
    Length,
}

impl Unframed {
    /// Tells it with the fields themselves.
    pub(super) fn tell(self, fields: &[Header<'_>]) -> Failure {
        let named = |name: &'static str| {
            fields.iter().filter(move |field| field.name.eq_ignore_ascii_case(name))
        };
        let line = |field: &Header<'_>| format!("{}: {}", field.name, field.value.escape_ascii());
        Failure::invalid(match self {
            Self::Coding => {
                let mut coding =
                    named("transfer-encoding").map(|f| f.value.escape_ascii().to_string());
                let coding = coding.next().unwrap_or_default();
                format!("unknown \"Transfer-Encoding\": \"{coding}\"")
            }
            Self::Both => {
                "\"Content-Length\" and \"Transfer-Encoding\" headers at the same time".to_owned()
            }
            Self::Twice(name) => {
                let mut lines = named(name).map(line);
                let first = lines.next().unwrap_or_default();
                let second = lines.next().unwrap_or_default();
                format!("duplicate header line: \"{second}\", previous value: \"{first}\"")
            }
            Self::Length => {
                let length = named("content-length").map(line).next().unwrap_or_default();
                format!("invalid \"Content-Length\" header: \"{length}\"")
            }
        })
    }
}

/// The first field that is none, up to the byte that it cannot have.
pub(super) fn field(head: &[u8]) -> Failure {
    let mut lines = head.split_inclusive(|byte| *byte == b'\n').skip(1);
    Failure::invalid(match lines.find_map(wrong) {
        None => "invalid header".to_owned(),
        Some(wrong) => format!("invalid header: {wrong}"),
    })
}

/// The first trailer that is no field.
pub(super) fn trailer(lines: &[u8]) -> Option<Failure> {
    let wrong = lines.split_inclusive(|byte| *byte == b'\n').find_map(wrong)?;
    Some(Failure::invalid_body(format!("invalid trailer: {wrong}")))
}

/// A line that is no field, up to the byte that it cannot have.
fn wrong(line: &[u8]) -> Option<String> {
    let at = wrong_at(line)?;
    let good = line.get(..at).unwrap_or_default().escape_ascii();
    let byte = line.get(at).unwrap_or(&0);
    Some(format!("\"{good}\\x{byte:02x}...\""))
}

/// Where the first byte stands that no field has.
fn wrong_at(line: &[u8]) -> Option<usize> {
    let end =
        line.strip_suffix(b"\r\n").or(line.strip_suffix(b"\n")).map_or(line.len(), <[u8]>::len);
    if end == 0 {
        return None;
    }
    let name = line.iter().position(|byte| !is_token(*byte))?;
    if name == 0 || line.get(name) != Some(&b':') {
        return Some(name);
    }
    let value = line.get(name..end)?;
    let wrong = value.iter().position(|byte| !is_value(*byte))?;
    Some(name + wrong)
}
