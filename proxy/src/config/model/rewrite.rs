//! What rewrites a request: `set`, `if`, `rewrite`, `break`, `return`, in the order written.

use super::super::source::Spanned;
use super::Settings;

/// One directive of the rewrite module.
#[derive(Debug, Clone)]
pub enum Step {
    /// `set $VARIABLE VALUE;`
    Set {
        /// Without the `$`.
        variable: Spanned<String>,
        /// Variables not yet compiled.
        value: Spanned<String>,
    },
    /// `if (CONDITION) { ... }`
    If {
        /// When.
        condition: Condition,
        /// What happens then.
        steps: Vec<Step>,
        /// What holds then; a server's `if` has no settings of its own.
        settings: Option<Box<Settings>>,
    },
    /// `rewrite PATTERN REPLACEMENT [FLAG];`
    Rewrite {
        /// What the path must match.
        pattern: Spanned<String>,
        /// What takes its place, variables not yet compiled.
        replacement: Spanned<String>,
        /// What happens then.
        flag: RewriteFlag,
    },
    /// `break;`
    Break,
    /// `return CODE [TEXT|URL];` or `return URL;`
    Return(Return),
}

/// The flag of a `rewrite`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RewriteFlag {
    /// None: the next directive follows.
    Next,
    /// `last`: a location is looked for anew.
    Last,
    /// `break`: the location stays.
    Break,
    /// `redirect`, or a replacement that starts with a scheme.
    Redirect,
    /// `permanent`
    Permanent,
}

/// The condition of an `if`.
#[derive(Debug, Clone)]
pub enum Condition {
    /// `$VARIABLE`: it is neither empty nor `0`.
    Holds(Spanned<String>),
    /// `$VARIABLE = VALUE`
    Equals {
        /// The variable, with its `$`.
        variable: Spanned<String>,
        /// Variables not yet compiled.
        value: Spanned<String>,
        /// `!=`
        not: bool,
    },
    /// `$VARIABLE ~ PATTERN`
    Matches {
        /// The variable, with its `$`.
        variable: Spanned<String>,
        /// The pattern.
        pattern: Spanned<String>,
        /// `~*`
        any_case: bool,
        /// `!~`
        not: bool,
    },
    /// `-f PATH` and its like.
    File {
        /// Variables not yet compiled.
        path: Spanned<String>,
        /// What it must be.
        test: FileTest,
        /// `!-f`
        not: bool,
    },
}

/// What an `if` asks of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileTest {
    /// `-f`
    File,
    /// `-d`
    Directory,
    /// `-e`
    Anything,
    /// `-x`
    Executable,
}

/// `return CODE [TEXT|URL];` or `return URL;` (302)
#[derive(Debug, Clone)]
pub struct Return {
    /// The status code; 444 closes without an answer.
    pub code: u16,
    /// The text or the URL, variables not yet compiled.
    pub text: Option<Spanned<String>>,
}
