//! Every reading, for programs.

use serde_json::{Value, json};

use crate::results::{Cell, Results};
use crate::stats::Spread;

/// One object with all there is.
pub(crate) fn json(results: &Results) -> Value {
    let peers = results
        .peers
        .iter()
        .map(|peer| json!({ "label": peer.label, "version": peer.version, "note": peer.note }));
    let rates = results
        .rates
        .iter()
        .map(|(threads, rate)| json!({ "threads": threads, "per_second": rate }));
    json!({
        "date": results.date,
        "machine": results.machine,
        "seconds": results.seconds,
        "connections": results.connections,
        "others": results.others,
        "peers": peers.collect::<Vec<_>>(),
        "latency_rates": rates.collect::<Vec<_>>(),
        "remarks": results.remarks,
        "rows": results.measured().map(|cell| row(results, cell)).collect::<Vec<_>>(),
    })
}

fn row(results: &Results, cell: &Cell) -> Value {
    let peers = results.peers.iter().enumerate().map(|(number, peer)| {
        let readings = cell.readings.get(number).into_iter().flatten();
        let readings = readings.map(|reading| {
            reading.map_or(Value::Null, |one| json!({ "cost": one.cost, "rate": one.rate }))
        });
        json!({
            "label": peer.label,
            "cost": spread(cell.cost(number)),
            "rate": spread(cell.rate(number)),
            "ratio": spread(cell.ratio(number)),
            "readings": readings.collect::<Vec<_>>(),
        })
    });
    json!({
        "name": cell.row.name,
        "title": cell.row.long_title(results.connections),
        "figure": cell.row.figure,
        "unit": cell.row.unit,
        "threads": cell.threads,
        "peers": peers.collect::<Vec<_>>(),
    })
}

fn spread(spread: Option<Spread>) -> Value {
    spread.map_or(
        Value::Null,
        |spread| json!({ "median": spread.median, "min": spread.min, "max": spread.max }),
    )
}
