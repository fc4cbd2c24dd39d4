//! Text into values: lexing, parsing, including, applying directives, inheriting, and the typed
//! model that comes out. It knows nothing of sockets, has no clock, and only `include` reads files.
//!
//! [`Loader`] is the way in, [`Config`] what comes out, [`Problem`] what comes out instead.

mod address;
mod built_in;
mod directive;
mod include;
mod inherit;
mod lex;
mod loader;
pub mod model;
mod parse;
mod problem;
mod source;
mod value;

pub use built_in::BUILT_IN;
pub use directive::modules;
pub use loader::Loader;
pub use model::Config;
pub use problem::Problem;
pub use source::{SourceFile, Sources, Span, Spanned};
