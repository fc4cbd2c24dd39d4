//! Files as answers: what nginx's static and index modules do, and the filters behind them.
//!
//! `map` finds the path of a file, `serve` answers with it or says why not; `fresh` compares what a
//! client has already, `ranges` reads which parts it wants, `pieces` is the body. A file is read
//! piece by piece as the connection takes it, as nginx does it without `aio`.

mod fresh;
mod map;
mod pieces;
mod ranges;
mod serve;

pub(crate) use fresh::ModifiedSince;
pub(super) use map::Mapped;
pub(crate) use map::{Aliased, Files};
pub(super) use pieces::Pieces;
pub(super) use ranges::{Wanted, wanted};
pub(super) use serve::serve;
