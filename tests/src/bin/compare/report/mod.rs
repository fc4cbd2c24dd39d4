//! The results for a terminal ([`table`]), for a browser ([`page`]) and for programs ([`json`]).

mod json;
mod page;
mod table;

pub(crate) use json::json;
pub(crate) use page::page;
pub(crate) use table::{head, table};
