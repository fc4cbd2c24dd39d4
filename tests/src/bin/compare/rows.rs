//! The table of what is measured. A new row is a new line here.

use crate::problem::Problem;
use crate::worker::LARGE;

/// One line of the comparison. Its figure is a cost: less is better.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    /// Its name on the command line and in the JSON file.
    pub(crate) name: &'static str,
    /// What is done, in the report's words.
    pub(crate) title: &'static str,
    /// What the figure is.
    pub(crate) figure: &'static str,
    /// What it is counted in.
    pub(crate) unit: &'static str,
    /// How it is come by.
    pub(crate) scene: Scene,
}

/// Rows of the same scene are measured together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scene {
    /// So many connections work: CPU time per operation, and the rate.
    Work(Work, u32),
    /// So many tunnels are held, then twice as many: memory, and CPU time while nothing moves.
    Tunnels(u32),
    /// Messages at a fixed rate over so many connections: how long each takes.
    Latency(u32),
    /// The configuration is replaced while so many tunnels are held and others are at work.
    Reload(u32),
    /// From nothing to the first answer; and the size of the program.
    Start,
}

/// What one connection does, over and over until it is told to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    /// Sends a binary message of so many bytes through a tunnel and waits for its echo.
    Echo(usize),
    /// Sends a plain GET of this path on a kept-alive connection and waits for its answer.
    Get(&'static str),
    /// Connects, upgrades, has one message echoed and closes.
    Handshake,
    /// Has one message echoed, then holds the tunnel and does nothing.
    Hold,
}

const CPU: &str = "CPU time of the proxy per operation";
const MEMORY: &str = "memory of the proxy per tunnel";
const LATENCY: &str = "time until the echo, at half of nginx's greatest rate";
const RELOAD: &str = "a reload while 4,000 tunnels are held";

const fn work(name: &'static str, title: &'static str, work: Work, connections: u32) -> Row {
    Row { name, title, figure: CPU, unit: "µs", scene: Scene::Work(work, connections) }
}

const fn of(
    scene: Scene,
    name: &'static str,
    title: &'static str,
    figure: &'static str,
    unit: &'static str,
) -> Row {
    Row { name, title, figure, unit, scene }
}

const TUNNELS: Scene = Scene::Tunnels(4000);
const PACED: Scene = Scene::Latency(100);
const RELOADED: Scene = Scene::Reload(4000);

/// Every row, in the order of the table.
pub(crate) const ROWS: &[Row] = &[
    work("echo-32-1", "echo 32 B", Work::Echo(32), 1),
    work("echo-32", "echo 32 B", Work::Echo(32), 100),
    work("echo-32-1000", "echo 32 B", Work::Echo(32), 1000),
    work("echo-125", "echo 125 B", Work::Echo(125), 4000),
    work("echo-16k", "echo 16 kB", Work::Echo(16 << 10), 100),
    work("echo-1m", "echo 1 MB", Work::Echo(1 << 20), 8),
    work("handshake", "handshake, one message, close", Work::Handshake, 50),
    work("get", "keep-alive GET", Work::Get("/"), 100),
    work("get-100k", "keep-alive GET of 100 kB", Work::Get(LARGE), 50),
    of(TUNNELS, "memory-4000", "memory, 4,000 idle tunnels", MEMORY, "kB"),
    of(TUNNELS, "memory-8000", "memory, 8,000 idle tunnels", MEMORY, "kB"),
    of(
        TUNNELS,
        "idle-cpu",
        "CPU time, 8,000 idle tunnels",
        "CPU time of the proxy per second",
        "ms",
    ),
    of(PACED, "latency-p50", "latency, median", LATENCY, "µs"),
    of(PACED, "latency-p99", "latency, p99", LATENCY, "µs"),
    of(PACED, "latency-p99.9", "latency, p99.9", LATENCY, "µs"),
    of(RELOADED, "reload", "time to reload", "until the first answer by the new file", "ms"),
    of(RELOADED, "reload-spike", "longest echo meanwhile", RELOAD, "ms"),
    of(RELOADED, "reload-lost", "tunnels cut meanwhile", RELOAD, ""),
    of(Scene::Start, "start", "start", "from nothing to the first answer", "ms"),
    of(
        Scene::Start,
        "size",
        "size of the program",
        "what is loaded of its file, without libraries",
        "MB",
    ),
];

impl Row {
    /// Its title, with the number of connections where they are what matters.
    pub(crate) fn long_title(&self, most: Option<u32>) -> String {
        match self.scene {
            Scene::Work(_, connections) => {
                let connections = connections.min(most.unwrap_or(u32::MAX));
                format!("{} x {connections}", self.title)
            }
            _ => self.title.to_owned(),
        }
    }
}

/// The rows of these names, in the table's order; all of them when no name is given.
pub(crate) fn select(names: &[String]) -> Result<Vec<&'static Row>, Problem> {
    if let Some(name) = names.iter().find(|name| ROWS.iter().all(|row| row.name != **name)) {
        let known: Vec<_> = ROWS.iter().map(|row| row.name).collect();
        return Err(Problem::NoRow { name: name.clone(), known: known.join(", ") });
    }
    let wanted = |row: &&Row| names.is_empty() || names.iter().any(|name| name == row.name);
    Ok(ROWS.iter().filter(wanted).collect())
}

/// The scenes of these rows, each once, by the first row of each.
pub(crate) fn scenes(rows: &[&'static Row]) -> Vec<&'static Row> {
    let mut scenes: Vec<&'static Row> = Vec::new();
    for row in rows {
        if scenes.iter().all(|first| first.scene != row.scene) {
            scenes.push(row);
        }
    }
    scenes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique() {
        for (at, row) in ROWS.iter().enumerate() {
            assert!(ROWS[..at].iter().all(|other| other.name != row.name), "{}", row.name);
        }
    }

    #[test]
    fn rows_come_in_the_tables_order_and_a_wrong_name_says_which_there_are() {
        let chosen = select(&["get".to_owned(), "echo-32".to_owned()]).unwrap();
        assert_eq!(chosen.iter().map(|row| row.name).collect::<Vec<_>>(), ["echo-32", "get"]);
        assert_eq!(select(&[]).unwrap().len(), ROWS.len());
        let refused = select(&["ecko".to_owned()]).unwrap_err().to_string();
        assert!(refused.contains("\"ecko\"") && refused.contains("echo-32"), "{refused}");
    }

    #[test]
    fn rows_of_one_scene_are_measured_together() {
        let rows = select(&["memory-4000", "idle-cpu", "size"].map(str::to_owned)).unwrap();
        let first = |row: &&Row| row.name;
        assert_eq!(scenes(&rows).iter().map(first).collect::<Vec<_>>(), ["memory-4000", "size"]);
    }

    #[test]
    fn a_cap_is_told_in_the_title() {
        assert_eq!(ROWS[1].long_title(Some(20)), "echo 32 B x 20");
        assert_eq!(ROWS[1].long_title(None), "echo 32 B x 100");
        assert_eq!(ROWS[9].long_title(Some(20)), "memory, 4,000 idle tunnels");
    }
}
