//! Three readers of HTTP/1 that know nothing of each other: httparse, Python's h11, and llhttp in Node.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;

use tests::place;

/// What each reader takes these connections' bytes for: `METHOD TARGET LENGTH` between semicolons.
/// A reader that is not here is left out, and that is said.
pub(crate) fn read(connections: &[Vec<u8>]) -> Vec<(&'static str, Vec<String>)> {
    let mut readings =
        vec![("httparse", connections.iter().map(|bytes| httparse(bytes)).collect())];
    let mut h11 = Command::new(place::python());
    h11.arg(script("h11_reads.py"));
    let said = run(h11, connections).expect("Python starts");
    readings.push(("h11", said.expect("h11, which `tests/run` installs")));
    let mut node = Command::new("node");
    node.arg(script("llhttp_reads.js"));
    match run(node, connections) {
        Ok(said) => readings.push(("llhttp", said.expect("an end of Node's"))),
        Err(error) => println!("llhttp is left out: node does not start: {error}"),
    }
    readings
}

fn script(name: &str) -> PathBuf {
    place::repository().join("tests/tests/hostile").join(name)
}

/// Gives a program the connections, and takes its lines. None when it fails.
fn run(mut command: Command, connections: &[Vec<u8>]) -> std::io::Result<Option<Vec<String>>> {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut stdin = child.stdin.take().expect("it is piped");
    let mut text = String::new();
    for bytes in connections {
        bytes.iter().for_each(|byte| write!(text, "{byte:02x}").expect("a string takes all"));
        text.push('\n');
    }
    let writer = thread::spawn(move || stdin.write_all(text.as_bytes()));
    let output = child.wait_with_output()?;
    let written = writer.join().expect("it does not panic").is_ok();
    let text: String = output.stdout.iter().copied().map(char::from).collect();
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    Ok((written && output.status.success() && lines.len() == connections.len()).then_some(lines))
}

/// httparse reads heads and the sizes of chunks; between them this goes by its word.
fn httparse(bytes: &[u8]) -> String {
    let (mut found, mut rest) = (Vec::new(), bytes);
    while !rest.is_empty() {
        match one(rest) {
            Ok(Some((request, length))) => {
                found.push(request);
                rest = &rest[length..];
            }
            Ok(None) => break,
            Err(why) => {
                found.push(format!("! {why}"));
                break;
            }
        }
    }
    found.join(";")
}

/// The first request, and how long it is. None when it is not whole.
fn one(bytes: &[u8]) -> Result<Option<(String, usize)>, String> {
    let mut fields = vec![httparse::EMPTY_HEADER; 1000];
    let mut request = httparse::Request::new(&mut fields);
    let head = match request.parse(bytes).map_err(|error| error.to_string())? {
        httparse::Status::Complete(head) => head,
        httparse::Status::Partial => return Ok(None),
    };
    let value = |name: &str| {
        let field = request.headers.iter().find(|field| field.name.eq_ignore_ascii_case(name));
        field.map(|field| String::from_utf8_lossy(field.value).into_owned())
    };
    let (coding, length) = (value("Transfer-Encoding"), value("Content-Length"));
    let body = match (coding, length) {
        (Some(_), Some(_)) => return Err("framed twice".to_owned()),
        (Some(coding), None) if coding.eq_ignore_ascii_case("chunked") => chunks(&bytes[head..])?,
        (Some(coding), None) => return Err(format!("coding {coding}")),
        (None, length) => {
            let length = length.map_or(Ok(0), |length| length.parse::<usize>());
            let length = length.map_err(|error| error.to_string())?;
            (bytes.len() >= head + length).then_some((length, length))
        }
    };
    let Some((length, taken)) = body else { return Ok(None) };
    let (method, path) = (request.method.unwrap_or_default(), request.path.unwrap_or_default());
    let path: String = path.bytes().map(char::from).collect();
    Ok(Some((format!("{method} {path} {length}"), head + taken)))
}

/// How much content a chunked body has, and how long it is.
fn chunks(bytes: &[u8]) -> Result<Option<(usize, usize)>, String> {
    let (mut content, mut at) = (0, 0);
    loop {
        let size = httparse::parse_chunk_size(&bytes[at..]).map_err(|_| "a chunk".to_owned())?;
        let httparse::Status::Complete((line, size)) = size else { return Ok(None) };
        let size = usize::try_from(size).map_err(|_| "a long chunk".to_owned())?;
        at += line + size;
        content += size;
        match bytes.get(at..at + 2) {
            None => return Ok(None),
            Some(b"\r\n") => at += 2,
            Some(_) => return Err("no end of a chunk".to_owned()),
        }
        if size == 0 {
            return Ok(Some((content, at)));
        }
    }
}
