//! The command line: nginx's flags, and ours.
//!
//! `status` asks a running proxy how it is.
//!
//! It parses (`args`), loads the configuration, says what is wrong in nginx's words, and runs
//! the proxy (`run`). It returns an exit code; only `main` ends the process.

mod args;
mod ask;
mod run;
mod status;
mod table;
mod words;

pub use run::main;
