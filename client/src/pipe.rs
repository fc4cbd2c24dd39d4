//! The face for a pipe or a file: a line is a message, and no escape code is ever written.

use std::io::{self, BufRead as _, BufWriter, Write as _};
use std::sync::Arc;
use std::thread;

use tokio::sync::{Notify, mpsc, oneshot};
use tokio_tungstenite::tungstenite::Message;

use crate::face::{Face, Input, QUEUE, Talk};
use crate::words;

/// A face that takes its messages from `inputs` and prints to standard output.
///
/// # Errors
/// When the printing thread cannot be started.
pub(crate) fn open(inputs: mpsc::Receiver<Input>) -> io::Result<Face> {
    let (lines, to_print) = mpsc::channel(QUEUE);
    let (done, printed) = oneshot::channel();
    thread::Builder::new().name("print".to_owned()).spawn(move || {
        // A reader that went away is noticed by the conversation: nobody takes its lines.
        let _ = print(to_print);
        let _ = done.send(());
    })?;
    let talk = Talk { inputs, lines, leave: Arc::new(Notify::new()) };
    Ok(Face { talk, printed, editor: None })
}

/// The lines of standard input, each a message; the channel ends with the input.
///
/// # Errors
/// When the reading thread cannot be started.
pub(crate) fn standard_input(binary: bool) -> io::Result<mpsc::Receiver<Input>> {
    let (to_send, inputs) = mpsc::channel(QUEUE);
    thread::Builder::new().name("read".to_owned()).spawn(move || {
        if let Err(error) = read(binary, &to_send) {
            complain(&format!("standard input: {}", words::os(&error)));
            let _ = to_send.blocking_send(Input::Lost);
        }
    })?;
    Ok(inputs)
}

/// Messages that are known already.
pub(crate) fn prepared(messages: Vec<Message>) -> mpsc::Receiver<Input> {
    let (to_send, inputs) = mpsc::channel(messages.len().max(1));
    for message in messages {
        // There is room for all of them.
        let _ = to_send.try_send(Input::Send(message));
    }
    inputs
}

fn read(binary: bool, to_send: &mpsc::Sender<Input>) -> io::Result<()> {
    let mut input = io::stdin().lock();
    for number in 1_u64.. {
        let mut line = Vec::new();
        if input.read_until(b'\n', &mut line)? == 0 {
            break;
        }
        while matches!(line.last(), Some(b'\n' | b'\r')) {
            line.pop();
        }
        let input = if binary {
            Input::Send(Message::binary(line))
        } else if let Ok(text) = String::from_utf8(line) {
            Input::Send(Message::text(text))
        } else {
            complain(&format!("line {number} is not UTF-8 and was not sent: try --binary"));
            Input::Lost
        };
        if to_send.blocking_send(input).is_err() {
            break;
        }
    }
    Ok(())
}

fn print(mut lines: mpsc::Receiver<String>) -> io::Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    while let Some(line) = lines.blocking_recv() {
        writeln!(out, "{line}")?;
        if lines.is_empty() {
            out.flush()?;
        }
    }
    out.flush()
}

fn complain(what: &str) {
    let _ = writeln!(io::stderr(), "client: {what}");
}
