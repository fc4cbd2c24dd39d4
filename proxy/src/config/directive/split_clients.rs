//! `split_clients`

use super::super::inherit::HttpDraft;
use super::super::model::SplitClients;
use super::super::parse::Statement;
use super::super::problem::Fault;
use super::super::source::Spanned;
use super::super::value;
use super::table::{Arity, Context, Directive, Done, Effect};
use super::walk::Walk;

pub(super) const DIRECTIVES: &[Directive] = &[Directive {
    name: "split_clients",
    means: "A variable with one value for a share of all clients and another for the next, by a hash of a \
            text: the same shares as nginx's. `*` is the rest.",
    contexts: &[Context::Http],
    arity: Arity::TWO,
    block: true,
    effect: Effect::Http(split_clients),
    example: "split_clients $remote_addr $variant { 0.5% new; 20% other; * ''; }",
}];

/// All of it, in hundredths of a percent.
const WHOLE: u32 = 10_000;

fn split_clients(_: &mut Walk, http: &mut HttpDraft, statement: &Statement) -> Done {
    let name = statement.arg(1);
    let Some(variable) = name.value.strip_prefix('$').filter(|name| !name.is_empty()) else {
        let message = format!("invalid variable name \"{}\"", name.value);
        return Err(Fault::at(name.span, message));
    };
    let mut parts = Vec::new();
    if let Some(body) = &statement.body {
        for line in &body.statements {
            parts.push(part(line)?);
        }
        body.fault.clone().map_or(Ok(()), Err)?;
    }
    // The rest is all of it: nothing may follow.
    let sum = parts.iter().try_fold(0_u32, |sum, (share, _)| {
        let sum = share.map_or(WHOLE, |share| sum.saturating_add(share));
        (sum <= WHOLE).then_some(sum)
    });
    if sum.is_none() {
        let message = "percent total is greater than 100%";
        let end = statement.body.as_ref().map_or(statement.name.span, |body| body.end);
        return Err(Fault::at(end, message));
    }
    http.splits.push(SplitClients {
        key: statement.arg(0).clone(),
        variable: Spanned { value: variable.to_owned(), span: name.span },
        parts,
    });
    Ok(())
}

/// `SHARE VALUE;`
fn part(line: &Statement) -> Result<(Option<u32>, String), Fault> {
    let word = &line.name;
    let says = |message: String| Fault::at(word.span, message);
    let [text] = line.args.as_slice() else {
        return Err(says("invalid number of parameters".to_owned()));
    };
    if word.value == "*" {
        return Ok((None, text.value.clone()));
    }
    let share = word.value.strip_suffix('%').and_then(hundredths).filter(|share| *share > 0);
    match share {
        Some(share) => Ok((Some(share), text.value.clone())),
        None => Err(says(format!("invalid percent value \"{}\"", word.value))),
    }
}

/// A number with at most two decimals, times a hundred.
fn hundredths(text: &str) -> Option<u32> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let scale = match decimals.len() {
        0 => 100,
        1 => 10,
        2 => 1,
        _ => return None,
    };
    let digits = [whole, decimals].concat();
    let number = value::number(&digits).and_then(|number| u32::try_from(number).ok())?;
    number.checked_mul(scale)
}
