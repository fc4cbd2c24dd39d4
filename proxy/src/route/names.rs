//! How a variable's name is found, when a configuration is made live.

use std::cell::Cell;
use std::collections::HashMap;

use super::variable::Variable;

/// The names that one configuration may use: nginx's, and those that it defines by `map` and by
/// named groups in patterns. nginx compares variable names without regard to case; so do we.
///
/// Declare everything first ([`Names::declare_map`], [`Names::declare_captures`]) and compile
/// templates after it: a name may be used above the place that defines it.
#[derive(Debug, Clone, Default)]
pub struct Names {
    declared: HashMap<Box<str>, Variable>,
    captures: usize,
    sets: Vec<Settable>,
    body: Cell<bool>,
}

/// A variable of `set`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settable {
    /// Its name.
    pub name: Box<str>,
    /// What it is worth until it is set: a map or a group of the same name.
    pub before: Option<Variable>,
}

/// Why a name is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nobody defines it.
    #[error("unknown \"{0}\" variable")]
    Unknown(Box<str>),
    /// nginx has it and we do not.
    #[error("\"${0}\" is an nginx variable that this proxy does not support yet")]
    Unsupported(Box<str>),
    /// It is not a name.
    #[error("invalid variable name \"{0}\"")]
    Invalid(Box<str>),
    /// It is nginx's own and cannot be defined.
    #[error("the duplicate \"{0}\" variable")]
    Duplicate(Box<str>),
}

impl Names {
    /// Only nginx's own names.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// `map ... $NAME`: the name (without `$`) stands for the map at this position. As in nginx a
    /// later map of the same name takes its place.
    ///
    /// # Errors
    /// The name is invalid or nginx's own.
    pub fn declare_map(&mut self, name: &str, position: usize) -> Result<(), NameError> {
        self.declare(name, Variable::Map(position))
    }

    /// `split_clients ... $NAME`: the same for the one at this position.
    ///
    /// # Errors
    /// The name is invalid or nginx's own.
    pub fn declare_split(&mut self, name: &str, position: usize) -> Result<(), NameError> {
        self.declare(name, Variable::Split(position))
    }

    /// `geo ... $NAME`: the same for the one at this position.
    ///
    /// # Errors
    /// The name is invalid or nginx's own.
    pub fn declare_geo(&mut self, name: &str, position: usize) -> Result<(), NameError> {
        self.declare(name, Variable::Geo(position))
    }

    /// `set $NAME`: what is to be set. `$args` and `$limit_rate` are the request's own; what a map or a group defines
    /// stays worth that until it is set.
    ///
    /// # Errors
    /// The name is invalid or nginx's own.
    pub fn declare_set(&mut self, name: &str) -> Result<Variable, NameError> {
        let before = match self.declared.get(&*lower(name)) {
            Some(known @ Variable::Set(_)) => return Ok(known.clone()),
            Some(other) => Some(other.clone()),
            None if *lower(name) == *"args" => return Ok(Variable::Args),
            None if *lower(name) == *"limit_rate" => return Ok(Variable::LimitRate),
            None => None,
        };
        let variable = Variable::Set(self.sets.len());
        self.declare(name, variable.clone())?;
        self.sets.push(Settable { name: lower(name), before });
        Ok(variable)
    }

    /// The variables of `set`, by position.
    #[must_use]
    pub fn sets(&self) -> &[Settable] {
        &self.sets
    }

    /// Declares the named groups of a pattern (`(?<name>...)`), as [`Regex::compile`] does too.
    ///
    /// [`Regex::compile`]: super::Regex::compile
    ///
    /// # Errors
    /// A name is nginx's own.
    pub fn declare_captures(&mut self, pattern: &str) -> Result<(), NameError> {
        group_names(pattern).try_for_each(|name| self.capture(name).map(|_| ()))
    }

    /// The position of a named group's variable, declared when it is new.
    pub(super) fn capture(&mut self, name: &str) -> Result<usize, NameError> {
        let position = self.captures;
        match self.declared.get(&*lower(name)) {
            Some(Variable::NamedCapture(position)) => return Ok(*position),
            Some(Variable::Set(set)) => {
                let Some(set) = self.sets.get_mut(*set) else { return Ok(position) };
                if let Some(Variable::NamedCapture(position)) = set.before {
                    return Ok(position);
                }
                set.before = Some(Variable::NamedCapture(position));
                self.captures += 1;
                return Ok(position);
            }
            _ => {}
        }
        self.declare(name, Variable::NamedCapture(position))?;
        self.captures += 1;
        Ok(position)
    }

    /// How many named groups there are: positions in [`Variable::NamedCapture`] are below it.
    #[must_use]
    pub fn captures(&self) -> usize {
        self.captures
    }

    /// What a name (without `$`) stands for.
    ///
    /// # Errors
    /// It stands for nothing, or for something that only nginx has.
    pub fn resolve(&self, name: &str) -> Result<Variable, NameError> {
        let lower = lower(name);
        if let Some(variable) = self.declared.get(&*lower) {
            return Ok(variable.clone());
        }
        let found = Variable::built_in(&lower);
        self.body.set(self.body.get() || found == Some(Variable::RequestBody));
        found.ok_or_else(|| {
            if Variable::missing(&lower) {
                NameError::Unsupported(lower)
            } else {
                NameError::Unknown(name.into())
            }
        })
    }

    /// Whether `$request_body` was asked for.
    #[must_use]
    pub fn ask_for_body(&self) -> bool {
        self.body.get()
    }

    fn declare(&mut self, name: &str, variable: Variable) -> Result<(), NameError> {
        if name.is_empty() || !name.bytes().all(is_name_byte) {
            return Err(NameError::Invalid(name.into()));
        }
        let lower = lower(name);
        if Variable::reserved(&lower) {
            return Err(NameError::Duplicate(lower));
        }
        self.declared.insert(lower, variable);
        Ok(())
    }
}

/// What a variable's name may consist of.
pub(super) fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn lower(name: &str) -> Box<str> {
    name.to_ascii_lowercase().into()
}

/// The names in `(?<name>`, `(?P<name>` and `(?'name'`, found by their spelling alone.
fn group_names(pattern: &str) -> impl Iterator<Item = &str> {
    pattern.split("(?").skip(1).filter_map(|rest| {
        let rest = rest.strip_prefix('P').unwrap_or(rest);
        let name = rest.strip_prefix(['<', '\''])?;
        let end = name.find(['>', '\''])?;
        let name = name.get(..end)?;
        (!name.is_empty() && name.bytes().all(is_name_byte)).then_some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(name: &str) -> Result<Variable, String> {
        Names::new().resolve(name).map_err(|error| error.to_string())
    }

    #[test]
    fn nginx_names_are_found_in_any_case() {
        assert_eq!(resolve("host"), Ok(Variable::Host));
        assert_eq!(resolve("Request_URI"), Ok(Variable::RequestUri));
        assert_eq!(resolve("query_string"), resolve("args"));
        let upgrade = Variable::HttpHeader(http::header::UPGRADE);
        assert_eq!(resolve("http_upgrade"), Ok(upgrade));
        let forwarded = http::HeaderName::from_static("x-forwarded-for");
        assert_eq!(resolve("http_x_forwarded_for"), Ok(Variable::HttpHeader(forwarded)));
        let length = Variable::SentHttp(http::header::CONTENT_LENGTH);
        assert_eq!(resolve("sent_http_content_length"), Ok(length));
        assert_eq!(resolve("arg_Token"), Ok(Variable::Arg("token".into())));
        assert_eq!(resolve("cookie_session"), Ok(Variable::Cookie("session".into())));
    }

    #[test]
    fn unknown_and_unsupported_names_are_told_apart() {
        assert_eq!(resolve("foo"), Err("unknown \"foo\" variable".into()));
        assert_eq!(resolve("http_"), Err("unknown \"http_\" variable".into()));
        let unsupported = "is an nginx variable that this proxy does not support yet";
        assert_eq!(resolve("ssl_protocol"), Err(format!("\"$ssl_protocol\" {unsupported}")));
        let prefixed = resolve("proxy_protocol_tlv_alpn");
        assert_eq!(prefixed, Err(format!("\"$proxy_protocol_tlv_alpn\" {unsupported}")));
    }

    #[test]
    fn maps_and_groups_define_names() {
        let mut names = Names::new();
        names.declare_map("connection_upgrade", 0).unwrap();
        names.declare_captures(r"^/(?<room>\w+)/(?P<User>\d+)(?:x)(?=y)(?<!z)$").unwrap();
        assert_eq!(names.resolve("connection_upgrade"), Ok(Variable::Map(0)));
        assert_eq!(names.resolve("room"), Ok(Variable::NamedCapture(0)));
        assert_eq!(names.resolve("user"), Ok(Variable::NamedCapture(1)));
        assert_eq!(names.captures(), 2);
        names.declare_captures("(?<room>.)").unwrap();
        assert_eq!(names.captures(), 2, "one variable however many patterns set it");
    }

    #[test]
    fn nginx_own_names_cannot_be_defined() {
        let mut names = Names::new();
        let error = names.declare_map("Host", 0).unwrap_err();
        assert_eq!(error.to_string(), "the duplicate \"host\" variable");
        let error = names.declare_captures("(?<uri>.)").unwrap_err();
        assert_eq!(error.to_string(), "the duplicate \"uri\" variable");
        let error = names.declare_map("a-b", 0).unwrap_err();
        assert_eq!(error.to_string(), "invalid variable name \"a-b\"");
        names.declare_map("args", 0).unwrap();
        names.declare_map("http_x", 0).unwrap();
    }
}
