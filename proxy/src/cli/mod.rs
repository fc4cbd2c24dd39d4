//! The command line: nginx's flags, and ours.
//!
//! It parses (`args`), loads the configuration, says what is wrong in nginx's words, and runs
//! the proxy (`run`). It returns an exit code; only `main` ends the process.

mod args;
mod run;
mod words;

pub use run::main;
