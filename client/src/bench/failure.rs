//! What can go wrong with one connection. The words are the kinds by which errors are counted.

use std::io;

use tokio_tungstenite::tungstenite;

use crate::words;

/// Why an operation was not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Failure {
    #[error("cannot connect: {0}")]
    Connect(String),
    #[error("cannot upgrade: {0}")]
    Upgrade(String),
    #[error("refused: HTTP {0}")]
    Status(u16),
    #[error("connection lost: {0}")]
    Lost(String),
    #[error("closed by the server: {0}")]
    Closed(u16),
    #[error("ended by the server without a close")]
    Ended,
    #[error("the echo differs from its message")]
    Differs,
    #[error("not a valid answer: {0}")]
    Invalid(&'static str),
    #[error("no answer in time")]
    Late,
}

impl Failure {
    /// The connection could not be made.
    pub(crate) fn connect(error: &io::Error) -> Self {
        Self::Connect(words::os(error))
    }

    /// The connection broke.
    pub(crate) fn lost(error: &io::Error) -> Self {
        Self::Lost(words::os(error))
    }

    /// The opening handshake went wrong.
    pub(crate) fn upgrade(error: &tungstenite::Error) -> Self {
        match error {
            tungstenite::Error::Http(response) => Self::Status(response.status().as_u16()),
            tungstenite::Error::Io(error) => Self::lost(error),
            other => Self::Upgrade(other.to_string()),
        }
    }
}
