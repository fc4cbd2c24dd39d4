//! `map`

use super::super::inherit::HttpDraft;
use super::super::model::{Map, MapEntry};
use super::super::parse::{Block, Statement, Word};
use super::super::problem::Fault;
use super::super::source::Spanned;
use super::table::{Arity, Context, Directive, Done, Effect};
use super::walk::Walk;

pub(super) const DIRECTIVES: &[Directive] = &[Directive {
    name: "map",
    means: "A variable that depends on others; `default`, `hostnames`, `volatile`, `include`, `~` \
            and `~*` patterns.",
    contexts: &[Context::Http],
    arity: Arity::TWO,
    block: true,
    effect: Effect::Http(map),
    example: "map $http_upgrade $connection_upgrade { default upgrade; '' close; }",
}];

fn map(walk: &mut Walk, http: &mut HttpDraft, statement: &Statement) -> Done {
    let name = statement.arg(1);
    let Some(variable) = name.value.strip_prefix('$').filter(|name| !name.is_empty()) else {
        let message = format!("invalid variable name \"{}\"", name.value);
        return Err(Fault::at(name.span, message));
    };
    let mut draft = Draft::default();
    if let Some(body) = &statement.body {
        draft.block(walk, body)?;
    }
    http.maps.push(Map {
        source: statement.arg(0).clone(),
        variable: Spanned { value: variable.to_owned(), span: name.span },
        default: draft.default.unwrap_or(Spanned { value: String::new(), span: name.span }),
        hostnames: draft.hostnames,
        volatile: draft.volatile,
        entries: draft.entries,
    });
    Ok(())
}

#[derive(Default)]
struct Draft {
    default: Option<Word>,
    hostnames: bool,
    volatile: bool,
    entries: Vec<MapEntry>,
}

impl Draft {
    fn block(&mut self, walk: &mut Walk, block: &Block) -> Done {
        for statement in &block.statements {
            self.line(walk, statement)?;
        }
        block.fault.clone().map_or(Ok(()), Err)
    }

    fn line(&mut self, walk: &mut Walk, statement: &Statement) -> Done {
        let key = &statement.name;
        if statement.body.is_some() {
            return Err(Fault::at(key.span, "unexpected \"{\""));
        }
        match (key.value.as_str(), statement.args.as_slice()) {
            ("hostnames", []) => self.hostnames = true,
            ("volatile", []) => self.volatile = true,
            ("include", [file]) => {
                return walk.include(file, |walk, block| self.block(walk, block));
            }
            ("default", [value]) => {
                if self.default.is_some() {
                    return Err(Fault::at(key.span, "duplicate default map parameter"));
                }
                self.default = Some(value.clone());
            }
            (_, [value]) => self.entry(key, value)?,
            _ => return Err(Fault::at(key.span, "invalid number of the map parameters")),
        }
        Ok(())
    }

    fn entry(&mut self, key: &Word, value: &Word) -> Done {
        // A leading backslash makes `default`, `hostnames` and the like plain text.
        let text = key.value.strip_prefix('\\').unwrap_or(&key.value);
        let regex = text.len() == key.value.len() && text.starts_with('~');
        let text = if regex { text.to_owned() } else { text.to_ascii_lowercase() };
        if self.hostnames && !regex && !is_hostname(&text) {
            let message = format!("invalid hostname or wildcard \"{text}\"");
            return Err(Fault::at(key.span, message));
        }
        if !regex && self.entries.iter().any(|entry| entry.key.value == text) {
            return Err(Fault::at(key.span, format!("conflicting parameter \"{text}\"")));
        }
        let key = Spanned { value: text, span: key.span };
        self.entries.push(MapEntry { key, value: value.clone() });
        Ok(())
    }
}

/// A name, `*.name`, `.name` or `name.*`.
fn is_hostname(text: &str) -> bool {
    let middle = text.strip_prefix("*.").or_else(|| text.strip_suffix(".*")).unwrap_or(text);
    !middle.contains('*') && !text.contains("..")
}
