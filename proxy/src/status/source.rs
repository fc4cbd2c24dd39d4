//! Who can be asked.

use std::fmt;
use std::pin::Pin;

use super::snapshot::Snapshot;
use crate::observe::Counts;

/// How what is seen is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// As nginx's `stub_status` writes it.
    Stub,
    /// All of it.
    Json,
    /// For Prometheus.
    Prometheus,
    /// For people: a page, which asks for JSON where it came from.
    Page,
}

/// Who knows how the proxy is.
pub(crate) trait Source: fmt::Debug + Send + Sync {
    /// The client connections, at once.
    fn counts(&self) -> Counts;

    /// Everything, once all threads have said what they have; nothing when one of them does not.
    fn snapshot(&self) -> Pin<Box<dyn Future<Output = Option<Snapshot>> + '_>>;
}
