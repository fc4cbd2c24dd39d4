//! What is said while it runs: a line each second, on a terminal always the same one.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::options::Options;
use super::report::grouped;
use super::tally::Live;

/// Shows how it goes on stderr.
#[derive(Debug)]
pub(crate) struct Progress {
    shows: bool,
    on_terminal: bool,
}

impl Progress {
    /// As the command line wants it.
    pub(crate) fn new(options: &Options) -> Self {
        Self { shows: !options.quiet, on_terminal: io::stderr().is_terminal() }
    }

    /// Says each second what was done in it, for ever.
    pub(crate) async fn show(&self, live: &[Arc<Live>]) {
        let begun = Instant::now();
        let mut before = 0;
        let mut seconds = tokio::time::interval(Duration::from_secs(1));
        seconds.tick().await;
        loop {
            seconds.tick().await;
            let (mut operations, mut failures, mut open) = (0, 0, 0);
            for thread in live {
                let now = thread.now();
                operations += now.0;
                failures += now.1;
                open += now.2;
            }
            self.say(&format!(
                "{:3} s  {:>11}/s  {} open  {} failed",
                begun.elapsed().as_secs(),
                grouped(operations.saturating_sub(before)),
                grouped(u64::from(open)),
                grouped(failures),
            ));
            before = operations;
        }
    }

    /// Takes the line off a terminal again.
    pub(crate) fn clear(&self) {
        if self.on_terminal {
            self.say("");
        }
    }

    fn say(&self, line: &str) {
        if self.shows {
            let (start, end) = if self.on_terminal { ("\r\x1b[K", "") } else { ("", "\n") };
            // Nobody has to watch.
            let _closed = write!(io::stderr(), "{start}{line}{end}");
        }
    }
}
