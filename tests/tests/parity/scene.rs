//! Plays one case with one front and writes down what client and worker saw.
//!
//! What is written down is compared line by line. Only this is left out or evened out:
//! - the order of header lines of different names (those of one name keep theirs);
//! - the values of `Date`, and of `Server` where it is the front's own;
//! - the front's name in the last line of an error page, and with it that page's length;
//! - chunk boundaries;
//! - ports and the directory, which differ by run; in logs, times, process and connection numbers.

use std::cell::RefCell;
use std::fs;
use std::net::Ipv4Addr;
use std::os::unix::net::UnixListener;
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use tests::front::Front;
use tests::message::{Body, Framing, Head};
use tests::place::{Place, free_port};
use tests::process::{PATIENCE, run, try_wait_for};
use tests::wire::{Stop, Stream, Wire};
use tests::worker::{Diary, Entry, Worker};

use crate::case::{Case, Kind, Play};
use crate::evened::{Names, log};

/// Plays the case and gives what was seen, line by line.
pub(crate) fn play(case: &Case, front: Front) -> Vec<String> {
    let place = Place::new();
    for (name, text) in &case.files {
        let path = place.join(name);
        fs::create_dir_all(path.parent().expect("a directory")).expect("directories");
        place.write(name, text);
        // Not now: dates and tags are made of it.
        let changed = SystemTime::UNIX_EPOCH + Duration::from_secs(1_234_567_890);
        let file = fs::File::options().append(true).open(path).expect("just written");
        file.set_modified(changed).expect("one's own file");
    }
    match &case.play {
        Play::Checked => check(case, front, &place),
        Play::Served(client) => {
            let mut config = case.config.clone();
            let mut names = Names::new(place.path());
            let diary = Diary::default();
            let workers: Vec<_> = case
                .workers
                .iter()
                .filter_map(|(name, kind)| {
                    start(name, kind, &place, &diary, &mut config, &mut names)
                })
                .collect();
            let (running, port) = match front.try_serve(&place, &config) {
                Ok(served) => served,
                Err(said) => return vec![format!("did not start: {}", names.apply(&said))],
            };
            names.add(port, "{port}");
            let notes = Rc::default();
            let mut scene = Scene { port, notes: Rc::clone(&notes), clients: 0 };
            client(&mut scene);
            let mut lines = notes.take();
            settle(case, &place, &diary);
            lines.extend(pages(&diary, case.connections));
            lines.extend(case.log.iter().flat_map(|(file, _)| log(&place.read(file))));
            drop((running, workers));
            lines.iter().map(|line| names.apply(line)).collect()
        }
    }
}

/// The client's side of a case.
pub(crate) struct Scene {
    port: u16,
    notes: Rc<RefCell<Vec<String>>>,
    clients: usize,
}

impl Scene {
    /// A new connection to the front. Clients are numbered in their order.
    pub(crate) fn connect(&mut self) -> Client {
        self.clients += 1;
        let stream = std::net::TcpStream::connect(("127.0.0.1", self.port)).expect("the front");
        let wire = Wire::new(Stream::Tcp(stream));
        Client { wire, number: self.clients, notes: Rc::clone(&self.notes) }
    }

    /// A new connection from this address, any of 127/8.
    pub(crate) fn connect_from(&mut self, address: Ipv4Addr) -> Client {
        self.clients += 1;
        let wire = Wire::connect_from(address, self.port);
        Client { wire, number: self.clients, notes: Rc::clone(&self.notes) }
    }

    /// Notes which workers answer: the bodies of the answers, all in one line.
    pub(crate) fn note_choices(&mut self, choices: &[String]) {
        self.notes.borrow_mut().push(format!("choices: {}", choices.join(" ")));
    }

    /// Sends each request on a connection of its own and reads the answer.
    pub(crate) fn get_each(&mut self, targets: &[&str]) {
        for target in targets {
            let mut client = self.connect();
            client.send(format!("GET {target} HTTP/1.1\r\nHost: h\r\n\r\n").as_bytes());
            client.response();
        }
    }
}

/// One connection to the front; what comes in on it is noted.
pub(crate) struct Client {
    wire: Wire,
    number: usize,
    notes: Rc<RefCell<Vec<String>>>,
}

impl Client {
    /// Sends exactly these bytes.
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.wire.send(bytes.as_ref());
    }

    /// Sends on a thread of its own.
    pub(crate) fn send_aside(&mut self, bytes: Vec<u8>) {
        self.wire.send_aside(bytes);
    }

    /// The body, or the status where it is an error, of the answer to this target.
    pub(crate) fn choice(&mut self, target: &str) -> String {
        self.choice_with(target, "X: y")
    }

    /// The same, with this field in the request.
    pub(crate) fn choice_with(&mut self, target: &str, field: &str) -> String {
        self.send(format!("GET {target} HTTP/1.1\r\nHost: h\r\n{field}\r\n\r\n"));
        let Ok(head) = self.wire.head() else { return "(closed)".to_owned() };
        let body = self.wire.body(head.response_framing("GET"));
        match head.status() {
            200 => show(&body.bytes),
            status => status.to_string(),
        }
    }

    /// Reads a whole response to anything but HEAD.
    pub(crate) fn response(&mut self) {
        self.response_to("GET");
    }

    /// Reads a whole response to a request of `method`, with the interim ones before it.
    pub(crate) fn response_to(&mut self, method: &str) {
        let Some(mut head) = self.read_head() else { return };
        while (100..200).contains(&head.status()) && head.status() != 101 {
            for line in response(&head, None) {
                self.note(&line);
            }
            let Some(next) = self.read_head() else { return };
            head = next;
        }
        let body = self.wire.body(head.response_framing(method));
        for line in response(&head, Some((&body, method))) {
            self.note(&line);
        }
    }

    /// Reads one head and no body: a 100 or a 101.
    pub(crate) fn head(&mut self) {
        let Some(head) = self.read_head() else { return };
        for line in response(&head, None) {
            self.note(&line);
        }
    }

    /// Reads `n` bytes of a tunnel, or fewer when it ends.
    pub(crate) fn read(&mut self, n: usize) {
        let (bytes, stop) = self.wire.exactly(n);
        self.note(&show(&bytes));
        if let Some(stop) = stop {
            self.note_stop(stop);
        }
    }

    /// Reads until the front ends the connection.
    pub(crate) fn read_to_end(&mut self) {
        let (bytes, stop) = self.wire.rest();
        self.note(&show(&bytes));
        self.note_stop(stop);
    }

    /// Ends the sending direction.
    pub(crate) fn half_close(&mut self) {
        self.wire.half_close();
    }

    /// Looks whether the front kept the connection open: then something that is no request at
    /// all gets an answer.
    pub(crate) fn end(mut self) {
        self.wire.send(b"x\r\n\r\n");
        match self.wire.head() {
            Ok(_) => self.note("(kept open)"),
            Err(stop) => self.note_stop(stop),
        }
    }

    fn read_head(&mut self) -> Option<Head> {
        match self.wire.head() {
            Ok(head) => return Some(head),
            Err(stop) => {
                let partial = self.wire.rest().0;
                if !partial.is_empty() {
                    self.note(&show(&partial));
                }
                self.note_stop(stop);
            }
        }
        None
    }

    fn note_stop(&mut self, stop: Stop) {
        self.note(match stop {
            Stop::Closed => "(closed)",
            Stop::Silent => "(silence)",
        });
    }

    fn note(&mut self, line: &str) {
        self.notes.borrow_mut().push(format!("client {} < {line}", self.number));
    }
}

/// What `-t` says: exit code, and the messages up to the program's name.
fn check(case: &Case, front: Front, place: &Place) -> Vec<String> {
    let port = free_port();
    let text = front.fill(place, &case.config, port);
    let mut command =
        front.command_logging_to("start.log", &place.write("case.conf", &text), place.path());
    command.arg("-t");
    let (status, out, err) = run(front.name(), command, PATIENCE);
    let mut names = Names::new(place.path());
    names.add(port, "{port}");
    let own = format!("{}: ", front.name());
    let mut lines = vec![format!("exit {:?}", status.code())];
    lines.extend(out.lines().map(|line| format!("stdout {line}")));
    lines.extend(err.lines().filter_map(|line| line.strip_prefix(&own)).map(str::to_owned));
    lines.iter().map(|line| names.apply(line)).collect()
}

fn start(
    name: &str,
    kind: &Kind,
    place: &Place,
    diary: &Diary,
    config: &mut String,
    names: &mut Names,
) -> Option<Worker> {
    let path = place.join(&format!("{name}.sock"));
    match kind {
        Kind::Unix(script) => Some(Worker::unix(name, &path, diary, script.clone())),
        Kind::Tcp(script) => {
            let (worker, port) = Worker::tcp(name, diary, script.clone());
            let placeholder = format!("{{{name}}}");
            *config = config.replace(&placeholder, &port.to_string());
            names.add(port, &placeholder);
            Some(worker)
        }
        Kind::Refusing => {
            // The listener goes, its file stays.
            drop(UnixListener::bind(path).expect("a socket file"));
            None
        }
    }
}

/// Waits for what may still be under way when the clients have gone: ends of tunnels at the
/// workers, and log lines. What does not come is missing from the comparison.
fn settle(case: &Case, place: &Place, diary: &Diary) {
    let limit = Duration::from_secs(5);
    let _late = try_wait_for(limit, || diary.settled().then_some(()));
    if let Some((file, lines)) = case.log {
        let written = || log(&place.read(file)).len() >= lines;
        let _late = try_wait_for(limit, || written().then_some(()));
    }
}

fn pages(diary: &Diary, connections: bool) -> Vec<String> {
    let mut lines = Vec::new();
    for page in diary.pages() {
        let number = if connections { format!(" #{}", page.connection) } else { String::new() };
        let mut line = |text: &str| lines.push(format!("worker {}{number} < {text}", page.worker));
        for entry in &page.entries {
            match entry {
                Entry::Request(head, body) => {
                    line(&head.start);
                    head.sorted().into_iter().for_each(&mut line);
                    self::body(body).iter().for_each(|text| line(text));
                }
                Entry::Early(bytes) => line(&format!("before its answer: {}", show(bytes))),
                Entry::Bytes(bytes) => line(&show(bytes)),
                Entry::End(stop) => line(&format!("({stop:?})")),
            }
        }
    }
    lines
}

fn response(head: &Head, body: Option<(&Body, &str)>) -> Vec<String> {
    let page = body.is_some_and(|(body, method)| {
        own_page(&String::from_utf8_lossy(&body.bytes)).is_some()
            || (method == "HEAD" && head.status() >= 300)
    });
    let mut lines = vec![head.start.clone()];
    for line in head.sorted() {
        lines.push(match line.split_once(": ") {
            Some((name, value)) if is_own(name, value, page) => format!("{name}: *"),
            _ => line.to_owned(),
        });
    }
    lines.extend(body.iter().flat_map(|(body, _)| self::body(body)));
    lines
}

/// Whether this value is the front's own business.
fn is_own(name: &str, value: &str, page: bool) -> bool {
    match name {
        "Date" | "Expires" => value.contains(" 202"),
        "Server" => value.starts_with("nginx") || value.starts_with("proxy"),
        "Content-Length" => page,
        _ => false,
    }
}

fn body(body: &Body) -> Vec<String> {
    let framing = match body.framing {
        Framing::None => return Vec::new(),
        Framing::Length(_) => "by length",
        Framing::Chunked => "chunked",
        Framing::Close => "until closed",
    };
    let text = show(&body.bytes);
    let text = own_page(&text).unwrap_or(text);
    let mut lines = vec![format!("[{framing}] {text}")];
    lines.extend(body.trailers.iter().map(|line| format!("[trailer] {line}")));
    lines.extend(body.stop.map(|stop| format!("[cut short] {stop:?}")));
    lines
}

/// An error page of the front's own, without the name in its last line.
fn own_page(text: &str) -> Option<String> {
    let (before, rest) = text.split_once("<hr><center>")?;
    let (_name, after) = rest.split_once("</center>")?;
    Some(format!("{before}<hr><center>*</center>{after}"))
}

/// Bytes as text on one line; many bytes as their number and a hash.
fn show(bytes: &[u8]) -> String {
    if bytes.len() <= 1000 {
        return bytes.escape_ascii().to_string();
    }
    // FNV-1a.
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{} bytes with hash {hash:016x}", bytes.len())
}
