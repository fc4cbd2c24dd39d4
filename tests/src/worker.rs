//! A worker that does as a script says and keeps what it was sent, byte for byte.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use crate::message::{Body, Head};
use crate::wire::{Stop, Stream, Wire};

/// What a worker does with each connection that it accepts.
pub type Script = Arc<dyn Fn(&mut Visit) + Send + Sync>;

/// A script that gives every request on a connection the same answer, until the other side ends.
#[must_use]
pub fn answer(bytes: impl Into<Vec<u8>>) -> Script {
    let bytes = bytes.into();
    Arc::new(move |visit| while visit.request().is_some() && visit.send(&bytes) {})
}

/// A script that answers the first request of a connection and closes.
#[must_use]
pub fn answer_and_close(bytes: impl Into<Vec<u8>>) -> Script {
    let bytes = bytes.into();
    Arc::new(move |visit| {
        if visit.request().is_some() {
            visit.send(&bytes);
        }
    })
}

/// What the workers of one scene were sent.
#[derive(Debug, Clone, Default)]
pub struct Diary {
    pages: Arc<Mutex<Vec<Page>>>,
    visits: Arc<AtomicUsize>,
    /// Visits whose script has something to do, other than wait for the next request.
    busy: Arc<AtomicUsize>,
}

/// A request and what followed it on the same connection before the next one.
#[derive(Debug, Clone)]
pub struct Page {
    /// The worker's name.
    pub worker: String,
    /// How many connections this worker had before this one.
    pub connection: usize,
    /// What came, the request first.
    pub entries: Vec<Entry>,
    visit: usize,
}

/// One thing that a worker saw.
#[derive(Debug, Clone)]
pub enum Entry {
    /// A request with its body.
    Request(Head, Arc<Body>),
    /// Bytes that came where none were due: before the worker's answer.
    Early(Vec<u8>),
    /// Bytes of a tunnel.
    Bytes(Vec<u8>),
    /// How the other side ended a tunnel.
    End(Stop),
}

impl Diary {
    /// All that was noted so far, in the order in which the requests came.
    #[must_use]
    pub fn pages(&self) -> Vec<Page> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// True when no script does more than wait for the next request.
    #[must_use]
    pub fn settled(&self) -> bool {
        self.busy.load(Ordering::Acquire) == 0
    }

    fn open(&self) -> usize {
        self.busy.fetch_add(1, Ordering::AcqRel);
        self.visits.fetch_add(1, Ordering::AcqRel)
    }
}

/// One connection to a worker, in the hands of its script.
#[derive(Debug)]
pub struct Visit {
    wire: Wire,
    diary: Diary,
    worker: String,
    index: usize,
    /// How many connections this worker had before this one.
    pub number: usize,
}

impl Visit {
    /// Reads a request with its body and notes it; `None` at the end of the connection. What
    /// has come behind it by now is noted as early.
    pub fn request(&mut self) -> Option<Head> {
        self.diary.busy.fetch_sub(1, Ordering::AcqRel);
        let head = self.wire.head();
        self.diary.busy.fetch_add(1, Ordering::AcqRel);
        let head = head.ok()?;
        let body = self.wire.body(head.request_framing());
        self.note(Entry::Request(head.clone(), Arc::new(body)));
        if !self.wire.ahead().is_empty() {
            self.note(Entry::Early(self.wire.ahead().to_vec()));
        }
        Some(head)
    }

    /// Sends exactly these bytes; false when the other side is gone.
    pub fn send(&mut self, bytes: &[u8]) -> bool {
        self.wire.send(bytes)
    }

    /// Reads `n` bytes of a tunnel and notes them.
    pub fn read(&mut self, n: usize) {
        let (bytes, stop) = self.wire.exactly(n);
        self.note(Entry::Bytes(bytes));
        if let Some(stop) = stop {
            self.note(Entry::End(stop));
        }
    }

    /// Reads a tunnel to its end and notes it.
    pub fn read_to_end(&mut self) {
        let (bytes, stop) = self.wire.rest();
        if !bytes.is_empty() {
            self.note(Entry::Bytes(bytes));
        }
        self.note(Entry::End(stop));
    }

    /// Sends back what comes through a tunnel, until its end; all of it is noted.
    pub fn echo(&mut self) {
        loop {
            let (mut bytes, stop) = self.wire.exactly(1);
            if let Some(stop) = stop {
                return self.note(Entry::End(stop));
            }
            let more = self.wire.ahead().len();
            bytes.extend(self.wire.exactly(more).0);
            self.note(Entry::Bytes(bytes.clone()));
            self.wire.send(&bytes);
        }
    }

    /// Ends the sending direction.
    pub fn half_close(&self) {
        self.wire.half_close();
    }

    fn note(&self, entry: Entry) {
        let mut pages = self.diary.pages.lock().unwrap_or_else(PoisonError::into_inner);
        let own = pages.iter_mut().rev().find(|page| page.visit == self.index);
        match (own.map(|page| &mut page.entries), entry) {
            (Some(entries), Entry::Bytes(more)) => match entries.last_mut() {
                Some(Entry::Bytes(last)) => last.extend(more),
                _ => entries.push(Entry::Bytes(more)),
            },
            (Some(entries), entry) if !matches!(entry, Entry::Request(..)) => entries.push(entry),
            (_, entry) => pages.push(Page {
                worker: self.worker.clone(),
                connection: self.number,
                entries: vec![entry],
                visit: self.index,
            }),
        }
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        self.diary.busy.fetch_sub(1, Ordering::AcqRel);
    }
}

/// A listening worker. It accepts until it is dropped.
#[derive(Debug)]
pub struct Worker {
    address: Address,
    stopping: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Clone)]
enum Address {
    Unix(PathBuf),
    Tcp(SocketAddr),
}

impl Worker {
    /// Listens on a unix socket.
    ///
    /// # Panics
    /// When the socket can't be bound.
    #[must_use]
    pub fn unix(name: &str, path: &Path, diary: &Diary, script: Script) -> Self {
        let listener = UnixListener::bind(path)
            .unwrap_or_else(|error| panic!("worker {name}: {}: {error}", path.display()));
        let accept = move || listener.accept().map(|(stream, _)| Stream::Unix(stream));
        Self::run(name, Address::Unix(path.into()), accept, diary, script)
    }

    /// Listens on a port of 127.0.0.1 and gives the port.
    ///
    /// # Panics
    /// When there is no free port.
    #[must_use]
    pub fn tcp(name: &str, diary: &Diary, script: Script) -> (Self, u16) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("a bound address");
        let accept = move || listener.accept().map(|(stream, _)| Stream::Tcp(stream));
        (Self::run(name, Address::Tcp(address), accept, diary, script), address.port())
    }

    fn run(
        name: &str,
        address: Address,
        accept: impl Fn() -> std::io::Result<Stream> + Send + 'static,
        diary: &Diary,
        script: Script,
    ) -> Self {
        let stopping = Arc::new(AtomicBool::new(false));
        let (name, diary, stop) = (name.to_owned(), diary.clone(), Arc::clone(&stopping));
        let thread = thread::spawn(move || {
            let mut number = 0;
            while let Ok(stream) = accept() {
                if stop.load(Ordering::Acquire) {
                    return;
                }
                let index = diary.open();
                let worker = name.clone();
                let wire = Wire::new(stream);
                let diary = diary.clone();
                let mut visit = Visit { wire, diary, worker, index, number };
                let script = Arc::clone(&script);
                thread::spawn(move || script(&mut visit));
                number += 1;
            }
        });
        Self { address, stopping, thread: Some(thread) }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::Release);
        // One more connection wakes the thread up to see it.
        let woken = match &self.address {
            Address::Unix(path) => UnixStream::connect(path).is_ok(),
            Address::Tcp(address) => TcpStream::connect(address).is_ok(),
        };
        if let (true, Some(thread)) = (woken, self.thread.take()) {
            let _panicked = thread.join();
        }
    }
}
