//! What the stories are told with: servers of their own, runs of the client, and a terminal.

pub(crate) mod run;
pub(crate) mod server;
pub(crate) mod terminal;

use std::time::Duration;

/// No condition takes this long; a test that waits this long has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
