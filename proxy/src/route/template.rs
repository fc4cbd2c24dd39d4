//! Texts with variables in them.

use super::names::{NameError, Names, is_name_byte};
use super::variable::{Values, Variable};

/// A text with variables, compiled: nginx's "complex value".
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Template {
    parts: Box<[Part]>,
}

/// A piece of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Text as it is; never empty.
    Literal(Box<str>),
    /// A variable.
    Variable(Variable),
}

/// Why a text is no template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct TemplateError {
    /// What is wrong.
    pub reason: TemplateProblem,
    /// Where the variable starts in the text: the byte position of its `$`.
    pub offset: usize,
    /// How many bytes of the text are the variable.
    pub length: usize,
}

/// What can be wrong with a variable in a text, in nginx's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateProblem {
    /// A `$` without a name.
    #[error("invalid variable name")]
    NoName,
    /// `${name` without `}`.
    #[error("the closing bracket in \"{0}\" variable is missing")]
    NoBracket(Box<str>),
    /// A name that stands for nothing here.
    #[error(transparent)]
    Name(#[from] NameError),
}

impl Template {
    /// Compiles a text: `$name`, `${name}`, and `$1` to `$9` for groups of the last pattern.
    ///
    /// # Errors
    /// A `$` without a name, an open bracket, a name that stands for nothing.
    pub fn compile(text: &str, names: &Names) -> Result<Self, TemplateError> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((literal, after)) = rest.split_once('$') {
            push_literal(&mut parts, literal);
            let offset = text.len() - after.len() - 1;
            let fail = |reason: TemplateProblem, length: usize| TemplateError {
                reason,
                offset,
                length: length + 1,
            };
            let (name, length) = name(after).map_err(|reason| fail(reason, 0))?;
            let variable = match capture(after) {
                Some(group) => Variable::Capture(group),
                None => names.resolve(name).map_err(|error| fail(error.into(), length))?,
            };
            parts.push(Part::Variable(variable));
            rest = after.get(length..).unwrap_or_default();
        }
        push_literal(&mut parts, rest);
        Ok(Self { parts: parts.into() })
    }

    /// A template without variables.
    #[must_use]
    pub fn literal_text(text: &str) -> Self {
        let mut parts = Vec::new();
        push_literal(&mut parts, text);
        Self { parts: parts.into() }
    }

    /// The pieces, for who treats text and values differently, as a log does.
    #[must_use]
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The whole text when there is no variable in it.
    #[must_use]
    pub fn literal(&self) -> Option<&str> {
        match &*self.parts {
            [] => Some(""),
            [Part::Literal(text)] => Some(text),
            _ => None,
        }
    }

    /// The variable when there is nothing else.
    #[must_use]
    pub fn single_variable(&self) -> Option<&Variable> {
        match &*self.parts {
            [Part::Variable(variable)] => Some(variable),
            _ => None,
        }
    }

    /// The variables in it.
    pub fn variables(&self) -> impl Iterator<Item = &Variable> {
        self.parts.iter().filter_map(|part| match part {
            Part::Literal(_) => None,
            Part::Variable(variable) => Some(variable),
        })
    }

    /// Appends the text with every variable's value; one that has none adds nothing.
    pub fn render(&self, values: &(impl Values + ?Sized), out: &mut Vec<u8>) {
        for part in &self.parts {
            match part {
                Part::Literal(text) => out.extend_from_slice(text.as_bytes()),
                Part::Variable(variable) => {
                    values.write(variable, out);
                }
            }
        }
    }
}

fn push_literal(parts: &mut Vec<Part>, text: &str) {
    if !text.is_empty() {
        parts.push(Part::Literal(text.into()));
    }
}

/// The group when what follows the `$` is one digit from 1 to 9.
fn capture(after: &str) -> Option<u8> {
    let digit = after.bytes().next()?;
    (b'1'..=b'9').contains(&digit).then(|| digit - b'0')
}

/// The name that follows a `$`, and how many bytes it takes with its brackets.
fn name(after: &str) -> Result<(&str, usize), TemplateProblem> {
    if capture(after).is_some() {
        return Ok((after.get(..1).unwrap_or_default(), 1));
    }
    let (body, bracket) = match after.strip_prefix('{') {
        Some(body) => (body, true),
        None => (after, false),
    };
    let end = body.bytes().position(|byte| !is_name_byte(byte)).unwrap_or(body.len());
    let name = body.get(..end).unwrap_or_default();
    if bracket && body.is_empty() {
        Err(TemplateProblem::NoName)
    } else if bracket && !body.get(end..).unwrap_or_default().starts_with('}') {
        Err(TemplateProblem::NoBracket(name.into()))
    } else if name.is_empty() {
        Err(TemplateProblem::NoName)
    } else {
        Ok((name, if bracket { end + 2 } else { end }))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Every variable is worth its own name in angle brackets; `$remote_user` has no value.
    struct Spelled;

    impl Values for Spelled {
        fn write(&self, variable: &Variable, out: &mut Vec<u8>) -> bool {
            if *variable == Variable::RemoteUser {
                return false;
            }
            out.extend_from_slice(format!("<{variable:?}>").as_bytes());
            true
        }
    }

    fn compile(text: &str) -> Result<Template, TemplateError> {
        Template::compile(text, &Names::new())
    }

    fn render(text: &str) -> String {
        let mut out = Vec::new();
        compile(text).unwrap().render(&Spelled, &mut out);
        String::from_utf8(out).unwrap()
    }

    fn error(text: &str) -> (String, usize, usize) {
        let error = compile(text).unwrap_err();
        (error.to_string(), error.offset, error.length)
    }

    #[test]
    fn variables_stand_in_text_with_and_without_brackets() {
        assert_eq!(render("$host"), "<Host>");
        assert_eq!(render("http://$host:${server_port}x/$1$2é"), {
            "http://<Host>:<ServerPort>x/<Capture(1)><Capture(2)>é"
        });
        assert_eq!(render("$scheme://$host$request_uri"), "<Scheme>://<Host><RequestUri>");
        assert_eq!(render("$10"), "<Capture(1)>0");
        assert_eq!(render("[$remote_user]"), "[]");
    }

    #[test]
    fn the_short_ways_are_known() {
        assert_eq!(compile("").unwrap().literal(), Some(""));
        assert_eq!(compile("close").unwrap().literal(), Some("close"));
        assert_eq!(compile("$host").unwrap().single_variable(), Some(&Variable::Host));
        let mixed = compile("$host:80").unwrap();
        assert_eq!((mixed.literal(), mixed.single_variable()), (None, None));
        assert_eq!(mixed.variables().count(), 1);
    }

    #[test]
    fn errors_have_nginx_words_and_a_place() {
        assert_eq!(error("cost: 5$"), ("invalid variable name".into(), 7, 1));
        assert_eq!(error("$-"), ("invalid variable name".into(), 0, 1));
        assert_eq!(error("${"), ("invalid variable name".into(), 0, 1));
        assert_eq!(error("${}"), ("invalid variable name".into(), 0, 1));
        assert_eq!(error("a $foo b"), ("unknown \"foo\" variable".into(), 2, 4));
        assert_eq!(error("a ${foo} b"), ("unknown \"foo\" variable".into(), 2, 6));
        let missing = "the closing bracket in \"host\" variable is missing";
        assert_eq!(error("é${host"), (missing.into(), 2, 1));
        assert_eq!(error("${host-x}"), (missing.into(), 0, 1));
        assert_eq!(error("$0"), ("unknown \"0\" variable".into(), 0, 2));
    }

    proptest! {
        #[test]
        fn any_text_compiles_or_says_where_not(text in any::<String>()) {
            match compile(&text) {
                Ok(template) if !text.contains('$') => {
                    prop_assert_eq!(template.literal(), Some(&*text));
                }
                Ok(_) => {}
                Err(error) => prop_assert!(text[error.offset..].starts_with('$')),
            }
        }
    }
}
