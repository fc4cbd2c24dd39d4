//! Bytes into tokens, by nginx's rules: words, `;`, `{`, `}`; comments and blanks fall away.

use super::problem::Fault;
use super::source::Span;

/// nginx reads a word through a buffer of 4096 bytes and refuses one that does not fit.
const LONGEST_WORD: usize = 4095;

/// What a text is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A word, its quotes taken off and its escapes resolved.
    Word(String),
    /// `;`
    Semicolon,
    /// `{`
    Open,
    /// `}`
    Close,
    /// The text is over.
    End,
}

/// Reads one text from its beginning to its end.
pub(super) struct Lexer<'a> {
    text: &'a [u8],
    file: usize,
    at: usize,
    line: u32,
    after_quote: bool,
}

impl<'a> Lexer<'a> {
    /// A lexer for the text that is number `file` of the sources. A byte order mark is skipped.
    pub(super) fn new(text: &'a [u8], file: usize) -> Self {
        let at = if text.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        Self { text, file, at, line: 1, after_quote: false }
    }

    /// The next token and its place; the line is that of the token's last byte.
    pub(super) fn next(&mut self) -> Result<(Token, Span), Fault> {
        if self.after_quote {
            self.after_quote = false;
            self.check_after_quote()?;
        }
        self.skip_blanks();
        let start = self.at;
        let token = match self.peek() {
            None => return Ok((Token::End, self.span(start))),
            Some(b';') => Token::Semicolon,
            Some(b'{') => Token::Open,
            Some(b'}') => Token::Close,
            Some(quote @ (b'"' | b'\'')) => return self.quoted_word(quote),
            Some(_) => return self.bare_word(),
        };
        self.bump();
        Ok((token, self.span(start)))
    }

    /// A place that starts at `start` and ends where the lexer stands.
    fn span(&self, start: usize) -> Span {
        Span { file: self.file, line: self.line, start, end: self.at }
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn bump(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        if byte == b'\n' {
            self.line = self.line.saturating_add(1);
        }
        Some(byte)
    }

    fn skip_blanks(&mut self) {
        while let Some(byte) = self.peek() {
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' => {
                    self.bump();
                }
                b'#' => {
                    while self.peek().is_some_and(|b| b != b'\n') {
                        self.bump();
                    }
                }
                _ => return,
            }
        }
    }

    /// After a closing quote nginx wants a blank, `;`, `{` or `)`.
    fn check_after_quote(&self) -> Result<(), Fault> {
        match self.peek() {
            None | Some(b' ' | b'\t' | b'\r' | b'\n' | b';' | b'{' | b')') => Ok(()),
            Some(byte) => {
                let place =
                    Span { file: self.file, line: self.line, start: self.at, end: self.at + 1 };
                let shown = String::from_utf8_lossy(self.text.get(self.at..).unwrap_or_default());
                let shown = shown.chars().next().unwrap_or(char::from(byte));
                Err(Fault::at(place, format!("unexpected \"{shown}\"")))
            }
        }
    }

    fn bare_word(&mut self) -> Result<(Token, Span), Fault> {
        let (start, line) = (self.at, self.line);
        let mut after_dollar = false;
        loop {
            let Some(byte) = self.peek() else { return Err(self.unfinished(start)) };
            let variable = std::mem::replace(&mut after_dollar, byte == b'$');
            match byte {
                b'{' if variable => {}
                b' ' | b'\t' | b'\r' | b'\n' | b';' | b'{' => break,
                b'\\' => {
                    self.bump();
                    if self.peek().is_none() {
                        return Err(self.unfinished(start));
                    }
                }
                _ => {}
            }
            self.bump();
            if self.at - start > LONGEST_WORD {
                let first = self.text.get(start..start + 10).unwrap_or_default();
                let first = String::from_utf8_lossy(first);
                let place = Span { file: self.file, line, start, end: self.at };
                return Err(Fault::at(place, format!("too long parameter \"{first}...\" started")));
            }
        }
        self.word(start, self.at, self.span(start))
    }

    fn quoted_word(&mut self, quote: u8) -> Result<(Token, Span), Fault> {
        let (open, line) = (self.at, self.line);
        self.bump();
        let start = self.at;
        loop {
            match self.bump() {
                None => return Err(self.unfinished(open)),
                Some(byte) if byte == quote => break,
                Some(b'\\') => {
                    self.bump();
                }
                Some(_) => {}
            }
            if self.at - start > LONGEST_WORD {
                let quote = char::from(quote);
                let place = Span { file: self.file, line, start: open, end: open + 1 };
                return Err(Fault::at(
                    place,
                    format!(
                        "too long parameter, probably missing terminating \"{quote}\" character"
                    ),
                ));
            }
        }
        self.after_quote = true;
        self.word(start, self.at - 1, self.span(open))
    }

    fn word(&self, start: usize, end: usize, span: Span) -> Result<(Token, Span), Fault> {
        let raw = self.text.get(start..end).unwrap_or_default();
        match String::from_utf8(unescape(raw)) {
            Ok(text) => Ok((Token::Word(text), span)),
            Err(_) => Err(Fault::at(span, "a parameter is not valid UTF-8")),
        }
    }

    fn unfinished(&self, start: usize) -> Fault {
        Fault::at(self.span(start), UNFINISHED)
    }
}

/// nginx's words for a text that stops inside a directive.
pub(super) const UNFINISHED: &str = "unexpected end of file, expecting \";\" or \"}\"";

/// Resolves `\"`, `\'`, `\\`, `\t`, `\r` and `\n`; a backslash before anything else stays.
fn unescape(raw: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(raw.len());
    let mut bytes = raw.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        let resolved = match (byte, bytes.peek()) {
            (b'\\', Some(b't')) => Some(b'\t'),
            (b'\\', Some(b'r')) => Some(b'\r'),
            (b'\\', Some(b'n')) => Some(b'\n'),
            (b'\\', Some(&next @ (b'"' | b'\'' | b'\\'))) => Some(next),
            _ => None,
        };
        if resolved.is_some() {
            bytes.next();
        }
        out.push(resolved.unwrap_or(byte));
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tokens(text: &[u8]) -> Result<Vec<Token>, String> {
        let mut lexer = Lexer::new(text, 0);
        let mut tokens = Vec::new();
        loop {
            match lexer.next() {
                Ok((Token::End, _)) => return Ok(tokens),
                Ok((token, _)) => tokens.push(token),
                Err(fault) => return Err(fault.message),
            }
        }
    }

    /// The one word that a text is.
    fn word(text: &str) -> String {
        match tokens(format!("{text};").as_bytes()).unwrap().as_slice() {
            [Token::Word(word), Token::Semicolon] => word.clone(),
            other => panic!("{text} is {other:?}"),
        }
    }

    #[test]
    fn words_end_where_nginx_ends_them() {
        // Each pair was compared with what nginx answers to `return 200 WORD;`.
        for (written, read) in [
            ("plain", "plain"),
            ("\"two words\"", "two words"),
            ("'two words'", "two words"),
            ("''", ""),
            ("a\"b", "a\"b"),
            ("a'b", "a'b"),
            ("a}", "a}"),
            ("a#b", "a#b"),
            (")", ")"),
            ("\"a\nb\"", "a\nb"),
            ("\"x{y}z;#\"", "x{y}z;#"),
            ("${name}tail", "${name}tail"),
            ("a${name}", "a${name}"),
            ("é", "é"),
        ] {
            assert_eq!(word(written), read);
        }
    }

    #[test]
    fn escapes_are_resolved_or_stay_as_in_nginx() {
        for (written, read) in [
            (r#""\t\n\r\"\'\\x""#, "\t\n\r\"'\\x"),
            (r#"\"a\""#, "\"a\""),
            (r"\'", "'"),
            (r"a\\b", r"a\b"),
            (r"a\tb", "a\tb"),
            (r"a\ b", r"a\ b"),
            (r"a\;b", r"a\;b"),
            (r"x\{y", r"x\{y"),
            (r"\#a", r"\#a"),
            (r"~^www\d+\.example$", r"~^www\d+\.example$"),
            (r"'a\'b'", "a'b"),
        ] {
            assert_eq!(word(written), read, "{written}");
        }
    }

    #[test]
    fn comments_and_blanks_separate_and_are_gone() {
        let text = b"\xef\xbb\xbfa # comment; { \"\r\n\tb;# end\xff";
        let word = |text: &str| Token::Word(text.to_owned());
        assert_eq!(tokens(text).unwrap(), [word("a"), word("b"), Token::Semicolon]);
    }

    #[test]
    fn a_parenthesis_may_follow_a_quote() {
        let word = |text: &str| Token::Word(text.to_owned());
        assert_eq!(tokens(b"\"a\") ").unwrap(), [word("a"), word(")")]);
    }

    #[test]
    fn a_brace_after_a_dollar_opens_no_block() {
        assert_eq!(tokens(b"a ${b} {").unwrap().len(), 3);
        assert_eq!(tokens(b"a $b{").unwrap().len(), 3);
    }

    #[test]
    fn a_word_has_a_longest_length() {
        let text = |length: usize, quote: &str| {
            format!("{quote}{}{quote};", "x".repeat(length)).into_bytes()
        };
        assert!(tokens(&text(LONGEST_WORD, "")).is_ok());
        let bare = tokens(&text(LONGEST_WORD + 1, "")).unwrap_err();
        assert_eq!(bare, "too long parameter \"xxxxxxxxxx...\" started");
        let quoted = tokens(&text(LONGEST_WORD + 1, "'")).unwrap_err();
        assert_eq!(quoted, "too long parameter, probably missing terminating \"'\" character");
    }

    #[test]
    fn a_word_is_text() {
        assert_eq!(tokens(b"a \xff\xfe;").unwrap_err(), "a parameter is not valid UTF-8");
        assert_eq!(tokens(b"'a'\xc3\xa9;").unwrap_err(), "unexpected \"é\"");
    }

    proptest! {
        #[test]
        fn any_bytes_end_in_tokens_or_one_fault(text: Vec<u8>) {
            let _ = tokens(&text);
        }

        #[test]
        fn tokens_stand_where_they_say(text in "[a-z{};\"'#$ \\\\\n]{0,60}") {
            let mut lexer = Lexer::new(text.as_bytes(), 0);
            let mut last = 0;
            while let Ok((token, span)) = lexer.next() {
                prop_assert!(span.start >= last && span.end >= span.start);
                prop_assert!(span.end <= text.len());
                let lines = text[..span.end].matches('\n').count();
                prop_assert_eq!(u32::try_from(lines + 1).unwrap(), span.line);
                last = span.end;
                if token == Token::End {
                    break;
                }
            }
        }
    }
}
