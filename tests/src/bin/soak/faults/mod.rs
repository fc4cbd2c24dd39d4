//! What goes wrong, a file for whom it befalls: the workers, their sockets' files, the proxy itself,
//! its clients. Each fault ends by itself, and leaves all as it was.

mod crowds;
mod kind;
mod shortage;
mod sockets;
mod turns;
mod workers;

pub(crate) use kind::{Kind, befall};
