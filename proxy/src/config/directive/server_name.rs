//! `server_name`

use super::super::inherit::ServerDraft;
use super::super::model::ServerName;
use super::super::parse::{Statement, Word};
use super::super::problem::Fault;
use super::super::source::Spanned;
use super::table::{Arity, Context, Directive, Done, Effect};
use super::walk::Walk;

pub(super) const DIRECTIVES: &[Directive] = &[Directive {
    name: "server_name",
    means: "Exact, `*.wildcard`, `.both`, `wildcard.*` or `~regex` with named groups; chosen by \
            nginx's rules.",
    contexts: &[Context::Server],
    arity: Arity::SOME,
    block: false,
    effect: Effect::Server(server_name),
    example: "server_name example.com *.example.com ~^www\\d+\\.example\\.com$;",
}];

fn server_name(walk: &mut Walk, server: &mut ServerDraft, statement: &Statement) -> Done {
    for word in &statement.args {
        if word.value.contains('/') && !word.value.starts_with('~') {
            let message = format!("server name \"{}\" has suspicious symbols", word.value);
            walk.warn(word.span, message);
        }
        server.names.push(Spanned { value: name(word)?, span: word.span });
    }
    Ok(())
}

fn name(word: &Word) -> Result<ServerName, Fault> {
    let text = word.value.as_str();
    let fault = |message: String| Err(Fault::at(word.span, message));
    if let Some(pattern) = text.strip_prefix('~') {
        if pattern.is_empty() {
            return fault(format!("empty regex in server name \"{text}\""));
        }
        return Ok(ServerName::Regex(pattern.to_owned()));
    }
    if text == "$hostname" {
        return fault("\"$hostname\" in \"server_name\" is not supported by this proxy yet".into());
    }
    let wrong_star = text.starts_with('*') && (text.len() < 3 || !text.starts_with("*."));
    if wrong_star || text == "." {
        return fault(format!("server name \"{text}\" is invalid"));
    }
    let lower = text.to_ascii_lowercase();
    let name = if let Some(tail) = lower.strip_prefix("*.") {
        ServerName::Leading(tail.to_owned())
    } else if let Some(tail) = lower.strip_prefix('.') {
        ServerName::LeadingOrExact(tail.to_owned())
    } else if let Some(head) = lower.strip_suffix(".*") {
        ServerName::Trailing(head.to_owned())
    } else {
        ServerName::Exact(lower.clone())
    };
    if name.text().contains('*') || lower.contains("..") {
        return fault(format!("invalid server name or wildcard \"{text}\""));
    }
    Ok(name)
}
