//! Tokens into a tree of statements. What a statement means is `directive`'s business.
//!
//! nginx applies each directive as it reads it, so the first mistake in the file is the one that
//! it reports, whichever kind it is. A tree therefore keeps what stands before a mistake in its
//! form, and the mistake itself at the end of the block that it ends.

use super::lex::{Lexer, Token, UNFINISHED};
use super::problem::Fault;
use super::source::{Span, Spanned};

/// nginx's words for a text that stops inside a block.
const UNCLOSED: &str = "unexpected end of file, expecting \"}\"";

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
                        self.body(&statement, depth + 1)
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
                        block.fault = Some(Fault::at(end, UNCLOSED));
                    }
                    return block;
                }
                Err(fault) => block.fault = Some(fault),
            }
        }
        block
    }

    /// The block that a statement opened. One that is never closed is nginx's error in the last
    /// line, but the place to look at is where it opens.
    fn body(&mut self, statement: &Statement, depth: usize) -> Block {
        let mut body = self.block(depth);
        if let Some(Fault { message, span: Some(span), .. }) = &mut body.fault
            && message == UNCLOSED
            && span.start == span.end
        {
            *span = Span { line: span.line, ..statement.name.span };
        }
        body
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A statement as texts: what it is, without where it stands.
    #[derive(Debug, Clone, PartialEq)]
    struct Plain {
        words: Vec<String>,
        body: Option<Vec<Plain>>,
    }

    fn plain(block: &Block) -> Vec<Plain> {
        let one = |statement: &Statement| {
            let words = std::iter::once(&statement.name).chain(&statement.args);
            Plain {
                words: words.map(|word| word.value.clone()).collect(),
                body: statement.body.as_ref().map(plain),
            }
        };
        block.statements.iter().map(one).collect()
    }

    fn print(statements: &[Plain], out: &mut String) {
        for statement in statements {
            let words: Vec<_> = statement.words.iter().map(|word| quote(word)).collect();
            out.push_str(&words.join(" "));
            match &statement.body {
                None => out.push_str(";\n"),
                Some(body) => {
                    out.push_str(" {\n");
                    print(body, out);
                    out.push_str("}\n");
                }
            }
        }
    }

    fn statements() -> impl Strategy<Value = Vec<Plain>> {
        let word =
            prop_oneof!["[a-z_]{1,8}", "[ -~]{0,12}", "\\PC{0,8}", "[a${}\\\\\"';# \t\r\n]{0,8}"];
        let words = prop::collection::vec(word, 1..4);
        let leaf = words.clone().prop_map(|words| Plain { words, body: None });
        let statement = leaf.prop_recursive(4, 24, 4, move |inner| {
            let body = prop::option::of(prop::collection::vec(inner, 0..4));
            (words.clone(), body).prop_map(|(words, body)| Plain { words, body })
        });
        prop::collection::vec(statement, 0..5)
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(tree in statements()) {
            let mut text = String::new();
            print(&tree, &mut text);
            let block = parse(text.as_bytes(), 0);
            prop_assert_eq!(&block.fault, &None, "{}", text);
            prop_assert_eq!(plain(&block), tree);
        }

        #[test]
        fn any_bytes_are_a_tree(text: Vec<u8>) {
            let _ = parse(&text, 0);
        }

        #[test]
        fn any_text_is_a_tree(text in "([a-z]{1,3}|[ ;{}\"'#\\\\\n$]){0,40}") {
            let _ = parse(text.as_bytes(), 0);
        }
    }

    #[test]
    fn what_stands_before_a_mistake_is_kept() {
        let block = parse(b"a 1;\nb {\n  c 2;\n  ;\n}\nd;", 0);
        let fault = block.fault.clone().unwrap();
        assert_eq!(fault.message, "unexpected \";\"");
        assert_eq!(fault.span.unwrap().line, 4);
        let names: Vec<_> = block.statements.iter().map(|s| s.name.value.as_str()).collect();
        assert_eq!(names, ["a", "b"]);
        let inner = block.statements[1].body.as_ref().unwrap();
        assert_eq!(inner.statements[0].name.value, "c");
    }

    #[test]
    fn a_statement_has_the_line_of_its_end() {
        let block = parse(b"\na\n b\n  ;\nc\n{\n}", 0);
        let lines: Vec<_> = block.statements.iter().map(|s| s.name.span.line).collect();
        assert_eq!(lines, [4, 6]);
    }

    #[test]
    fn depth_has_an_end() {
        let text = "a {".repeat(100_000);
        assert_eq!(parse(text.as_bytes(), 0).fault.unwrap().message, "blocks are nested too deep");
    }
}
