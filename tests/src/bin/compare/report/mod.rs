//! The results for a terminal ([`mod@table`]), for a browser ([`mod@page`]) and for programs ([`mod@json`]).

mod json;
mod page;
mod table;

pub(crate) use json::json;
pub(crate) use page::page;
pub(crate) use table::{head, table};
