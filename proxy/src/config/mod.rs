//! Text into values: lexing, parsing, including, applying directives, inheriting, and the typed
//! model that comes out. It knows nothing of sockets, has no clock, and only `include` reads files.

pub mod model;
mod source;

pub use model::Config;
pub use source::{SourceFile, Sources, Span, Spanned};
