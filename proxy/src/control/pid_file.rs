//! The pid file: written when the proxy serves, read by `-s`, removed at the end.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::proxy::Error;
use crate::config::Config;
use crate::net::Inherited;
use crate::observe::{Level, errno};

/// The pid file, removed at the end, or emptied when the user that the process has become may not
/// remove it: it must not go on naming a process that may by then be another.
#[derive(Debug)]
pub(super) struct PidFile {
    path: PathBuf,
    file: File,
    /// Whether it is ours to remove.
    ours: bool,
    /// Whether it names this process already.
    claimed: bool,
}

impl PidFile {
    /// Opens it, and leaves what it says: the process that it is to name may not be there yet.
    ///
    /// # Errors
    /// What opening it said.
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let new = File::options().write(true).create_new(true).open(path);
        let (file, ours) = match new {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                (File::options().write(true).open(path), false)
            }
            other => (other, true),
        };
        match file {
            Ok(file) => Ok(Self { path: path.to_owned(), file, ours, claimed: false }),
            Err(error) => Err(Error::system(&format!("open() \"{}\"", path.display()), error)),
        }
    }

    /// Its path, and another descriptor of it, for the program image after this one.
    ///
    /// # Errors
    /// When the process is out of descriptors.
    pub(super) fn bequeath(&self) -> io::Result<(PathBuf, Inherited)> {
        Ok((self.path.clone(), OwnedFd::from(self.file.try_clone()?).into()))
    }

    /// The one that the image before this one has claimed. Its process is this one.
    pub(super) fn inherit(path: PathBuf, file: Inherited) -> Self {
        Self { path, file: OwnedFd::from(file).into(), ours: true, claimed: true }
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes this process's id.
    ///
    /// # Errors
    /// What writing it said.
    pub(super) fn claim(&mut self) -> Result<(), Error> {
        if self.claimed {
            return Ok(());
        }
        (self.ours, self.claimed) = (true, true);
        let written = self.file.set_len(0).and_then(|()| {
            let line = format!("{}\n", std::process::id());
            self.file.write_all(line.as_bytes())
        });
        let path = self.path.display();
        written.map_err(|error| Error::system(&format!("write() \"{path}\""), error))
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        // Gone already is as good as removed, and there is nothing more to try.
        if self.ours && fs::remove_file(&self.path).is_err() {
            let _ = self.file.set_len(0);
        }
    }
}

/// What `-s` may ask of a running proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// End now.
    Stop,
    /// End when the last connection has.
    Quit,
    /// Open the logs anew.
    Reopen,
    /// Load the configuration anew.
    Reload,
    /// Become another program image. nginx has no word for it, but the same signal.
    Upgrade,
}

impl Order {
    /// The order that a word of `-s` means.
    pub(crate) fn from_word(word: &str) -> Option<Self> {
        match word {
            "stop" => Some(Self::Stop),
            "quit" => Some(Self::Quit),
            "reopen" => Some(Self::Reopen),
            "reload" => Some(Self::Reload),
            "upgrade" => Some(Self::Upgrade),
            _ => None,
        }
    }

    fn signal(self) -> Signal {
        match self {
            Self::Stop => Signal::SIGTERM,
            Self::Quit => Signal::SIGQUIT,
            Self::Reopen => Signal::SIGUSR1,
            Self::Upgrade => Signal::SIGUSR2,
            Self::Reload => Signal::SIGHUP,
        }
    }
}

/// Why an order did not reach a process, in nginx's words.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unsent {
    /// The configuration names no pid file, and there is no default.
    #[error("the configuration has no \"pid\": nothing says which process is meant")]
    NoFile,
    /// The pid file could not be read.
    #[error("open() \"{}\" failed ({})", .0.display(), errno(.1))]
    Open(PathBuf, io::Error),
    /// What it says is no process id.
    #[error("invalid PID number \"{text}\" in \"{}\"", .path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What it says.
        text: String,
    },
    /// The signal could not be sent.
    #[error("kill({pid}, {signal}) failed ({})", errno(.error))]
    Kill {
        /// To whom.
        pid: i32,
        /// Its number.
        signal: i32,
        /// What the system said.
        error: io::Error,
    },
}

impl Unsent {
    /// How serious nginx thinks it is.
    pub(crate) fn level(&self) -> Level {
        match self {
            Self::Kill { .. } => Level::Alert,
            _ => Level::Error,
        }
    }
}

/// Sends an order to the process that the configuration's pid file names (nginx: `-s`).
///
/// # Errors
/// Why it did not get there.
pub(crate) fn send(config: &Config, order: Order) -> Result<(), Unsent> {
    let path = &config.pid.as_ref().ok_or(Unsent::NoFile)?.value;
    let text = fs::read(path).map_err(|error| Unsent::Open(path.clone(), error))?;
    let pid = parse(&text).ok_or_else(|| {
        let text = String::from_utf8_lossy(number(&text)).into_owned();
        Unsent::Invalid { path: path.clone(), text }
    })?;
    let signal = order.signal();
    let refused = |error: nix::Error| {
        let (signal, error) = (signal_number(signal), error.into());
        Unsent::Kill { pid, signal, error }
    };
    kill(Pid::from_raw(pid), signal).map_err(refused)
}

/// What stands before the line's end. More than any number has is not shown.
fn number(text: &[u8]) -> &[u8] {
    const LONGEST: usize = 21;
    let text = text.get(..LONGEST).unwrap_or(text);
    let end = text.iter().rposition(|byte| !matches!(byte, b'\r' | b'\n'));
    end.and_then(|end| text.get(..=end)).unwrap_or_default()
}

/// Digits and nothing else. 0 would be everybody in our process group.
fn parse(text: &[u8]) -> Option<i32> {
    let text = std::str::from_utf8(number(text)).ok()?;
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|pid| digits && *pid > 0)
}

fn signal_number(signal: Signal) -> i32 {
    #[expect(clippy::as_conversions, reason = "the enum is nix's, its values are the system's")]
    let number = signal as i32;
    number
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pid_is_digits_and_a_line_end() {
        assert_eq!(parse(b"123\n"), Some(123));
        assert_eq!(parse(b"123\r\n\n"), Some(123));
        for text in ["", "\n", "0\n", "-1\n", "+1", " 77 ", "abc", "99999999999999999999999"] {
            assert_eq!(parse(text.as_bytes()), None, "{text:?}");
        }
    }

    #[test]
    fn an_order_goes_nowhere_without_a_good_pid_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pid");
        let config = Config::from_text(format!("pid {}; events {{}}", path.display())).unwrap();
        let said = || send(&config, Order::Quit).unwrap_err().to_string();
        let shown = path.display();
        assert_eq!(said(), format!("open() \"{shown}\" failed (2: No such file or directory)"));
        fs::write(&path, "abc\n").unwrap();
        assert_eq!(said(), format!("invalid PID number \"abc\" in \"{shown}\""));
        fs::write(&path, "2147483647\n").unwrap();
        assert_eq!(said(), "kill(2147483647, 3) failed (3: No such process)");
    }

    #[test]
    fn a_pid_file_that_was_not_claimed_is_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pid");
        drop(PidFile::open(&path).unwrap());
        assert!(!path.exists());
        fs::write(&path, "another's").unwrap();
        drop(PidFile::open(&path).unwrap());
        assert_eq!(fs::read_to_string(&path).unwrap(), "another's");
        let mut file = PidFile::open(&path).unwrap();
        file.claim().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("{}\n", std::process::id()));
        drop(file);
        assert!(!path.exists());
    }
}
