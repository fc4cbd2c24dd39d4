//! How much is let in: nginx's `limit_req` and `limit_conn`, counted for all threads together.
//!
//! A [`RequestZone`] has a leaky bucket for each key, a [`ConnectionZone`] a count for each, no more
//! of them than its size allows. [`Zones`] keeps both over a reload, by name. What is counted with
//! [`ConnectionZone::count`] counts until its [`Counted`] is dropped.
//!
//! Nothing here knows a request, a file or a clock: keys come as bytes, and `now` is an argument.

mod connections;
mod requests;
mod zones;

pub use connections::{ConnectionZone, Counted, Refused};
pub use requests::{Asked, Rate, RequestZone};
pub use zones::{OtherKey, Zones};
