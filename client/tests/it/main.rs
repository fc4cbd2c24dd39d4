//! The real binary against real WebSocket servers: what goes over the wire, what is printed, and
//! with which status it exits.

#![cfg(test)]

mod bench;
mod ends;
mod handshakes;
mod pipes;
mod support;
mod terminals;
mod tls;
