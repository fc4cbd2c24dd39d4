//! `instructions`: how many instructions the hot functions and whole operations of `proxy` take.
//!
//! Time depends on the machine and on who else is there; instructions hardly do. callgrind counts
//! them over a run with so many calls and over one with twice as many: the difference is what a call
//! takes, whatever was set up before. The last figures are kept in `tests/instructions.txt`, so that
//! a slip is seen in review. `tests/instructions` builds what is needed and runs this.
//!
//! [`rooms`] are functions of the pure rooms, called by this program itself; [`front`] are operations
//! of the program `proxy`; [`callgrind`] counts; [`kept`] compares with the last figures.

mod callgrind;
mod front;
mod kept;
mod rooms;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::callgrind::Problem;

/// Everything on the command line.
#[derive(Debug, Parser)]
#[command(name = "instructions", version, about = "Counts instructions of proxy's hot functions.")]
#[command(args_conflicts_with_subcommands = true)]
struct Invocation {
    /// The file with the last figures
    #[arg(long, value_name = "FILE", default_value = "tests/instructions.txt")]
    file: PathBuf,
    /// Puts the new figures into it
    #[arg(long)]
    keep: bool,
    /// The proxy to count; without it the one beside this program
    #[arg(long, value_name = "PATH")]
    proxy: Option<PathBuf>,
    #[command(subcommand)]
    mode: Option<Mode>,
}

#[derive(Debug, Subcommand)]
enum Mode {
    /// Calls one function so many times; started under callgrind by this program itself.
    #[command(hide = true)]
    Call {
        /// Which function.
        name: String,
        /// How many times.
        count: u32,
    },
}

fn main() -> ExitCode {
    let invocation = Invocation::parse();
    let outcome = match &invocation.mode {
        Some(Mode::Call { name, count }) => rooms::call(name, *count),
        None => count(&invocation),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            // Nothing is left to do when stderr is gone as well.
            let _closed = writeln!(std::io::stderr(), "instructions: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn count(invocation: &Invocation) -> Result<(), Problem> {
    let own = std::env::current_exe().map_err(Problem::io("cannot find this program"))?;
    let proxy = invocation.proxy.clone().unwrap_or_else(|| own.with_file_name("proxy"));
    let before = kept::read(&invocation.file);
    let mut figures = Vec::new();
    let mut found = |name: &str, instructions: u64| -> Result<(), Problem> {
        let line = kept::line(name, instructions, &before);
        figures.push((name.to_owned(), instructions));
        writeln!(std::io::stdout(), "{line}").map_err(Problem::io("cannot write to stdout"))
    };
    for name in rooms::NAMES {
        found(name, rooms::count(&own, name)?)?;
    }
    for operation in front::OPERATIONS {
        found(operation.name(), front::count(&proxy, operation)?)?;
    }
    if invocation.keep { kept::write(&invocation.file, &figures) } else { Ok(()) }
}
