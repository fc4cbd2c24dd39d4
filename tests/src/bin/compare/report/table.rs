//! The table for a terminal, with a bar for each figure.

use crate::results::{Cell, Results, ratio, readable};

/// The longest bar, in characters.
const BAR: f64 = 24.0;

/// What is compared, and where.
pub(crate) fn head(results: &Results) -> String {
    let mut text = String::new();
    for peer in &results.peers {
        let note = if peer.note.is_empty() { String::new() } else { format!("({})", peer.note) };
        let line = format!("{:<8} {} {note}", peer.label, peer.version);
        text.push_str(&format!("{}\n", line.split_whitespace().collect::<Vec<_>>().join(" ")));
    }
    text.push_str(&format!("{}, {}\n\n", results.machine, results.date));
    text
}

/// All rows that were measured, and how to read them.
pub(crate) fn table(results: &Results) -> String {
    let mut text = String::new();
    let mut last = "";
    for cell in results.measured() {
        if cell.row.name != last {
            last = cell.row.name;
            let title = cell.row.long_title(results.connections);
            text.push_str(&format!("{title}: {}\n", cell.row.figure));
        }
        text.push_str(&format!("  {}\n", workers(cell.threads)));
        let peers = (0..results.peers.len()).filter(|peer| cell.has(*peer));
        let lines: Vec<_> = peers.map(|peer| line(results, cell, peer)).collect();
        text.push_str(&align(&lines));
        text.push('\n');
    }
    let first = results.peers.first().map_or("", |peer| peer.label);
    text.push_str(&format!(
        "Less is better. Medians of the rounds; the ratio is to {first}, taken round by round, with \
         the least and the greatest.\n"
    ));
    for (threads, rate) in &results.rates {
        text.push_str(&format!(
            "Latency at {} messages per second with {}.\n",
            readable(*rate),
            workers(*threads)
        ));
    }
    for remark in &results.remarks {
        text.push_str(&format!("{remark}\n"));
    }
    text.push_str(&format!(
        "Other programs used {:.0} % of the machine meanwhile.\n",
        results.others * 100.0
    ));
    text
}

/// `1 worker thread`.
pub(super) fn workers(threads: u32) -> String {
    if threads == 1 { "1 worker thread".to_owned() } else { format!("{threads} worker threads") }
}

/// Name, bar, figure, ratio, rate.
fn line(results: &Results, cell: &Cell, peer: usize) -> Vec<String> {
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let label = results.peers.get(peer).map_or("", |peer| peer.label);
    let cost = cell.cost(peer);
    let ratio = cell.ratio(peer).map(|spread| {
        format!("{} ({} to {})", ratio(spread.median), ratio(spread.min), ratio(spread.max))
    });
    let rate = cell.rate(peer).map(|rate| format!("{}/s", readable(rate.median)));
    vec![
        format!("    {label}"),
        cost.map_or_else(String::new, |cost| bar(cost.median, cell.greatest())),
        or_dash(cost.map(|cost| cell.figure(cost.median))),
        ratio.unwrap_or_default(),
        rate.unwrap_or_default(),
    ]
}

/// A bar in eighths of a character.
fn bar(value: f64, greatest: f64) -> String {
    const PARTS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let length = if greatest > 0.0 { (value / greatest).clamp(0.0, 1.0) * BAR } else { 0.0 };
    let mut bar = String::new();
    let mut left = length;
    while left >= 1.0 {
        bar.push('█');
        left -= 1.0;
    }
    let eighths = (0..8).zip(PARTS).rev().find(|(eighths, _)| f64::from(*eighths) / 8.0 <= left);
    bar.push_str(eighths.map_or("", |(_, part)| part));
    bar
}

/// Names and bars to the left, figures to the right.
fn align(lines: &[Vec<String>]) -> String {
    let columns = lines.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = lines.iter().filter_map(|line| line.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let aligned = lines.iter().map(|line| {
        let cells = line.iter().zip(&widths).enumerate().map(|(column, (cell, &width))| {
            if column < 2 { format!("{cell:<width$}  ") } else { format!("{cell:>width$}  ") }
        });
        cells.collect::<String>().trim_end().to_owned() + "\n"
    });
    aligned.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_long_as_their_figures() {
        assert_eq!(bar(0.0, 10.0), "");
        assert_eq!(bar(5.0, 10.0), "█".repeat(12));
        assert_eq!(bar(10.0, 10.0), "█".repeat(24));
        assert_eq!(bar(1.0, 48.0), "▌");
        assert_eq!(bar(1.0, 0.0), "");
    }
}
