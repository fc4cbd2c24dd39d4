//! Tokens into a tree of statements. What a statement means is `directive`'s business.
//!
//! nginx applies each directive as it reads it, so the first mistake in the file is the one that
//! it reports, whichever kind it is. A tree therefore keeps what stands before a mistake in its
//! form, and the mistake itself at the end of the block that it ends.

use super::lex::{Lexer, Token, UNFINISHED};
use super::problem::Fault;
use super::source::{Span, Spanned};

/// Blocks inside blocks, at most: far more than sense allows, far less than the stack does.
const DEEPEST: usize = 100;

/// A word of a statement.
pub(super) type Word = Spanned<String>;

/// The statements of a file or between `{` and `}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) statements: Vec<Statement>,
    /// The `}`, or the end of the file.
    pub(super) end: Span,
    /// Why reading stopped here, if it did not reach the end.
    pub(super) fault: Option<Fault>,
}

/// `NAME ARGUMENT...;` or `NAME ARGUMENT... { ... }`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Statement {
    pub(super) name: Word,
    pub(super) args: Vec<Word>,
    pub(super) body: Option<Block>,
}

impl Statement {
    /// The argument at `position`, from 0. Arity was checked before a directive asks; the name
    /// stands in for what is not there.
    pub(super) fn arg(&self, position: usize) -> &Word {
        self.args.get(position).unwrap_or(&self.name)
    }

    /// nginx's `"NAME" directive SAYS`.
    pub(super) fn says(&self, says: &str) -> Fault {
        Fault::at(self.name.span, format!("\"{}\" directive {says}", self.name.value))
    }
}

/// Parses the text that is number `file` of the sources.
pub(super) fn parse(text: &[u8], file: usize) -> Block {
    Parser { lexer: Lexer::new(text, file) }.block(0)
}

struct Parser<'a> {
    lexer: Lexer<'a>,
}

/// How a statement ended, or what came in its place.
enum Step {
    Simple(Statement),
    Opened(Statement),
    Closed(Span),
    End(Span),
}

impl Parser<'_> {
    fn block(&mut self, depth: usize) -> Block {
        let nowhere = Span { file: 0, line: 1, start: 0, end: 0 };
        let mut block = Block { statements: Vec::new(), end: nowhere, fault: None };
        while block.fault.is_none() {
            match self.step() {
                Ok(Step::Simple(statement)) => block.statements.push(statement),
                Ok(Step::Opened(mut statement)) => {
                    let body = if depth < DEEPEST {
                        self.block(depth + 1)
                    } else {
                        let fault = Fault::at(statement.name.span, "blocks are nested too deep");
                        Block { statements: Vec::new(), end: nowhere, fault: Some(fault) }
                    };
                    block.fault.clone_from(&body.fault);
                    statement.body = Some(body);
                    block.statements.push(statement);
                }
                Ok(Step::Closed(end)) => {
                    block.end = end;
                    if depth == 0 {
                        block.fault = Some(Fault::at(end, "unexpected \"}\""));
                    }
                    return block;
                }
                Ok(Step::End(end)) => {
                    block.end = end;
                    if depth > 0 {
                        let message = "unexpected end of file, expecting \"}\"";
                        block.fault = Some(Fault::at(end, message));
                    }
                    return block;
                }
                Err(fault) => block.fault = Some(fault),
            }
        }
        block
    }

    fn step(&mut self) -> Result<Step, Fault> {
        let (name, span) = match self.lexer.next()? {
            (Token::Word(name), span) => (name, span),
            (Token::Semicolon, span) => return Err(Fault::at(span, "unexpected \";\"")),
            (Token::Open, span) => return Err(Fault::at(span, "unexpected \"{\"")),
            (Token::Close, span) => return Ok(Step::Closed(span)),
            (Token::End, span) => return Ok(Step::End(span)),
        };
        let name = Spanned { value: name, span };
        let mut statement = Statement { name, args: Vec::new(), body: None };
        loop {
            match self.lexer.next()? {
                (Token::Word(value), span) => statement.args.push(Spanned { value, span }),
                (Token::Semicolon, span) => {
                    return Ok(Step::Simple(at_line(statement, span.line)));
                }
                (Token::Open, span) => return Ok(Step::Opened(at_line(statement, span.line))),
                (Token::Close, span) => return Err(Fault::at(span, "unexpected \"}\"")),
                (Token::End, span) => return Err(Fault::at(span, UNFINISHED)),
            }
        }
    }
}

/// nginx names the line of a directive's end.
fn at_line(mut statement: Statement, line: u32) -> Statement {
    statement.name.span.line = line;
    for word in &mut statement.args {
        word.span.line = line;
    }
    statement
}

/// A word as it may be written in a file, in quotes if it needs them.
pub(super) fn quote(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:$=~^*,@+%[]".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
