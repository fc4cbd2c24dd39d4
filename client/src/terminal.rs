//! The face for a terminal: a prompt with line editing and history, and what comes in above it.
//!
//! The line editor blocks a thread of its own. What comes in is handed to it by a second thread,
//! and it shows it above the prompt without touching what is being typed.

use std::io::{self, IsTerminal as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use nix::sys::signal::{self, SigSet};
use rustix::process::Signal;
use rustix::termios::{
    InputModes, LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr,
};
use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::MemHistory;
use rustyline::validate::Validator;
use rustyline::{
    Cmd, ConditionalEventHandler, Context, Editor, Event, EventContext, EventHandler,
    ExternalPrinter, Helper, KeyCode, KeyEvent, Modifiers, RepeatCount,
};
use tokio::sync::{Notify, mpsc, oneshot};

use crate::close::Close;
use crate::command::command;
use crate::face::{Face, Input, QUEUE, Talk, say};
use crate::gate::{Gate, Line};

const PROMPT: &str = "> ";

/// Goes up a line and down again. Printing this changes nothing on the screen, but the editor only
/// takes it when it is about to show what it got before.
const NOTHING: &str = "\x1b[A\n";

/// Goes to the start of the line above and clears the screen from there.
const CLEAR_LINE_ABOVE: &str = "\x1b[A\r\x1b[J";

/// The line editor at work.
#[derive(Debug)]
pub(crate) struct Editing {
    ended: Arc<AtomicBool>,
    nothing_typed: Arc<AtomicBool>,
    done: oneshot::Receiver<()>,
    _quiet: Quiet,
}

/// A face with a prompt, or `None` where there is no terminal that can have one.
///
/// # Errors
/// When the terminal cannot be used, or a thread cannot be started.
pub(crate) fn open(binary: bool) -> io::Result<Option<Face>> {
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        return Ok(None);
    }
    // A paste of several lines is several messages, so pastes are not bracketed.
    let config = rustyline::Config::builder().auto_add_history(true).bracketed_paste(false).build();
    let mut editor: Typing =
        Editor::with_history(config, MemHistory::new()).map_err(io::Error::other)?;
    let Ok(printer) = editor.create_external_printer() else {
        return Ok(None); // TERM=dumb
    };
    let quiet = Quiet::start()?;
    let (to_send, inputs) = mpsc::channel(QUEUE);
    let (lines, to_print) = mpsc::channel(QUEUE);
    let (told_printed, printed) = oneshot::channel();
    let (told_done, done) = oneshot::channel();
    let leave = Arc::new(Notify::new());
    let ended = Arc::new(AtomicBool::new(false));
    let nothing_typed = Arc::new(AtomicBool::new(true));

    let gate = Arc::new(Gate::default());

    let watch = Watch { nothing_typed: Arc::clone(&nothing_typed), gate: Arc::clone(&gate) };
    editor.set_helper(Some(watch));
    for enter in [KeyEvent(KeyCode::Enter, Modifiers::NONE), KeyEvent::ctrl('J')] {
        editor.bind_sequence(enter, handler(Keys::Enter(Arc::clone(&gate))));
    }
    editor.bind_sequence(KeyEvent::ctrl('D'), handler(Keys::EndOfInput(to_send.clone())));
    editor.bind_sequence(KeyEvent::ctrl('C'), handler(Keys::Interrupt(Arc::clone(&leave))));
    let person = Person {
        to_send,
        leave: Arc::clone(&leave),
        ended: Arc::clone(&ended),
        gate: Arc::clone(&gate),
        binary,
    };
    // Ctrl-Z stops the program from within the editor, which must not run on and draw its prompt
    // before the stop: so its thread is the one to take that signal.
    let stop = SigSet::from(signal::Signal::SIGTSTP);
    stop.thread_block()?;
    thread::Builder::new().name("edit".to_owned()).spawn(move || {
        let _ = stop.thread_unblock();
        person.types_into(&mut editor);
        drop(editor);
        let _ = told_done.send(());
    })?;
    thread::Builder::new().name("print".to_owned()).spawn(move || {
        print(to_print, &gate, printer);
        let _ = told_printed.send(());
    })?;
    let editing = Editing { ended, nothing_typed, done, _quiet: quiet };
    Ok(Some(Face { talk: Talk { inputs, lines, leave }, printed, editor: Some(editing) }))
}

type Typing = Editor<Watch, MemHistory>;

impl Editing {
    /// Ends the line editor, so that the terminal is as it was, with the cursor on a fresh line.
    pub(crate) async fn end(mut self) {
        self.ended.store(true, Ordering::SeqCst);
        // The editor waits for a key or for SIGINT. It takes that signal only while it waits, so
        // one that comes a moment too early goes to the runtime's handler, and is repeated.
        for _ in 0..10 {
            let _ = rustix::process::kill_process(rustix::process::getpid(), Signal::INT);
            if tokio::time::timeout(Duration::from_millis(50), &mut self.done).await.is_ok() {
                if self.nothing_typed.load(Ordering::SeqCst) {
                    print_raw(CLEAR_LINE_ABOVE);
                }
                return;
            }
        }
        say("");
    }
}

/// A terminal that does nothing with keys but hand them on, and is as it was before when this is
/// dropped.
///
/// The editor does the same, but only while it edits a line: without this, what is typed or pasted
/// between two lines would be echoed by the terminal, or taken for a line of its own.
#[derive(Debug)]
struct Quiet {
    before: Termios,
}

impl Quiet {
    fn start() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut quiet = before.clone();
        quiet.input_modes.remove(InputModes::ICRNL);
        quiet.local_modes.remove(LocalModes::ECHO | LocalModes::ICANON);
        quiet.special_codes[SpecialCodeIndex::VMIN] = 1;
        quiet.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(io::stdin(), OptionalActions::Now, &quiet)?;
        Ok(Self { before })
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.before);
    }
}

/// The thread in which somebody types.
struct Person {
    to_send: mpsc::Sender<Input>,
    leave: Arc<Notify>,
    ended: Arc<AtomicBool>,
    gate: Arc<Gate>,
    binary: bool,
}

impl Person {
    fn types_into(&self, editor: &mut Typing) {
        while !self.ended.load(Ordering::SeqCst) {
            self.gate.set(Line::Starting);
            let input = match editor.readline(PROMPT) {
                Ok(line) => command(&line, self.binary),
                // A signal from outside, or the one that ends the editor.
                Err(ReadlineError::Interrupted) => {
                    self.leave.notify_one();
                    continue;
                }
                Err(ReadlineError::Eof) => Ok(Input::Close(Close::new(Close::NORMAL, ""))),
                // The terminal is gone.
                Err(_) => Ok(Input::Close(Close::new(Close::GOING_AWAY, ""))),
            };
            match input {
                Ok(input) => {
                    let is_last = matches!(input, Input::Close(_));
                    if self.to_send.blocking_send(input).is_err() || is_last {
                        break;
                    }
                }
                Err(answer) => say(&answer),
            }
        }
        // What still comes in is printed without an editor.
        self.gate.set(Line::Edited);
    }
}

/// The thread that shows what comes in.
fn print(mut lines: mpsc::Receiver<String>, gate: &Gate, mut printer: impl ExternalPrinter) {
    while let Some(mut text) = lines.blocking_recv() {
        text.push('\n');
        // The prompt is drawn again after each print, so what has piled up is printed at once.
        while let Ok(line) = lines.try_recv() {
            text.push_str(&line);
            text.push('\n');
        }
        gate.wait();
        if printer.print(text).is_err() {
            return;
        }
    }
    // When the editor has taken this, it has taken what came before.
    gate.wait();
    let _ = printer.print(NOTHING.to_owned());
}

/// Keys that mean something else here than in a shell.
enum Keys {
    /// Ctrl-D on an empty line: close, after what was typed before.
    EndOfInput(mpsc::Sender<Input>),
    /// Ctrl-C: close now.
    Interrupt(Arc<Notify>),
    /// Enter: the editor is about to hand over the line.
    Enter(Arc<Gate>),
}

fn handler(keys: Keys) -> EventHandler {
    EventHandler::Conditional(Box::new(keys))
}

/// The editor goes on after these keys, so that what still comes in has a prompt to stand above.
impl ConditionalEventHandler for Keys {
    fn handle(&self, _: &Event, _: RepeatCount, _: bool, at: &EventContext) -> Option<Cmd> {
        match self {
            Self::EndOfInput(_) if !at.line().is_empty() => None,
            Self::EndOfInput(to_send) => {
                // With a full queue, leave the editor to wait for room, where Ctrl-C still works.
                let close = Input::Close(Close::new(Close::NORMAL, ""));
                to_send.try_send(close).is_ok().then_some(Cmd::Noop)
            }
            Self::Interrupt(leave) => {
                leave.notify_one();
                Some(Cmd::Noop)
            }
            Self::Enter(gate) => {
                gate.set(Line::Handed);
                None
            }
        }
    }
}

/// Looks over the editor's shoulder: is there anything on the line?
struct Watch {
    nothing_typed: Arc<AtomicBool>,
    gate: Arc<Gate>,
}

impl Hinter for Watch {
    type Hint = String;

    fn hint(&self, line: &str, _: usize, _: &Context<'_>) -> Option<String> {
        self.nothing_typed.store(line.is_empty(), Ordering::SeqCst);
        self.gate.started();
        None
    }
}

impl Completer for Watch {
    type Candidate = String;
}
impl Highlighter for Watch {}
impl Validator for Watch {}
impl Helper for Watch {}

fn print_raw(text: &str) {
    use std::io::Write as _;
    let mut out = io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
