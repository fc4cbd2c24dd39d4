//! All readings, and what is made of them.

use crate::load::cores;
use crate::measure::Found;
use crate::options::Options;
use crate::peers::Peer;
use crate::rows::Row;
use crate::stats::{Reading, Spread};

/// What was measured, where, and of whom.
pub(crate) struct Results {
    pub(crate) date: String,
    pub(crate) machine: String,
    /// How long a round measured, in seconds.
    pub(crate) seconds: f64,
    /// The cap on connections, where there was one.
    pub(crate) connections: Option<u32>,
    /// The first is the one that the others are compared with.
    pub(crate) peers: Vec<Known>,
    /// By row, then by threads.
    pub(crate) cells: Vec<Cell>,
    /// What a reader must know: who is left out, what failed.
    pub(crate) remarks: Vec<String>,
    /// Messages per second at which latency was measured, by threads.
    pub(crate) rates: Vec<(u32, f64)>,
    /// The part of the machine, 0 to 1, that other programs used meanwhile.
    pub(crate) others: f64,
}

/// Who was measured.
pub(crate) struct Known {
    pub(crate) label: &'static str,
    pub(crate) version: String,
    pub(crate) note: &'static str,
}

/// All readings of one row at one number of threads.
pub(crate) struct Cell {
    pub(crate) row: &'static Row,
    pub(crate) threads: u32,
    /// By peer, then by round.
    pub(crate) readings: Vec<Vec<Option<Reading>>>,
}

impl Results {
    /// Of a run that is about to start.
    pub(crate) fn new(options: &Options, peers: &[Peer], rows: &[&'static Row]) -> Self {
        let system = rustix::system::uname();
        let known = |peer: &Peer| {
            let (label, version) = (peer.label, peer.version.clone());
            Known { label, version, note: peer.note }
        };
        let empty = || vec![Vec::new(); peers.len()];
        let cells = rows.iter().flat_map(|row| {
            options.threads.iter().map(move |threads| Cell {
                row,
                threads: *threads,
                readings: empty(),
            })
        });
        Self {
            date: jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M UTC").to_string(),
            machine: format!(
                "{} {}, {} cores",
                system.sysname().to_string_lossy(),
                system.release().to_string_lossy(),
                cores()
            ),
            seconds: options.window().as_secs_f64(),
            connections: options.connections,
            peers: peers.iter().map(known).collect(),
            cells: cells.collect(),
            remarks: Vec::new(),
            rates: Vec::new(),
            others: 0.0,
        }
    }

    /// Takes in what a round (counted from 1) found.
    pub(crate) fn add(&mut self, threads: u32, round: u32, found: Vec<Found>) {
        for Found { peer, row, reading } in found {
            let cell = self.cells.iter_mut().find(|c| c.row.name == row && c.threads == threads);
            // A scene gives all its rows, wanted or not.
            let Some(readings) = cell.and_then(|cell| cell.readings.get_mut(peer)) else {
                continue;
            };
            let before = usize::try_from(round).unwrap_or(1).saturating_sub(1);
            // Rounds in which it failed keep their place.
            readings.resize(before.max(readings.len()), None);
            readings.push(Some(reading));
        }
    }

    /// The cells that have readings.
    pub(crate) fn measured(&self) -> impl Iterator<Item = &Cell> {
        self.cells.iter().filter(|cell| cell.readings.iter().any(|peer| !peer.is_empty()))
    }

    /// Adds a remark that is not there yet.
    pub(crate) fn remark(&mut self, remark: String) {
        if !self.remarks.contains(&remark) {
            self.remarks.push(remark);
        }
    }
}

impl Cell {
    /// What it costs with this peer.
    pub(crate) fn cost(&self, peer: usize) -> Option<Spread> {
        Spread::of(self.costs(peer).flatten())
    }

    /// There is something to say of this peer.
    pub(crate) fn has(&self, peer: usize) -> bool {
        self.readings.get(peer).is_some_and(|readings| readings.iter().any(Option::is_some))
    }

    /// How often it is done per second.
    pub(crate) fn rate(&self, peer: usize) -> Option<Spread> {
        let readings = self.readings.get(peer)?.iter().flatten();
        Spread::of(readings.filter_map(|reading| reading.rate))
    }

    /// What it costs beside the first peer, round by round: below 1 it needs less.
    pub(crate) fn ratio(&self, peer: usize) -> Option<Spread> {
        if peer == 0 { None } else { Spread::of_ratios(self.costs(peer), self.costs(0)) }
    }

    /// The greatest cost of all: the full length of a bar.
    pub(crate) fn greatest(&self) -> f64 {
        let peers = 0..self.readings.len();
        peers.filter_map(|peer| Some(self.cost(peer)?.max)).fold(0.0, f64::max)
    }

    /// A figure of this row, with its unit.
    pub(crate) fn figure(&self, value: f64) -> String {
        match self.row.unit {
            "" => format!("{value:.0}"),
            unit => format!("{} {unit}", readable(value)),
        }
    }

    fn costs(&self, peer: usize) -> impl Iterator<Item = Option<f64>> {
        let readings = self.readings.get(peer).into_iter().flatten();
        readings.map(|reading| reading.and_then(|reading| reading.cost))
    }
}

/// A ratio with three digits.
pub(crate) fn ratio(ratio: f64) -> String {
    let digits = if ratio < 10.0 { 2 } else { usize::from(ratio < 100.0) };
    format!("{ratio:.digits$}")
}

/// A figure with three digits that count, and thousands told apart.
pub(crate) fn readable(value: f64) -> String {
    let digits = match value.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        _ => 2,
    };
    let text = format!("{value:.digits$}");
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let (sign, whole) = whole.strip_prefix('-').map_or(("", whole), |whole| ("-", whole));
    let mut grouped = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("{sign}{grouped}{rest}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::ROWS;

    /// A cell with these costs, by peer and by round.
    pub(crate) fn cell(costs: &[&[f64]]) -> Cell {
        let reading = |cost: &f64| Some(Reading::cost(*cost));
        let readings = costs.iter().map(|peer| peer.iter().map(reading).collect()).collect();
        Cell { row: &ROWS[0], threads: 1, readings }
    }

    #[test]
    fn ratios_are_taken_round_by_round_with_the_first_peer() {
        let cell = cell(&[&[10.0, 20.0], &[5.0, 20.0], &[]]);
        assert_eq!(cell.ratio(1), Spread::of([0.5, 1.0]));
        assert_eq!((cell.ratio(0), cell.ratio(2), cell.cost(2)), (None, None, None));
        assert_eq!(cell.greatest(), 20.0);
        assert_eq!(cell.figure(1234.5), "1,234 µs");
    }

    #[test]
    fn figures_are_made_for_eyes() {
        for (value, text) in [
            (0.0, "0.00"),
            (7.214, "7.21"),
            (35.44, "35.4"),
            (123.4, "123"),
            (48_213.2, "48,213"),
            (1_234_567.0, "1,234,567"),
            (-0.5, "-0.50"),
            (-12_345.0, "-12,345"),
        ] {
            assert_eq!(readable(value), text);
        }
        assert_eq!([0.914, 12.34, 123.8].map(ratio), ["0.91", "12.3", "124"]);
    }
}
