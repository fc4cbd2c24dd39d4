//! One page that needs nothing else: a chart for each row, and the table.

use super::table::workers;
use crate::results::{self, Cell, Known, Results, readable};
use crate::stats::Spread;

/// The page's style: light or dark, as the reader's machine is.
const STYLE: &str = include_str!("page.css");

/// The whole page.
pub(crate) fn page(results: &Results) -> String {
    let charts: String = titles(results).iter().map(|cells| chart(results, cells)).collect();
    let peers: String = results.peers.iter().map(known).collect();
    let remarks: String =
        results.remarks.iter().map(|text| format!("<p>{}</p>\n", escape(text))).collect();
    let first = results.peers.first().map_or("", |peer| peer.label);
    format!(
        "<!doctype html>
<html lang=\"en\">
<head>
<meta charset=\"utf-8\">
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">
<title>proxy beside others</title>
<style>
{STYLE}</style>
</head>
<body>
<h1>proxy beside others</h1>
<p class=\"quiet\">{date} · {machine} · rounds of {seconds} s, one peer after the other, every echo \
verified · other programs used {others:.0} % of the machine</p>
<ul class=\"peers\">
{peers}</ul>
<p>Less is better. Bars are medians; the fine line spans the rounds. The number behind a figure is its \
ratio to {first}.</p>
<div class=\"quiet\">
{rates}{remarks}</div>
<h2>Row by row</h2>
<div class=\"rows\">
{charts}</div>
<h2>Table</h2>
<div class=\"scroll\">
{table}</div>
</body>
</html>
",
        date = escape(&results.date),
        machine = escape(&results.machine),
        seconds = results.seconds,
        others = results.others * 100.0,
        rates = rates(results),
        table = table(results),
    )
}

fn known(peer: &Known) -> String {
    let note = if peer.note.is_empty() { String::new() } else { format!(" ({})", peer.note) };
    let (label, version) = (escape(peer.label), escape(&peer.version));
    format!("<li><b>{label}</b> {version}<span class=\"quiet\">{}</span></li>\n", escape(&note))
}

fn rates(results: &Results) -> String {
    let rate = |(threads, rate): &(u32, f64)| {
        let rate = readable(*rate);
        format!(
            "<p>Latency was measured at {rate} messages per second with {}.</p>\n",
            workers(*threads)
        )
    };
    results.rates.iter().map(rate).collect()
}

/// The measured cells, those of one row together.
fn titles(results: &Results) -> Vec<Vec<&Cell>> {
    let mut rows: Vec<Vec<&Cell>> = Vec::new();
    for cell in results.measured() {
        match rows.last_mut() {
            Some(row) if row.iter().all(|other| other.row.name == cell.row.name) => row.push(cell),
            _ => rows.push(vec![cell]),
        }
    }
    rows
}

fn chart(results: &Results, cells: &[&Cell]) -> String {
    let Some(row) = cells.first().map(|cell| cell.row) else { return String::new() };
    let groups: String = cells.iter().map(|cell| group(results, cell)).collect();
    format!(
        "<figure id=\"{name}\">
<figcaption><h3>{title}</h3><p class=\"quiet\">{figure}</p></figcaption>
{groups}</figure>
",
        name = row.name,
        title = escape(&row.long_title(results.connections)),
        figure = escape(row.figure),
    )
}

fn group(results: &Results, cell: &Cell) -> String {
    let peers = results.peers.iter().enumerate().filter(|(number, _)| cell.has(*number));
    let bars: String = peers.map(|(number, peer)| bar(cell, number, peer)).collect();
    format!("<div class=\"group\"><p class=\"quiet\">{}</p>\n{bars}</div>\n", workers(cell.threads))
}

fn bar(cell: &Cell, number: usize, peer: &Known) -> String {
    let class = match (peer.label, number) {
        ("proxy", _) => "bar ours",
        (_, 0) => "bar first",
        _ => "bar",
    };
    let (cost, greatest) = (cell.cost(number), cell.greatest());
    let rate = cell.rate(number).map(|rate| format!("{}/s", readable(rate.median)));
    let rate = rate.unwrap_or_default();
    // Without a front there is nothing to weigh.
    let figure = cost.map_or_else(|| rate.clone(), |cost| cell.figure(cost.median));
    let title = format!("{}: {figure} {rate}", peer.label);
    format!(
        "<div class=\"{class}\"><span>{label}</span>{svg}<span class=\"figure\">{figure}</span>{ratio}</div>\n",
        label = escape(peer.label),
        svg = svg(cost, greatest, &escape(&title)),
        ratio = ratio(cell.ratio(number)),
    )
}

/// The bar itself, and a line from the least to the greatest. Shares of the width: it fits anywhere.
fn svg(cost: Option<Spread>, greatest: f64, title: &str) -> String {
    let share = |value: f64| {
        if greatest > 0.0 { (value / greatest).clamp(0.0, 1.0) * 100.0 } else { 0.0 }
    };
    let drawn = cost.map_or_else(String::new, |cost| {
        let (least, middle, most) = (share(cost.min), share(cost.median), share(cost.max));
        format!(
            "<rect x=\"0\" y=\"10%\" width=\"{middle:.2}%\" height=\"80%\" rx=\"2\"/>\
             <line x1=\"{least:.2}%\" x2=\"{most:.2}%\" y1=\"50%\" y2=\"50%\"/>"
        )
    });
    format!("<svg role=\"img\" aria-label=\"{title}\"><title>{title}</title>{drawn}</svg>")
}

fn ratio(ratio: Option<Spread>) -> String {
    ratio.map_or_else(
        || "<span class=\"ratio\"></span>".to_owned(),
        |ratio| {
            let class = judged(ratio.median);
            let [middle, least, most] = digits(ratio);
            format!("<span class=\"ratio {class}\" title=\"{least} to {most}\">{middle}</span>")
        },
    )
}

fn digits(ratio: Spread) -> [String; 3] {
    [ratio.median, ratio.min, ratio.max].map(results::ratio)
}

fn judged(ratio: f64) -> &'static str {
    if ratio <= 1.0 { "good" } else { "bad" }
}

fn table(results: &Results) -> String {
    let labels: String =
        results.peers.iter().map(|peer| format!("<th>{}</th>", escape(peer.label))).collect();
    let rows: String = results.measured().map(|cell| table_row(results, cell)).collect();
    format!(
        "<table>\n<thead><tr><th>row</th><th>threads</th>{labels}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n"
    )
}

fn table_row(results: &Results, cell: &Cell) -> String {
    let cells: String = (0..results.peers.len()).map(|peer| table_cell(cell, peer)).collect();
    let title = escape(&cell.row.long_title(results.connections));
    format!("<tr><td>{title}</td><td>{}</td>{cells}</tr>\n", cell.threads)
}

/// The figure; below it the ratio with its spread, and the rate.
fn table_cell(cell: &Cell, peer: usize) -> String {
    let Some(cost) = cell.cost(peer) else {
        let rate = cell.rate(peer).map(|rate| format!("{}/s", readable(rate.median)));
        return format!("<td>–<small>{}</small></td>", rate.unwrap_or_default());
    };
    let ratio = cell.ratio(peer).map_or_else(String::new, |ratio| {
        let (class, [middle, least, most]) = (judged(ratio.median), digits(ratio));
        format!("<small><span class=\"{class}\">{middle}</span> ({least} to {most})</small>")
    });
    let rate = cell.rate(peer).map(|rate| format!("<small>{}/s</small>", readable(rate.median)));
    format!("<td>{}{ratio}{}</td>", cell.figure(cost.median), rate.unwrap_or_default())
}

/// Text in HTML, and in an attribute of it.
fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            _ => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_text() {
        assert_eq!(escape("a<b> & \"c\""), "a&lt;b&gt; &amp; &quot;c&quot;");
    }

    #[test]
    fn a_bar_is_a_share_of_the_width_and_its_spread_is_drawn_over_it() {
        let spread = Spread { median: 5.0, min: 4.0, max: 9.0 };
        let drawn = svg(Some(spread), 10.0, "x");
        assert!(drawn.contains("width=\"50.00%\""), "{drawn}");
        assert!(drawn.contains("x1=\"40.00%\" x2=\"90.00%\""), "{drawn}");
        assert!(!svg(None, 10.0, "x").contains("rect"));
    }
}
