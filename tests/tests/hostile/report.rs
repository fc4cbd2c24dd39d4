//! Says what came of the cases: which are wrong, and a table of those in which nginx does otherwise.

use std::collections::BTreeSet;

/// What came of one case.
#[derive(Debug)]
pub(crate) struct Row<'a> {
    pub(crate) name: &'a str,
    pub(crate) rfc: &'static str,
    pub(crate) must: String,
    pub(crate) nginx: String,
    /// What the proxy did, and in which way it was asked.
    pub(crate) ours: Vec<(String, String)>,
    /// Why nginx may do otherwise: what the row, or its family, says.
    pub(crate) why: Option<&'static str>,
}

/// Prints the table, and fails when the proxy does otherwise than it must, or nginx otherwise than the
/// rows say.
pub(crate) fn judge(what: &str, rows: &[Row<'_>]) {
    let mut wrong = Vec::new();
    let mut differ: Vec<&Row<'_>> = Vec::new();
    let mut names = BTreeSet::new();
    for row in rows {
        if !names.insert(row.name) {
            wrong.push(format!("two cases have the name {:?}", row.name));
        }
        let Row { name, rfc, must, .. } = row;
        for (who, did) in &row.ours {
            if did != must {
                wrong.push(format!("{name} ({rfc}): must be {must}\n    {who}: {did}"));
            }
        }
        match (row.why, row.nginx == *must) {
            (None, false) => {
                wrong.push(format!(
                    "{name} ({rfc}): {must}\n    nginx, for no reason: {}",
                    row.nginx
                ));
            }
            (Some(_), false) => differ.push(row),
            (_, true) => {}
        }
    }
    let mut last = None;
    for row in &differ {
        if last.replace(row.why) != Some(row.why) {
            println!("\n{}", row.why.unwrap_or_default());
        }
        println!("  {:<50} {:<24} proxy {} / nginx {}", row.name, row.rfc, row.must, row.nginx);
    }
    println!("\n{what}: {} cases, nginx does otherwise in {}", rows.len(), differ.len());
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
}
