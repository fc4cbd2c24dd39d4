//! What the fuzz targets in `proxy/fuzz` reach of the rooms that are nobody else's. Only they build it.

use http::Method;

use crate::framing::Body;
use crate::http::HeadRules;
use crate::listen;
use crate::tunnel::Tracker;
use crate::upstream;

/// nginx's defaults.
const RULES: HeadRules = HeadRules {
    first: 1024,
    number: 4,
    large: 8192,
    fields: 100,
    ignore_invalid: true,
    underscores: false,
};

/// How a request's head that comes in pieces of this length is read: how long it is, and whether it
/// is given to hyper as it stands. Nothing where it is not whole; an error where it is refused.
///
/// # Errors
/// The status of the refusal.
pub fn request_head(bytes: &[u8], piece: usize) -> Result<Option<(usize, bool)>, u16> {
    let mut head = listen::Head::new(RULES);
    let ends = (0..bytes.len()).step_by(piece).skip(1).chain([bytes.len()]);
    for end in ends {
        let read = head.read(bytes.get(..end).unwrap_or_default());
        if let Some(whole) = read.map_err(|fault| fault.status)? {
            return Ok(Some((whole.length, !whole.odd)));
        }
    }
    Ok(None)
}

/// How an answer's head that comes in pieces of this length is read: how long it is, and whether
/// its body is of a length, or what it is.
///
/// # Errors
/// Why it is none.
pub fn answer_head(bytes: &[u8], piece: usize) -> Result<Option<(usize, String)>, String> {
    let ends = (0..bytes.len()).step_by(piece).skip(1).chain([bytes.len()]);
    for end in ends {
        let bytes = bytes.get(..end).unwrap_or_default();
        let read = upstream::Head::parse(bytes, &Method::GET, upstream::LARGEST_HEAD);
        if let Some(head) = read.map_err(|failure| failure.to_string())? {
            return Ok(Some((head.length, format!("{:?}", head.body))));
        }
    }
    Ok(None)
}

/// The content of a chunked body that comes in pieces of this length, and how long the body is, where
/// it has ended; an error where it is none.
///
/// # Errors
/// It is no chunked body.
pub fn chunks(bytes: &[u8], piece: usize) -> Result<(Vec<u8>, Option<usize>), ()> {
    let (mut body, mut content, mut at) = (Body::CHUNKED, Vec::new(), 0);
    for piece in bytes.chunks(piece) {
        let taken = body.content(piece, &mut content);
        at += taken;
        if body.is_lost() {
            return Err(());
        }
        if body.is_over() {
            return Ok((content, Some(at)));
        }
    }
    Ok((content, None))
}

/// Where frames end in these bytes of a client's (masked) or a server's, which come in pieces of this
/// length, up to a Close or to what is no frame; and whether there was such.
#[must_use]
pub fn frame_ends(masked: bool, bytes: &[u8], piece: usize) -> (Vec<usize>, bool) {
    let mut tracker = if masked { Tracker::of_client() } else { Tracker::of_server() };
    let (mut ends, mut at) = (Vec::new(), 0);
    for piece in bytes.chunks(piece) {
        let mut rest = piece;
        while let Some((first, behind)) = rest.split_first() {
            if tracker.is_lost() || tracker.is_closed() {
                break;
            }
            // A byte moves it away from the end before; the frame ends where `finish` says.
            tracker.see(&[*first]);
            let taken = 1 + tracker.finish(behind);
            at += taken;
            rest = rest.get(taken..).unwrap_or_default();
            if tracker.is_between_frames() || tracker.is_closed() {
                ends.push(at);
            }
        }
    }
    (ends, tracker.is_lost())
}
