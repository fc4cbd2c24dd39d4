//! What the fuzz targets in `proxy/fuzz` reach of the rooms that are nobody else's. Only they build it.

use crate::tunnel::Tracker;

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
