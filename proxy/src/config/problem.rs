//! What is wrong with a configuration: nginx's words, the place, and a picture of it.

use std::fmt;
use std::sync::Arc;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::source::{Sources, Span};

/// A configuration that cannot be used, and why.
///
/// [`fmt::Display`] gives nginx's one line without its level: `unknown directive "foo" in
/// nginx.conf:12`. [`Problem::render`] draws the line of the file with a caret under the cause.
#[derive(Debug, Clone)]
pub struct Problem {
    fault: Fault,
    sources: Arc<Sources>,
}

impl std::error::Error for Problem {}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.fault.message)?;
        match self.fault.span {
            Some(span) => write!(f, " in {}", self.sources.place(span)),
            None => Ok(()),
        }
    }
}

impl Problem {
    /// A problem at a place, for what only shows when a configuration is made live (a host that
    /// does not resolve, a pattern that does not compile). `message` is without the place;
    /// `sources` are those of the [`Config`](super::Config).
    pub fn new(message: impl Into<String>, span: Span, sources: &Arc<Sources>) -> Self {
        Self { fault: Fault::at(span, message), sources: Arc::clone(sources) }
    }

    /// A problem of the whole configuration: there is no line to show.
    pub fn without_place(message: impl Into<String>) -> Self {
        Self { fault: Fault::nowhere(message), sources: Arc::default() }
    }

    /// A problem of the machine, such as a file that can't be opened: the configuration's syntax
    /// is good.
    pub fn beyond_syntax(message: impl Into<String>) -> Self {
        Self { fault: Fault::beyond_syntax(message), sources: Arc::default() }
    }

    /// The message alone, without its place.
    pub fn message(&self) -> &str {
        &self.fault.message
    }

    /// Whether the syntax is good all the same: `-t` then says so first, as nginx does.
    pub fn is_beyond_syntax(&self) -> bool {
        self.fault.beyond_syntax
    }

    /// The place, when there is one.
    pub fn span(&self) -> Option<Span> {
        self.fault.span
    }

    /// The line of the file with a caret under the cause, in plain text; several lines, no line
    /// end after the last. Empty when the problem has no place.
    pub fn render(&self) -> String {
        self.draw(&Renderer::plain())
    }

    /// As [`Problem::render`], in a terminal's colours.
    pub fn render_coloured(&self) -> String {
        self.draw(&Renderer::styled())
    }

    pub(super) fn from_fault(fault: Fault, sources: Arc<Sources>) -> Self {
        Self { fault, sources }
    }

    fn draw(&self, renderer: &Renderer) -> String {
        let Some(span) = self.fault.span else { return String::new() };
        let Some(file) = self.sources.files.get(span.file) else { return String::new() };
        let shown = Excerpt::around(&file.text, span);
        let snippet = Snippet::source(shown.text)
            .path(file.path.display().to_string())
            .line_start(shown.line)
            .annotation(AnnotationKind::Primary.span(shown.start..shown.end));
        let group = Group::with_level(Level::ERROR).element(snippet);
        renderer.clone().decor_style(DecorStyle::Ascii).render(&[group])
    }
}

/// The lines that a span touches, as text that can be drawn.
struct Excerpt {
    text: String,
    line: usize,
    start: usize,
    end: usize,
}

/// No more than this much of a line is drawn before and after the place, in bytes.
const MARGIN: usize = 200;

impl Excerpt {
    fn around(text: &[u8], span: Span) -> Self {
        let start = span.start.min(text.len());
        let end = span.end.clamp(start, text.len());
        let (before, rest) = text.split_at(start);
        let (inside, after) = rest.split_at(end - start);
        // Only the first line of a cause that runs over several is drawn.
        let inside = inside.split(|b| *b == b'\n').next().unwrap_or_default();
        let line = 1 + before.iter().filter(|b| **b == b'\n').count();
        let before = before.rsplit(|b| *b == b'\n').next().unwrap_or_default();
        let before = before.get(before.len().saturating_sub(MARGIN)..).unwrap_or_default();
        let after = after.split(|b| *b == b'\n').next().unwrap_or_default();
        let after = after.get(..MARGIN).unwrap_or(after);

        let mut shown = printable(before);
        let start = shown.len();
        shown.push_str(&printable(inside));
        let end = shown.len();
        shown.push_str(&printable(after));
        if start == end {
            shown.push(' '); // something to point at where a text just ends
        }
        Self { text: shown, line, start, end: end.max(start + 1) }
    }
}

/// Text for a terminal: what is not UTF-8 is replaced, control characters become spaces.
fn printable(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.trim_start_matches('\u{feff}')
        .chars()
        .map(|c| if c.is_control() && c != '\t' { ' ' } else { c })
        .collect()
}

/// A problem while the texts are still being collected: what and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) message: String,
    pub(super) span: Option<Span>,
    /// Whether nginx finds it only when all is read.
    pub(super) beyond_syntax: bool,
}

impl Fault {
    pub(super) fn at(span: Span, message: impl Into<String>) -> Self {
        Self { message: message.into(), span: Some(span), beyond_syntax: false }
    }

    pub(super) fn nowhere(message: impl Into<String>) -> Self {
        Self { message: message.into(), span: None, beyond_syntax: false }
    }

    pub(super) fn beyond_syntax(message: impl Into<String>) -> Self {
        Self { message: message.into(), span: None, beyond_syntax: true }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Loader;

    /// nginx's line and the picture of it, as the command line prints them.
    fn shown(text: &[u8]) -> String {
        let problem = Loader::new().load_text("nginx.conf", text).unwrap_err();
        format!("[emerg] {problem}\n{}\n", problem.render())
    }

    #[test]
    fn the_caret_stands_under_the_cause() {
        let http = |text: &str| format!("events {{}}\nhttp {{\n{text}\n}}\n").into_bytes();
        let location = |text: &str| http(&format!("server {{ location / {{ {text} }} }}"));
        let texts = [
            b"events {}\nfoo bar;\n".to_vec(),
            b"events {}\nhttp {\n".to_vec(),
            b"events {}\npid x".to_vec(),
            b"events {}\npid \"x;\n\n".to_vec(),
            b"events {}\npid \"x\"y;\n".to_vec(),
            b"events {}\r\n\tpid\ta\tb;\r\n".to_vec(),
            b"http {}\n".to_vec(),
            b"\xef\xbb\xbffoo; # \xff\n".to_vec(),
            http("    gzip on;"),
            http("    server { listen 127.0.0.1:http; }"),
            http(
                "    server {\n        listen 81\n            backlog=5\n            fast;\n    }",
            ),
            http("    upstream websocket {\n        least_conn;\n    }"),
            http("    upstream u { server unix:a.sock wieght=2; }"),
            location("proxy_read_timeout soon;"),
            location("proxy_pass websocket;"),
            location("proxy_pass http://a; proxy_pass http://b;"),
            location("proxy_http_version '1.2';"),
            location("return 20x;"),
            http("    log_format a '\u{e9}\u{4f60}' escape=x; log_format a b;"),
            http("    map $uri $x {\n        a 1;\n        a 2;\n    }"),
        ];
        let shown: Vec<_> = texts.iter().map(|text| shown(text)).collect();
        insta::assert_snapshot!(shown.join("\n"));
    }

    #[test]
    fn a_long_line_is_shown_in_part() {
        let comment = "x ".repeat(5000);
        let text = format!("events {{}} # {comment}\n{}foo;{comment}", " ".repeat(5000));
        let shown = shown(text.as_bytes());
        assert!(shown.contains("foo;") && shown.len() < 1000, "{shown}");
    }

    #[test]
    fn a_late_problem_looks_like_an_early_one() {
        let text = "events {}\nhttp {\n    upstream u { server nowhere; }\n}\n";
        let config = Loader::new().load_text("nginx.conf", text).unwrap();
        let address = &config.http.as_ref().unwrap().upstreams[0].servers[0].address;
        let message = "host not found in upstream \"nowhere\"";
        let problem = Problem::new(message, address.span, &config.sources);
        assert_eq!(problem.to_string(), format!("{message} in nginx.conf:3"));
        assert!(problem.render().contains("^^^^^^^"), "{}", problem.render());
    }
}
