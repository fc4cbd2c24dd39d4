//! RFC 6455 §5: what comes in, and what goes back for it. Knows no socket and no clock.
//!
//! Nothing is held between two messages. A message that arrives whole is unmasked on its way from
//! the input to the output; only one that arrives in parts is gathered, in a buffer of its own that
//! then becomes the output.

mod decode;
mod encode;

pub(crate) use decode::{Decoder, Failure, Flow};
pub(crate) use encode::{put_close, put_ping};
