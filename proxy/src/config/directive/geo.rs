//! `geo`

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use super::super::inherit::HttpDraft;
use super::super::model::Geo;
use super::super::parse::{Block, Statement, Word};
use super::super::problem::Fault;
use super::super::source::Spanned;
use super::limits::{masked, network};
use super::table::{Arity, Context, Directive, Done, Effect};
use super::walk::Walk;

pub(super) const DIRECTIVES: &[Directive] = &[Directive {
    name: "geo",
    means: "A variable that depends on the client's address, or on another one: networks, of which the \
            smallest counts, or `ranges`; `default`, `delete`, `include`, `volatile`. Not yet: `proxy`, \
            `proxy_recursive`; `set_real_ip_from` says who a client is behind another proxy.",
    contexts: &[Context::Http],
    arity: Arity(1, 2),
    block: true,
    effect: Effect::Http(geo),
    example: "geo $office { default 0; 192.168.0.0/16 1; }",
}];

fn geo(walk: &mut Walk, http: &mut HttpDraft, statement: &Statement) -> Done {
    let name = statement.args.last().unwrap_or(statement.arg(0));
    let variable = |word: &Word| {
        let name = word.value.strip_prefix('$').filter(|name| !name.is_empty());
        let message = format!("invalid variable name \"{}\"", word.value);
        name.map(str::to_owned).ok_or_else(|| Fault::at(word.span, message))
    };
    let source = (statement.args.len() == 2).then(|| statement.arg(0).clone());
    if let Some(source) = &source {
        variable(source)?;
    }
    let mut draft = Draft::default();
    let variable = Spanned { value: variable(name)?, span: name.span };
    if let Some(body) = &statement.body {
        draft.block(walk, body)?;
    }
    http.geos.push(Geo {
        source,
        variable,
        volatile: draft.volatile,
        default: draft.default.unwrap_or_default(),
        nets: draft.nets.into_iter().map(|((ip, bits), value)| (ip, bits, value)).collect(),
        ranges: draft.ranges.into_iter().map(|(from, (to, value))| (from, to, value)).collect(),
    });
    Ok(())
}

#[derive(Default)]
struct Draft {
    by_range: bool,
    volatile: bool,
    default: Option<String>,
    nets: BTreeMap<(IpAddr, u8), String>,
    /// By the first address: none have an address in common.
    ranges: BTreeMap<Ipv4Addr, (Ipv4Addr, String)>,
}

impl Draft {
    fn block(&mut self, walk: &mut Walk, block: &Block) -> Done {
        for line in &block.statements {
            self.line(walk, line)?;
        }
        block.fault.clone().map_or(Ok(()), Err)
    }

    fn line(&mut self, walk: &mut Walk, line: &Statement) -> Done {
        let key = &line.name;
        let says = |message: String| Err(Fault::at(key.span, message));
        if line.body.is_some() {
            return says("unexpected \"{\"".to_owned());
        }
        match (key.value.as_str(), line.args.as_slice()) {
            ("ranges", []) if self.nets.is_empty() => self.by_range = true,
            ("ranges", []) => {
                return says(
                    "the \"ranges\" directive must be the first directive inside \"geo\" block"
                        .to_owned(),
                );
            }
            ("volatile", []) => self.volatile = true,
            ("proxy_recursive", []) | ("proxy", [_]) => {
                return says(format!(
                    "\"{}\" in \"geo\" is not supported by this proxy yet",
                    key.value
                ));
            }
            ("include", [file]) => {
                return walk.include(file, |walk, block| self.block(walk, block));
            }
            ("default", [value]) => self.set_default(walk, key, &value.value),
            ("delete", [which]) if self.by_range => {
                let (from, to) = range(which)?;
                if self.ranges.get(&from).is_none_or(|(end, _)| *end != to) {
                    let message = format!("no address range \"{}\" to delete", which.value);
                    walk.warn(which.span, message);
                } else {
                    self.ranges.remove(&from);
                }
            }
            ("delete", [which]) => {
                if self.nets.remove(&self::net(walk, which)?).is_none() {
                    walk.warn(which.span, format!("no network \"{}\" to delete", which.value));
                }
            }
            (_, [value]) if self.by_range => self.range(walk, key, &value.value)?,
            (_, [value]) => {
                let net = self::net(walk, key)?;
                if let Some(old) = self.nets.insert(net, value.value.clone()) {
                    duplicate(walk, "network", key, &value.value, &old);
                }
            }
            _ => return says("invalid number of the geo parameters".to_owned()),
        }
        Ok(())
    }

    fn set_default(&mut self, walk: &mut Walk, key: &Word, value: &str) {
        match self.default.replace(value.to_owned()) {
            None => {}
            Some(old) if self.by_range => {
                let message =
                    format!("duplicate default geo range value: \"{value}\", old value: \"{old}\"");
                walk.warn(key.span, message);
            }
            Some(old) => duplicate(walk, "network", key, value, &old),
        }
    }

    /// Adds a range, which may be one that is there, or a part of one.
    fn range(&mut self, walk: &mut Walk, key: &Word, value: &str) -> Done {
        let (from, to) = range(key)?;
        let Some((start, end, old)) = self.last_before(to).filter(|(_, end, _)| *end >= from)
        else {
            self.ranges.insert(from, (to, value.to_owned()));
            return Ok(());
        };
        if from < start || end < to {
            let message = format!("range \"{}\" overlaps \"{start}-{end}\"", key.value);
            return Err(Fault::at(key.span, message));
        }
        if (start, end) == (from, to) {
            duplicate(walk, "range", key, value, &old);
        }
        self.ranges.remove(&start);
        if start < from {
            let before = Ipv4Addr::from(u32::from(from).saturating_sub(1));
            self.ranges.insert(start, (before, old.clone()));
        }
        if to < end {
            let behind = Ipv4Addr::from(u32::from(to).saturating_add(1));
            self.ranges.insert(behind, (end, old));
        }
        self.ranges.insert(from, (to, value.to_owned()));
        Ok(())
    }

    /// The last range that begins before this address, or at it.
    fn last_before(&self, ip: Ipv4Addr) -> Option<(Ipv4Addr, Ipv4Addr, String)> {
        let (start, (end, value)) = self.ranges.range(..=ip).next_back()?;
        Some((*start, *end, value.clone()))
    }
}

fn duplicate(walk: &mut Walk, what: &str, key: &Word, value: &str, old: &str) {
    let text = &key.value;
    let message = format!("duplicate {what} \"{text}\", value: \"{value}\", old value: \"{old}\"");
    walk.warn(key.span, message);
}

fn net(walk: &mut Walk, word: &Word) -> Result<(IpAddr, u8), Fault> {
    let Some((ip, bits)) = network(&word.value) else {
        return Err(Fault::at(word.span, format!("invalid network \"{}\"", word.value)));
    };
    let kept = masked(ip, bits);
    if kept != ip {
        walk.warn(word.span, format!("low address bits of {} are meaningless", word.value));
    }
    Ok((kept, bits))
}

fn range(word: &Word) -> Result<(Ipv4Addr, Ipv4Addr), Fault> {
    let parsed = word.value.split_once('-').and_then(|(from, to)| {
        let (from, to) = (from.parse::<Ipv4Addr>().ok()?, to.parse::<Ipv4Addr>().ok()?);
        (from <= to).then_some((from, to))
    });
    parsed.ok_or_else(|| Fault::at(word.span, format!("invalid range \"{}\"", word.value)))
}
