//! Lines that are kept for a while and written together (nginx: `access_log ... buffer= flush=`).

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::file::LogFile;

/// A log file that is written to by the bufferful. What is left is written when it is dropped.
#[derive(Debug)]
pub(crate) struct LogBuffer {
    file: Arc<LogFile>,
    size: usize,
    keep: Option<Duration>,
    lines: Mutex<Lines>,
}

#[derive(Debug, Default)]
struct Lines {
    bytes: Vec<u8>,
    /// When the first of them came.
    since: Option<Instant>,
}

impl LogBuffer {
    /// A buffer of so many bytes, which keeps a line for this long at most, or for as long as there
    /// is room.
    pub(crate) fn new(file: Arc<LogFile>, size: usize, keep: Option<Duration>) -> Self {
        Self { file, size, keep, lines: Mutex::default() }
    }

    /// The file that it is written to.
    pub(crate) fn file(&self) -> &Arc<LogFile> {
        &self.file
    }

    /// Keeps one line; writes first what it has no room beside.
    pub(crate) fn write(&self, line: &[u8]) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.bytes.len() + line.len() > self.size {
            lines.write(&self.file);
        }
        if line.len() > self.size {
            self.file.write(line);
            return;
        }
        if self.keep.is_some() && lines.since.is_none() {
            lines.since = Some(Instant::now());
        }
        lines.bytes.extend_from_slice(line);
    }

    /// Writes what has been kept for long enough.
    pub(crate) fn write_old(&self, now: Instant) {
        let Some(keep) = self.keep else { return };
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.since.is_some_and(|since| now.saturating_duration_since(since) >= keep) {
            lines.write(&self.file);
        }
    }

    /// Writes all.
    pub(crate) fn write_all(&self) {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).write(&self.file);
    }
}

impl Lines {
    fn write(&mut self, file: &LogFile) {
        if !self.bytes.is_empty() {
            file.write(&self.bytes);
        }
        self.bytes.clear();
        self.since = None;
    }
}

impl Drop for LogBuffer {
    fn drop(&mut self) {
        self.write_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buffer(size: usize, keep: Option<Duration>) -> (LogBuffer, impl Fn() -> String) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let file = Arc::new(LogFile::open(&path).unwrap());
        let written = move || {
            let _dir = &dir;
            std::fs::read_to_string(&path).unwrap()
        };
        (LogBuffer::new(file, size, keep), written)
    }

    #[test]
    fn lines_are_kept_until_there_is_no_room() {
        let (buffer, written) = buffer(10, None);
        buffer.write(b"one\n");
        buffer.write(b"two\n");
        buffer.write_old(Instant::now() + Duration::from_secs(3600));
        assert_eq!(written(), "");
        buffer.write(b"three\n");
        assert_eq!(written(), "one\ntwo\n");
        buffer.write(b"longer than it\n");
        assert_eq!(written(), "one\ntwo\nthree\nlonger than it\n");
    }

    #[test]
    fn lines_are_kept_no_longer_than_said() {
        let (buffer, written) = buffer(100, Some(Duration::from_secs(5)));
        buffer.write(b"one\n");
        buffer.write_old(Instant::now() + Duration::from_secs(4));
        assert_eq!(written(), "");
        buffer.write_old(Instant::now() + Duration::from_secs(5));
        assert_eq!(written(), "one\n");
    }

    #[test]
    fn what_is_left_is_written_in_the_end() {
        let (buffer, written) = buffer(100, None);
        buffer.write(b"one\n");
        buffer.write_all();
        buffer.write(b"two\n");
        assert_eq!(written(), "one\n");
        drop(buffer);
        assert_eq!(written(), "one\ntwo\n");
    }
}
