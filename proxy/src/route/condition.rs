//! What an `if` asks.

use super::regex::{MatchError, Regex};
use super::script::Subject;
use super::template::Template;

/// The condition of an `if`, compiled.
#[derive(Debug, Clone)]
pub enum Condition {
    /// The text is neither empty nor `0`.
    Holds(Template),
    /// Two texts are the same; or not.
    Equals(Template, Template, bool),
    /// A pattern matches a text; or not.
    Matches(Template, Regex, bool),
    /// A path is something; or not.
    File(Template, FileTest, bool),
}

/// What is asked of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileTest {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// There at all.
    Anything,
    /// A file that may be run.
    Executable,
}

impl Condition {
    /// Whether it holds.
    pub(super) fn holds<P>(&self, subject: &impl Subject<P>) -> Result<bool, MatchError> {
        let text = |template: &Template| {
            let mut text = Vec::new();
            template.render(subject, &mut text);
            text
        };
        Ok(match self {
            Self::Holds(template) => !matches!(text(template).as_slice(), b"" | b"0"),
            Self::Equals(one, other, equal) => (text(one) == text(other)) == *equal,
            Self::Matches(template, regex, matching) => {
                let text = text(template);
                let found = regex.captures(&text)?;
                let matched = found.is_some();
                if subject.listens() {
                    let (pattern, text) = (regex.as_str(), text.escape_ascii());
                    let word = if matched { "matches" } else { "does not match" };
                    subject.tell(format_args!("\"{pattern}\" {word} \"{text}\""));
                }
                if let Some(captures) = found {
                    subject.captured(captures);
                }
                matched == *matching
            }
            Self::File(path, test, is) => subject.is(&text(path), *test) == *is,
        })
    }
}
