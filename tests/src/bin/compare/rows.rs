//! The table of what is measured. A new row is a new line here.

use std::time::Duration;

use crate::problem::Problem;

/// One line of the comparison.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    /// Its name on the command line and in the JSON file.
    pub(crate) name: &'static str,
    /// What each connection does, in the table's words.
    pub(crate) title: &'static str,
    /// What each connection does.
    pub(crate) work: Work,
    /// How many connections do it.
    pub(crate) connections: u32,
    /// What is read from the front meanwhile.
    pub(crate) gauge: Gauge,
}

/// What one connection does, over and over until it is told to stop.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Work {
    /// Sends a binary message of so many bytes through a tunnel and waits for its echo.
    Echo(usize),
    /// Sends a plain GET on a kept-alive connection and waits for its answer.
    Get,
    /// Connects, upgrades, has one message echoed and closes.
    Handshake,
    /// Has one message echoed, then holds the tunnel and does nothing.
    Hold,
}

/// What a row reads from the front.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Gauge {
    /// CPU time per operation.
    Cpu,
    /// Memory per connection, so long after the last of them was opened.
    Memory(Duration),
}

impl Gauge {
    /// What its figures are counted in.
    pub(crate) fn unit(self) -> &'static str {
        match self {
            Self::Cpu => "µs",
            Self::Memory(_) => "kB",
        }
    }
}

/// Every row, in the order of the table.
pub(crate) const ROWS: &[Row] = &[
    Row {
        name: "echo-32",
        title: "echo 32 B",
        work: Work::Echo(32),
        connections: 100,
        gauge: Gauge::Cpu,
    },
    Row {
        name: "echo-125",
        title: "echo 125 B",
        work: Work::Echo(125),
        connections: 1000,
        gauge: Gauge::Cpu,
    },
    Row {
        name: "echo-16k",
        title: "echo 16 kB",
        work: Work::Echo(16 << 10),
        connections: 100,
        gauge: Gauge::Cpu,
    },
    Row {
        name: "echo-1m",
        title: "echo 1 MB",
        work: Work::Echo(1 << 20),
        connections: 8,
        gauge: Gauge::Cpu,
    },
    Row {
        name: "get",
        title: "keep-alive GET",
        work: Work::Get,
        connections: 100,
        gauge: Gauge::Cpu,
    },
    Row {
        name: "handshake",
        title: "handshake",
        work: Work::Handshake,
        connections: 50,
        gauge: Gauge::Cpu,
    },
    Row {
        name: "memory",
        title: "new tunnel",
        work: Work::Hold,
        connections: 4000,
        gauge: Gauge::Memory(Duration::ZERO),
    },
    Row {
        name: "memory-idle",
        title: "tunnel idle for 3 s",
        work: Work::Hold,
        connections: 4000,
        gauge: Gauge::Memory(Duration::from_secs(3)),
    },
];

/// The rows of these names, in the table's order; all of them when no name is given. None with more
/// connections than `most`.
pub(crate) fn select(names: &[String], most: Option<u32>) -> Result<Vec<Row>, Problem> {
    if let Some(name) = names.iter().find(|name| ROWS.iter().all(|row| row.name != **name)) {
        let known: Vec<_> = ROWS.iter().map(|row| row.name).collect();
        return Err(Problem::NoRow { name: name.clone(), known: known.join(", ") });
    }
    let wanted = |row: &&Row| names.is_empty() || names.iter().any(|name| name == row.name);
    let capped =
        |row: &Row| Row { connections: row.connections.min(most.unwrap_or(u32::MAX)), ..*row };
    Ok(ROWS.iter().filter(wanted).map(capped).collect())
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
        let chosen = select(&["get".to_owned(), "echo-32".to_owned()], None).unwrap();
        assert_eq!(chosen.iter().map(|row| row.name).collect::<Vec<_>>(), ["echo-32", "get"]);
        assert_eq!(select(&[], None).unwrap().len(), ROWS.len());
        let refused = select(&["ecko".to_owned()], None).unwrap_err().to_string();
        assert!(refused.contains("\"ecko\"") && refused.contains("echo-32"), "{refused}");
    }

    #[test]
    fn a_cap_takes_connections_away_and_adds_none() {
        let capped = select(&[], Some(20)).unwrap();
        assert!(
            capped.iter().zip(ROWS).all(|(row, full)| row.connections == full.connections.min(20))
        );
    }
}
