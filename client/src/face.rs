//! The side of the person: where messages come from, and where lines go.
//!
//! A face is threads that read and print, so that a terminal or a pipe that is slow or stuck never
//! stops the conversation from answering pings and signals. Everything between a face and the
//! conversation is bounded: a reader that is slower than the server slows the server down.

use std::io::{self, Write as _};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc, oneshot};
use tokio_tungstenite::tungstenite::Message;

use crate::close::Close;
use crate::pipe;
use crate::signals::Signals;
use crate::terminal;

/// How many messages or lines may wait between a face and the conversation.
pub(crate) const QUEUE: usize = 64;

/// How long a terminal may take to show what is left to be shown, and to be given back.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// What a person asks for. When no more can come, the channel ends.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// Send this message.
    Send(Message),
    /// Send a ping, and say how long its pong took.
    Ping,
    /// Close, after what was sent before.
    Close(Close),
    /// Something could not be sent. The person knows; the exit status must tell it too.
    Lost,
}

/// The ends of a face that the conversation holds.
#[derive(Debug)]
pub(crate) struct Talk {
    /// What the person asks for, in order.
    pub(crate) inputs: mpsc::Receiver<Input>,
    /// Lines to show, without their line ends.
    pub(crate) lines: mpsc::Sender<String>,
    /// The person wants to leave now: Ctrl-C.
    pub(crate) leave: Arc<Notify>,
}

/// A face, and what it takes to put it away.
#[derive(Debug)]
pub(crate) struct Face {
    pub(crate) talk: Talk,
    /// Told when everything has been printed.
    pub(crate) printed: oneshot::Receiver<()>,
    /// The line editor, where there is one.
    pub(crate) editor: Option<terminal::Editing>,
}

impl Face {
    /// A prompt if this is a terminal that can have one, lines from standard input if not.
    ///
    /// # Errors
    /// When a thread cannot be started.
    pub(crate) fn open(binary: bool) -> io::Result<Self> {
        match terminal::open(binary)? {
            Some(face) => Ok(face),
            None => pipe::open(pipe::standard_input(binary)?),
        }
    }

    /// Says these messages and nothing else.
    ///
    /// # Errors
    /// When a thread cannot be started.
    pub(crate) fn speaking(messages: Vec<Message>) -> io::Result<Self> {
        pipe::open(pipe::prepared(messages))
    }

    /// Waits until all is printed, gives the terminal back, and says the last line.
    pub(crate) async fn finish(self, last: &str, signals: &mut Signals) {
        let Self { talk, printed, editor } = self;
        // The printing thread ends when nobody can send it lines any more.
        drop(talk);
        match editor {
            Some(editing) => {
                let _ = tokio::time::timeout(LAST_WORDS, printed).await;
                editing.end().await;
            }
            // Who reads a pipe may take their time, unless somebody wants us to go.
            None => tokio::select! {
                _ = printed => {}
                _ = signals.next() => return,
            },
        }
        say(last);
    }
}

/// Prints a line at once. That nobody listens any more is no failure here.
pub(crate) fn say(line: &str) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}
