//! The frame of the house: ARCHITECTURE.md says who may name whom, and this reads the sources and
//! says where they do otherwise.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests are test code too"
)]

mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use source::{Source, files, read, rust, test_files};

/// A file that is longer holds more than one thing. Lines that are one text each do not count: a
/// list of names is as long as it is.
const LONGEST: usize = 400;

/// Doors that hold more than a door does, and why.
const WIDE_DOORS: &[(&str, &str)] = &[
    ("proxy/src/http/mod.rs", "the stack, to be read before anything else of the room"),
    ("proxy/src/upstream/mod.rs", "what an upstream is, which all files of the room share"),
];

/// A row of ARCHITECTURE.md's table.
#[derive(Debug, Default)]
struct Row {
    rooms: BTreeSet<String>,
    crates: BTreeSet<String>,
}

/// "Who may name whom", in the order of the table.
fn table() -> Vec<(String, Row)> {
    let text = read("ARCHITECTURE.md");
    let (_, section) = text.split_once("## Who may name whom").unwrap();
    let section = section.split("\n## ").next().unwrap();
    let names = |cell: &str| {
        cell.split([' ', '`']).filter(|name| !name.is_empty()).map(str::to_owned).collect()
    };
    let rows = section.lines().filter(|line| line.starts_with("| `")).map(|line| {
        let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
        assert_eq!(cells.len(), 3, "ARCHITECTURE.md: {line}");
        let row = Row { rooms: names(cells[1]), crates: names(cells[2]) };
        (cells[0].trim_matches('`').to_owned(), row)
    });
    rows.collect()
}

/// The crates that a section of the proxy's manifest lists, as the code writes them.
fn dependencies() -> BTreeSet<String> {
    let text = read("proxy/Cargo.toml");
    let (_, section) = text.split_once("[dependencies]\n").unwrap();
    let lines = section.split("\n[").next().unwrap().lines();
    lines
        .filter_map(|line| line.split(['.', ' ', '=']).next())
        .filter(|name| !name.is_empty() && !name.starts_with('#'))
        .map(|name| name.replace('-', "_"))
        .collect()
}

/// The sources of the proxy but for `lib.rs`, which only lists the rooms.
fn sources() -> Vec<Source> {
    let all = rust("proxy/src/").into_iter().filter(|path| path != "proxy/src/lib.rs");
    all.map(|path| Source::read(&path)).collect()
}

/// Fails with one line for each mistake.
fn judge(mistakes: &[String]) {
    assert!(mistakes.is_empty(), "\n{}\n", mistakes.join("\n"));
}

#[test]
fn nobody_names_a_room_or_a_crate_that_the_table_does_not_give() {
    let table: BTreeMap<_, _> = table().into_iter().collect();
    let mut unused = table.iter().flat_map(|(room, row)| given(room, row)).collect::<BTreeSet<_>>();
    let crates = dependencies();
    let mut mistakes = Vec::new();
    for source in sources() {
        let room = source.room().to_owned();
        let Some(row) = table.get(&room) else {
            mistakes.push(format!("{}: `{room}` is not in ARCHITECTURE.md", source.path));
            continue;
        };
        for (line, name) in rooms_named(&source) {
            unused.remove(&(room.clone(), name.clone()));
            if !row.rooms.contains(&name) {
                mistakes.push(format!("{}: `{room}` may not name `{name}`", source.place(line)));
            }
        }
        for (line, name) in crates_named(&source, &crates) {
            unused.remove(&(room.clone(), format!("{name}::")));
            if !row.crates.contains(&name) {
                let place = source.place(line);
                mistakes.push(format!("{place}: the crate `{name}` has no place in `{room}`"));
            }
        }
    }
    for (room, name) in unused {
        mistakes.push(format!("ARCHITECTURE.md: `{room}` does not name `{name}`: take it out"));
    }
    judge(&mistakes);
}

/// What a row gives, a crate with `::` behind it.
fn given(room: &str, row: &Row) -> Vec<(String, String)> {
    let crates = row.crates.iter().map(|name| format!("{name}::"));
    row.rooms.iter().cloned().chain(crates).map(|name| (room.to_owned(), name)).collect()
}

/// The other rooms that a file names: by `crate::NAME`, by `crate::{NAME, ...}`, or by so many
/// `super::` that they lead out of its own room.
fn rooms_named(source: &Source) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in source.lines.iter().enumerate() {
        let root = if source.room() == "main" { "proxy::" } else { "crate::" };
        for (at, _) in line.match_indices(root) {
            let path = &line[at + root.len()..];
            match path.strip_prefix('{') {
                None => found.push((number, word(path))),
                Some(_) => panic!("{}: one `use` for each room, please", source.place(number)),
            }
        }
        let depth = source.module.len() + usize::from(number > source.tests);
        let up = "super::".repeat(depth);
        if let Some((_, path)) = line.split_once(&up) {
            found.push((number, word(path)));
        }
    }
    found.retain(|(_, name)| name != source.room());
    found
}

/// The crates that a file names at the start of a path.
fn crates_named(source: &Source, crates: &BTreeSet<String>) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in source.lines.iter().enumerate() {
        for (at, _) in line.match_indices("::") {
            let start = line[..at].rfind(|c| !is_word(c)).map_or(0, |before| before + 1);
            let name = &line[start..at];
            if !line[..start].ends_with("::") && crates.contains(name) {
                found.push((number, name.to_owned()));
            }
        }
    }
    found
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn word(text: &str) -> String {
    text.chars().take_while(|c| is_word(*c)).collect()
}

#[test]
fn the_table_is_in_layer_order_and_complete() {
    let table = table();
    let lib = Source::read("proxy/src/lib.rs");
    let declared = lib
        .lines
        .iter()
        .filter_map(|line| line.trim_start_matches("pub ").strip_prefix("mod ")?.strip_suffix(';'));
    let mut wanted: Vec<_> = declared.collect();
    wanted.push("main");
    let listed: Vec<_> = table.iter().map(|(room, _)| room.as_str()).collect();
    assert_eq!(listed, wanted, "ARCHITECTURE.md and proxy/src/lib.rs list the same rooms");

    for (place, (room, row)) in table.iter().enumerate() {
        for name in &row.rooms {
            let below = table[..place].iter().any(|(earlier, _)| earlier == name);
            assert!(below, "ARCHITECTURE.md: `{room}` names `{name}`, which is not below it");
        }
    }
    let placed: BTreeSet<_> = table.iter().flat_map(|(_, row)| row.crates.clone()).collect();
    assert_eq!(placed, dependencies(), "every dependency of the proxy has a room");
    let text = read("ARCHITECTURE.md");
    for (room, _) in &table {
        assert!(text.contains(&format!("\n- **{room}**")), "ARCHITECTURE.md says what {room} is");
    }
}

#[test]
fn the_pure_rooms_have_no_clock_no_socket_and_one_reader_of_files() {
    let only_tests = test_files();
    let mut mistakes = Vec::new();
    let pure = |source: &Source| ["config", "balance", "route"].contains(&source.room());
    let seen = |source: &Source| !only_tests.iter().any(|file| is_below(&source.path, file));
    for source in sources().iter().filter(|source| pure(source) && seen(source)) {
        for (number, line) in source.without_tests() {
            let mut banned = vec!["Instant::now", "SystemTime::now", "TcpStream", "UnixStream"];
            banned.extend(["TcpListener", "UnixListener", "thread::"]);
            if !source.path.ends_with("config/include.rs") {
                banned.extend(["fs::", "File::"]);
            }
            for name in banned.iter().filter(|name| line.contains(**name)) {
                mistakes.push(format!("{}: `{name}` in a pure room", source.place(number)));
            }
        }
    }
    judge(&mistakes);
}

fn is_below(path: &str, module: &Path) -> bool {
    let path = Path::new(path);
    path.starts_with(module) || path.with_extension("") == *module
}

#[test]
fn tasks_are_started_in_one_place() {
    let mut mistakes = Vec::new();
    for source in sources().iter().filter(|source| source.room() != "tasks") {
        for (number, line) in source.lines.iter().enumerate() {
            let spawns = ["spawn_local", "tokio::spawn", "spawn_blocking", "JoinSet", "spawn_on"];
            if spawns.iter().any(|name| line.contains(name)) {
                mistakes.push(format!("{}: `tasks` alone spawns", source.place(number)));
            }
        }
    }
    judge(&mistakes);
}

#[test]
fn a_mod_rs_is_a_door() {
    let mut mistakes = Vec::new();
    for path in files().into_iter().filter(|path| path.ends_with("/mod.rs")) {
        if !path.contains("/src/") {
            continue;
        }
        let source = Source::read(&path);
        let beyond = source.lines.join("\n");
        let beyond = beyond.split_inclusive([';', '}']).find(|item| !is_of_a_door(item));
        let wide = WIDE_DOORS.iter().find(|(door, _)| *door == path);
        match (beyond, wide) {
            (Some(item), None) => {
                let what = item.trim().lines().next().unwrap_or_default();
                mistakes.push(format!("{path}: a door holds no `{what}`"));
            }
            (None, Some(_)) => mistakes.push(format!("{path} is a door: take it out of the list")),
            _ => {}
        }
    }
    judge(&mistakes);
}

/// `mod NAME;`, `use PATH;` with attributes, or what is left of a `use` behind a `}`.
fn is_of_a_door(item: &str) -> bool {
    let lines = item.lines().map(str::trim).filter(|line| !line.starts_with("#["));
    let item = lines.collect::<Vec<_>>().join(" ");
    let item = item.trim();
    let item = match item.strip_prefix("pub") {
        Some(rest) if rest.starts_with('(') => rest.split_once(')').map_or(rest, |(_, rest)| rest),
        Some(rest) => rest,
        None => item,
    };
    let item = item.trim();
    item.is_empty() || item == ";" || item.starts_with("mod ") || item.starts_with("use ")
}

/// Where something is asked for that there is no safe call for: of a descriptor, of the allocator.
const UNSAFE: [&str; 5] = [
    "proxy/src/net/watch.rs",
    "proxy/src/net/inherited.rs",
    "proxy/src/net/ring/room.rs",
    "proxy/src/net/ring/driver.rs",
    "proxy/src/main.rs",
];

#[test]
fn every_file_says_what_it_is_and_is_short() {
    let mut mistakes = Vec::new();
    for path in files().into_iter().filter(|path| path.ends_with(".rs")) {
        let text = read(&path);
        if !text.starts_with("//! ") {
            mistakes.push(format!("{path}:1: the first line says what the file is for (`//!`)"));
        }
        let is_a_text = |line: &str| line.starts_with('"') && line.ends_with("\",");
        let length = text.lines().filter(|line| !is_a_text(line.trim())).count();
        if length > LONGEST {
            mistakes.push(format!("{path}: {length} lines are more than {LONGEST}"));
        }
        for (number, line) in Source::read(&path).lines.iter().enumerate() {
            let is_unsafe = line.split(|c| !is_word(c)).any(|word| word == "unsafe");
            if is_unsafe && !UNSAFE.contains(&path.as_str()) {
                mistakes.push(format!(
                    "{path}:{}: no unsafe code but in the files of descriptors",
                    number + 1
                ));
            }
        }
    }
    judge(&mistakes);
}

#[test]
fn no_file_knows_the_machine_it_was_written_on() {
    // Put together here, so that this file does not know one either.
    let homes = ["work", "root"].map(|home| format!("/{home}/"));
    let mut mistakes = Vec::new();
    for path in files() {
        let text = std::fs::read(source::root().join(&path)).unwrap();
        let text = String::from_utf8_lossy(&text);
        for (number, line) in text.lines().enumerate() {
            if homes.iter().any(|home| line.contains(home.as_str())) {
                mistakes.push(format!("{path}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    judge(&mistakes);
}
