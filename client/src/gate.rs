//! When may something be printed above the prompt?

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Keeps what comes in back while no line is being edited.
///
/// The editor's printer writes to the terminal itself when there is no line to stand above, and so
/// past what it has handed to the editor and the editor did not show yet. Lines that are pasted
/// and come back at once would change places.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    line: Mutex<Line>,
    changed: Condvar,
}

/// What becomes of a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Line {
    /// The editor has been called, and has not drawn the prompt yet.
    #[default]
    Starting,
    /// There is a prompt to print above; or, at the very end, no editor at all.
    Edited,
    /// Enter was pressed.
    Handed,
}

impl Gate {
    /// Tells what has become of the line.
    pub(crate) fn set(&self, line: Line) {
        *self.lock() = line;
        self.changed.notify_all();
    }

    /// The editor has drawn something: if it was still starting, it has started.
    pub(crate) fn started(&self) {
        let mut line = self.lock();
        if *line == Line::Starting {
            *line = Line::Edited;
            self.changed.notify_all();
        }
    }

    /// Waits until a line is being edited. A wait that is longer than handing over a line can take
    /// ends by itself: better a line out of place than none.
    pub(crate) fn wait(&self) {
        let line = self.lock();
        let _line = self
            .changed
            .wait_timeout_while(line, Duration::from_secs(5), |line| *line != Line::Edited)
            .unwrap_or_else(PoisonError::into_inner);
    }

    fn lock(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{self, RecvTimeoutError};
    use std::thread;

    use super::*;

    #[test]
    fn nothing_passes_between_enter_and_the_next_prompt() {
        let gate = Gate::default();
        gate.started();
        gate.wait(); // at once: a line is being edited
        gate.set(Line::Handed);
        thread::scope(|scope| {
            let (passed, seen) = mpsc::channel();
            let gate = &gate;
            scope.spawn(move || {
                gate.wait();
                let _ = passed.send(());
            });
            let moment = Duration::from_millis(20);
            gate.started(); // the old line is drawn a last time
            assert_eq!(seen.recv_timeout(moment), Err(RecvTimeoutError::Timeout));
            gate.set(Line::Starting);
            assert_eq!(seen.recv_timeout(moment), Err(RecvTimeoutError::Timeout));
            gate.started();
            assert_eq!(seen.recv_timeout(Duration::from_secs(30)), Ok(()));
        });
    }
}
