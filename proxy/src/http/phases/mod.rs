//! nginx's phases: what happens to a request between its head and its answer, in this order.
//!
//! `real_ip`: who asks; `server`: the server's own rewrites; `location`: the location for the path, and whether it may
//! be asked; `rewrite`: the location's rewrites, after which a location may be looked for anew;
//! `limits`: how much is let in; `access`: who may ask; `try_files`: which file answers; `content`: who answers. What sends a
//! request on from within is `redirect`, what takes the place of an error `errors`; `subject` is
//! the request as rewrites see it. A phase either lets the request on or ends it with an outcome;
//! `run` is the way through all of them.

mod access;
mod content;
mod errors;
mod limits;
mod location;
mod real_ip;
mod redirect;
mod rewrite;
mod run;
mod server;
mod subject;
mod try_files;

pub(super) use errors::instead;
pub(super) use run::{At, Next, run};
