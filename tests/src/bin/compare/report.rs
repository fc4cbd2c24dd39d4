//! The figures for people (a table) and for programs (JSON).

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::load::cores;
use crate::options::Options;
use crate::peer::Peer;
use crate::problem::Problem;
use crate::rows::Row;
use crate::stats::{Reading, Spread};

/// What was measured, where, and of whom.
pub(crate) struct Report {
    date: String,
    kernel: String,
    threads: u32,
    rounds: u32,
    seconds: f64,
    /// Label and version; ours is the last.
    peers: Vec<(&'static str, String)>,
    /// The part of the machine, 0 to 1, that other programs used meanwhile.
    pub(crate) others: f64,
    /// The rows so far.
    pub(crate) rows: Vec<Measured>,
}

/// All readings of one row.
pub(crate) struct Measured {
    /// Which row.
    pub(crate) row: Row,
    /// By peer, then by round.
    pub(crate) readings: Vec<Vec<Reading>>,
}

impl Report {
    /// Of a run that is about to start.
    pub(crate) fn new(options: &Options, peers: &[Peer]) -> Self {
        let system = rustix::system::uname();
        Self {
            date: jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M UTC").to_string(),
            kernel: format!(
                "{} {}",
                system.sysname().to_string_lossy(),
                system.release().to_string_lossy()
            ),
            threads: options.threads,
            rounds: options.rounds(),
            seconds: options.window().as_secs_f64(),
            peers: peers.iter().map(|peer| (peer.label, peer.version.clone())).collect(),
            others: 0.0,
            rows: Vec::new(),
        }
    }

    /// What is compared, and where.
    pub(crate) fn head(&self) -> String {
        let Self { date, kernel, threads, rounds, seconds, .. } = self;
        let peers = self.peers.iter().map(|(label, version)| format!("{label}: {version}\n"));
        let peers: String = peers.collect();
        format!(
            "{peers}{kernel}, {} cores, {date}\n\
             {threads} worker(s) each, {rounds} round(s) of {seconds} s\n\n",
            cores()
        )
    }

    /// The table, its columns aligned.
    pub(crate) fn table(&self) -> String {
        let mut lines = vec![self.titles()];
        lines.extend(self.rows.iter().map(|measured| self.line(measured)));
        let ours = self.ours();
        format!(
            "{}\nMedians: CPU of the front per operation, memory (PSS, 1 kB = 1000 B) per tunnel.\n\
             Ratios: medians of the ratios round by round; above 1 {ours} needs less or does more.\n\
             Other programs used {:.0} % of the machine meanwhile.\n",
            align(&lines),
            self.others * 100.0
        )
    }

    fn titles(&self) -> Vec<String> {
        let ours = self.ours();
        let rivals = || self.peers.iter().take(self.peers.len() - 1);
        let mut titles = vec![String::new()];
        titles.extend(self.peers.iter().map(|(label, _)| (*label).to_owned()));
        titles.extend(
            rivals().flat_map(|(label, _)| [format!("{label}/{ours}"), "min..max".to_owned()]),
        );
        titles.extend(self.peers.iter().map(|(label, _)| format!("{label} op/s")));
        titles.extend(rivals().map(|(label, _)| format!("{ours}/{label}")));
        titles
    }

    fn line(&self, measured: &Measured) -> Vec<String> {
        let unit = measured.row.gauge.unit();
        let peers = 0..self.peers.len();
        let rivals = 0..self.peers.len() - 1;
        let or_dash = |cell: Option<String>| cell.unwrap_or_else(|| "-".to_owned());
        let mut cells = vec![format!("{} x {}", measured.row.title, measured.row.connections)];
        cells.extend(peers.clone().map(|peer| {
            or_dash(measured.cost(peer).map(|cost| format!("{:.2} {unit}", cost.median)))
        }));
        for rival in rivals.clone() {
            let ratio = measured.cost_ratio(rival);
            cells.push(or_dash(ratio.map(|ratio| format!("{:.2}", ratio.median))));
            cells.push(or_dash(ratio.map(|ratio| format!("{:.2}..{:.2}", ratio.min, ratio.max))));
        }
        cells
            .extend(peers.map(|peer| {
                or_dash(measured.rate(peer).map(|rate| format!("{:.0}", rate.median)))
            }));
        cells.extend(rivals.map(|rival| {
            or_dash(measured.rate_ratio(rival).map(|ratio| format!("{:.2}", ratio.median)))
        }));
        cells
    }

    /// Writes everything, each single reading included.
    pub(crate) fn write_json(&self, file: &Path) -> Result<(), Problem> {
        let text = format!("{:#}\n", self.json());
        fs::write(file, text).map_err(Problem::io(format!("cannot write {}", file.display())))
    }

    fn json(&self) -> Value {
        let peers =
            self.peers.iter().map(|(label, version)| json!({ "label": label, "version": version }));
        json!({
            "date": self.date,
            "kernel": self.kernel,
            "cores": cores(),
            "threads": self.threads,
            "rounds": self.rounds,
            "seconds": self.seconds,
            "others": self.others,
            "peers": peers.collect::<Vec<_>>(),
            "rows": self.rows.iter().map(|measured| self.row_json(measured)).collect::<Vec<_>>(),
        })
    }

    fn row_json(&self, measured: &Measured) -> Value {
        let last = self.peers.len() - 1;
        let peers = self.peers.iter().enumerate().map(|(peer, (label, _))| {
            let readings = measured.readings.get(peer).into_iter().flatten();
            let readings = readings.map(|one| json!({ "cost": one.cost, "rate": one.rate }));
            json!({
                "label": label,
                "cost": spread_json(measured.cost(peer)),
                "rate": spread_json(measured.rate(peer)),
                "cost_over_ours": spread_json(measured.cost_ratio(peer).filter(|_| peer < last)),
                "our_rate_over": spread_json(measured.rate_ratio(peer).filter(|_| peer < last)),
                "readings": readings.collect::<Vec<_>>(),
            })
        });
        json!({
            "name": measured.row.name,
            "title": measured.row.title,
            "unit": measured.row.gauge.unit(),
            "connections": measured.row.connections,
            "peers": peers.collect::<Vec<_>>(),
        })
    }

    fn ours(&self) -> &'static str {
        self.peers.last().map_or("", |(label, _)| label)
    }
}

impl Measured {
    fn cost(&self, peer: usize) -> Option<Spread> {
        Spread::of(self.costs(self.readings.get(peer)?))
    }

    fn rate(&self, peer: usize) -> Option<Spread> {
        Spread::of(self.readings.get(peer)?.iter().filter_map(|reading| reading.rate))
    }

    /// A rival's cost over ours.
    fn cost_ratio(&self, rival: usize) -> Option<Spread> {
        let (rival, ours) = (self.readings.get(rival)?, self.readings.last()?);
        Spread::of_ratios(self.costs(rival), self.costs(ours))
    }

    /// Our rate over a rival's.
    fn rate_ratio(&self, rival: usize) -> Option<Spread> {
        let (rival, ours) = (self.readings.get(rival)?, self.readings.last()?);
        let rates = |readings: &[Reading]| -> Vec<f64> {
            readings.iter().filter_map(|reading| reading.rate).collect()
        };
        Spread::of_ratios(rates(ours), rates(rival))
    }

    fn costs<'a>(&self, readings: &'a [Reading]) -> impl Iterator<Item = f64> + use<'a> {
        readings.iter().map(|reading| reading.cost)
    }
}

fn spread_json(spread: Option<Spread>) -> Value {
    spread.map_or(
        Value::Null,
        |spread| json!({ "median": spread.median, "min": spread.min, "max": spread.max }),
    )
}

/// The first column to the left, the others to the right.
fn align(lines: &[Vec<String>]) -> String {
    let columns = lines.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = lines.iter().filter_map(|line| line.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let aligned = lines.iter().map(|line| {
        let cells = line.iter().zip(&widths).enumerate().map(|(column, (cell, &width))| {
            if column == 0 { format!("{cell:<width$}") } else { format!("  {cell:>width$}") }
        });
        cells.collect::<String>().trim_end().to_owned() + "\n"
    });
    aligned.collect()
}
