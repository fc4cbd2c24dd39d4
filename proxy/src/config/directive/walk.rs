//! Goes through the statements of a block in order, finds each one's directive and applies it:
//! nginx's `ngx_conf_handler`.

use std::path::{Path, PathBuf};

use super::super::include::Files;
use super::super::inherit::{
    EventsDraft, HttpDraft, Level, MainDraft, Place, ServerDraft, UpstreamDraft,
};
use super::super::model::{ListenAddress, LogBuffer, LogFormat};
use super::super::parse::{self, Block, Statement, Word};
use super::super::problem::Fault;
use super::super::source::{Span, Spanned};
use super::super::value;
use super::limit_zones::Zone;
use super::refused;
use super::table::{self, Check, Context, Directive, Done, Effect};

/// Files inside files, at most.
const DEEPEST_INCLUDE: usize = 50;

/// What is known while a configuration is read, whichever block is open.
pub(in super::super) struct Walk {
    pub(in super::super) files: Files,
    /// What relative paths (of logs and the like) are relative to.
    pub(in super::super) prefix: PathBuf,
    /// Whether ports below 1024 are ours: decides where a server without `listen` listens.
    pub(in super::super) superuser: bool,
    /// Whether this is `-g`, where nginx takes no blocks.
    pub(in super::super) command_line: bool,
    pub(in super::super) notes: Vec<Spanned<String>>,
    pub(in super::super) warnings: Vec<Spanned<String>>,
    /// Every `log_format` so far, `combined` first.
    pub(in super::super) log_formats: Vec<LogFormat>,
    /// Every buffer of an `access_log` so far.
    pub(in super::super) log_buffers: Vec<LogBuffer>,
    /// Every condition of an `access_log` so far.
    pub(in super::super) log_conditions: Vec<Spanned<String>>,
    /// Every name of a `set_real_ip_from` so far.
    pub(in super::super) real_ip_names: Vec<Spanned<String>>,
    /// Every address listened on so far.
    pub(super) listens: Vec<Bound>,
    /// Whether connections come from addresses that are not this machine's.
    pub(in super::super) transparent: bool,
    /// Every zone of shared memory so far.
    pub(super) zones: Vec<Zone>,
    include_depth: usize,
    /// The directives without effect that each open block has had: nginx refuses the second.
    noted: Vec<Vec<&'static str>>,
}

/// An address that a server listens on, and what was said about it.
pub(super) struct Bound {
    pub(super) address: ListenAddress,
    pub(super) default_server: bool,
    pub(super) options: bool,
}

/// The open block.
pub(in super::super) enum Scope<'a> {
    Main(&'a mut MainDraft),
    Events(&'a mut EventsDraft),
    Http(&'a mut HttpDraft),
    Upstream(&'a mut UpstreamDraft),
    Server(&'a mut ServerDraft),
    ServerIf(&'a mut Place),
    Location(&'a mut Place),
    LocationIf(&'a mut Place),
    LimitExcept(&'a mut Place),
}

impl Scope<'_> {
    fn context(&self) -> Context {
        match self {
            Self::Main(_) => Context::Main,
            Self::Events(_) => Context::Events,
            Self::Http(_) => Context::Http,
            Self::Upstream(_) => Context::Upstream,
            Self::Server(_) => Context::Server,
            Self::ServerIf(_) => Context::ServerIf,
            Self::Location(_) => Context::Location,
            Self::LocationIf(_) => Context::LocationIf,
            Self::LimitExcept(_) => Context::LimitExcept,
        }
    }

    fn level(&mut self) -> Option<&mut Level> {
        match self {
            Self::Http(http) => Some(&mut http.level),
            Self::Server(server) => Some(&mut server.root.level),
            Self::ServerIf(place)
            | Self::Location(place)
            | Self::LocationIf(place)
            | Self::LimitExcept(place) => Some(&mut place.level),
            _ => None,
        }
    }
}

impl Walk {
    pub(in super::super) fn new(prefix: PathBuf, superuser: bool) -> Self {
        Self {
            files: Files::default(),
            prefix,
            superuser,
            command_line: false,
            notes: Vec::new(),
            warnings: Vec::new(),
            log_formats: vec![super::log_format::combined()],
            log_buffers: Vec::new(),
            log_conditions: Vec::new(),
            real_ip_names: Vec::new(),
            listens: Vec::new(),
            transparent: false,
            zones: Vec::new(),
            include_depth: 0,
            noted: vec![Vec::new()],
        }
    }

    /// Applies the text that is number `file` of the sources to the main context.
    pub(in super::super) fn text(&mut self, file: usize, main: &mut MainDraft) -> Done {
        let block = self.parsed(file);
        self.statements(&block, &mut Scope::Main(main))
    }

    /// Applies the `{ ... }` of a statement.
    pub(super) fn body(&mut self, statement: &Statement, mut scope: Scope<'_>) -> Done {
        let Some(body) = &statement.body else { return Ok(()) };
        self.noted.push(Vec::new());
        let done = self.statements(body, &mut scope);
        self.noted.pop();
        done
    }

    /// Opens each file that an `include` names, in order, and gives its statements to `each`.
    pub(super) fn include(
        &mut self,
        name: &Word,
        mut each: impl FnMut(&mut Self, &Block) -> Done,
    ) -> Done {
        if self.include_depth >= DEEPEST_INCLUDE {
            let message = "too many files include one another, is there a circle of them?";
            return Err(Fault::at(name.span, message));
        }
        self.include_depth += 1;
        for path in self.files.matches(name)? {
            let file = self.files.open_included(&path, name)?;
            let block = self.parsed(file);
            each(self, &block)?;
        }
        self.include_depth -= 1;
        Ok(())
    }

    /// A path of a log or the like: relative to the prefix.
    pub(super) fn full_path(&self, path: &str) -> PathBuf {
        self.prefix.join(Path::new(path))
    }

    /// Keeps what has no effect here, for `-t`.
    pub(super) fn note(&mut self, span: Span, sentence: impl Into<String>) {
        self.notes.push(Spanned { value: sentence.into(), span });
    }

    /// Keeps what nginx warns of too.
    pub(super) fn warn(&mut self, span: Span, sentence: impl Into<String>) {
        self.warnings.push(Spanned { value: sentence.into(), span });
    }

    fn parsed(&self, file: usize) -> Block {
        let text = self.files.sources.files.get(file).map(|f| f.text.as_slice());
        parse::parse(text.unwrap_or_default(), file)
    }

    fn statements(&mut self, block: &Block, scope: &mut Scope<'_>) -> Done {
        for statement in &block.statements {
            self.statement(statement, scope)?;
        }
        block.fault.clone().map_or(Ok(()), Err)
    }

    fn statement(&mut self, statement: &Statement, scope: &mut Scope<'_>) -> Done {
        let name = statement.name.value.as_str();
        if self.command_line && statement.body.is_some() {
            let message = "block directives are not supported in -g option";
            return Err(Fault::at(statement.name.span, message));
        }
        let context = scope.context();
        let Some(directive) =
            table::all().find(|d| d.name == name && d.contexts.contains(&context))
        else {
            return Err(unknown(statement));
        };
        check_form(directive, statement)?;
        match (directive.effect, scope) {
            (Effect::Main(apply), Scope::Main(main)) => apply(self, main, statement),
            (Effect::Events(apply), Scope::Events(events)) => apply(self, events, statement),
            (Effect::Http(apply), Scope::Http(http)) => apply(self, http, statement),
            (Effect::Upstream(apply), Scope::Upstream(upstream)) => {
                apply(self, upstream, statement)
            }
            (Effect::Server(apply), Scope::Server(server)) => apply(self, server, statement),
            (Effect::Place(apply), Scope::Server(server)) => {
                apply(self, &mut server.root, statement)
            }
            (
                Effect::Place(apply),
                Scope::ServerIf(place)
                | Scope::Location(place)
                | Scope::LocationIf(place)
                | Scope::LimitExcept(place),
            ) => apply(self, place, statement),
            (Effect::Level(apply), scope) => match scope.level() {
                Some(level) => apply(self, level, statement),
                None => Err(statement.says("is not allowed here")),
            },
            (Effect::Note(check, why), _) => self.without_effect(directive, check, why, statement),
            (Effect::Include, scope) => {
                self.include(statement.arg(0), |walk, block| walk.statements(block, scope))
            }
            _ => Err(statement.says("is not allowed here")),
        }
    }

    fn without_effect(
        &mut self,
        directive: &Directive,
        check: Check,
        why: &str,
        statement: &Statement,
    ) -> Done {
        let name = directive.name;
        if let Some(noted) = self.noted.last_mut()
            && !matches!(check, Check::Anything)
        {
            if noted.contains(&name) {
                return Err(statement.says("is duplicate"));
            }
            noted.push(name);
        }
        check.apply(statement)?;
        self.note(statement.name.span, format!("\"{name}\" has no effect here: {why}"));
        Ok(())
    }
}

impl Check {
    fn apply(self, statement: &Statement) -> Done {
        let word = statement.arg(0);
        let text = word.value.as_str();
        let right = match self {
            Self::Switch => return switch(statement).map(|_| ()),
            Self::Number => return number(statement).map(|_| ()),
            Self::Size => value::size(text).is_some(),
            Self::Time => value::time(text).is_some(),
            Self::Buffers => {
                value::number(text).is_some_and(|n| n > 0)
                    && value::size(&statement.arg(1).value).is_some_and(|n| n > 0)
            }
            Self::OneOf(words) => {
                if !words.iter().any(|w| text.eq_ignore_ascii_case(w)) {
                    return Err(Fault::at(word.span, format!("invalid value \"{text}\"")));
                }
                true
            }
            Self::Own(check) => return check(statement),
            Self::Anything => true,
        };
        if right { Ok(()) } else { Err(argument_says(statement, "invalid value")) }
    }
}

/// Why no row of the table fits.
fn unknown(statement: &Statement) -> Fault {
    let name = statement.name.value.as_str();
    let message = if refused::NAMES.binary_search(&name).is_ok() {
        format!("\"{name}\" is an nginx directive that this proxy does not support yet")
    } else if table::all().any(|d| d.name == name) {
        return statement.says("is not allowed here");
    } else {
        format!("unknown directive \"{name}\"")
    };
    Fault::at(statement.name.span, message)
}

/// The end (`;` or `{`) and the number of arguments.
fn check_form(directive: &Directive, statement: &Statement) -> Done {
    let name = directive.name;
    let fault = |message: String| Err(Fault::at(statement.name.span, message));
    match (directive.block, statement.body.is_some()) {
        (false, true) => fault(format!("directive \"{name}\" is not terminated by \";\"")),
        (true, false) => fault(format!("directive \"{name}\" has no opening \"{{\"")),
        _ => {
            let count = statement.args.len();
            if (directive.arity.0..=directive.arity.1).contains(&count) {
                return Ok(());
            }
            fault(format!("invalid number of arguments in \"{name}\" directive"))
        }
    }
}

/// nginx's `"NAME" directive SAYS`, pointing at the first argument.
pub(super) fn argument_says(statement: &Statement, says: &str) -> Fault {
    Fault { span: Some(statement.arg(0).span), ..statement.says(says) }
}

/// Fills a slot that may be filled once, with a value made of the first argument.
pub(super) fn once<T>(
    slot: &mut Option<T>,
    statement: &Statement,
    value: impl FnOnce(&Statement) -> Result<T, Fault>,
) -> Done {
    if slot.is_some() {
        return Err(statement.says("is duplicate"));
    }
    *slot = Some(value(statement)?);
    Ok(())
}

/// The first argument as `on` or `off`.
pub(super) fn switch(statement: &Statement) -> Result<bool, Fault> {
    let word = statement.arg(0);
    value::switch(&word.value).ok_or_else(|| {
        let (value, name) = (&word.value, &statement.name.value);
        let message = format!(
            "invalid value \"{value}\" in \"{name}\" directive, it must be \"on\" or \"off\""
        );
        Fault::at(word.span, message)
    })
}

/// The first argument as a number.
pub(super) fn number(statement: &Statement) -> Result<u64, Fault> {
    value::number(&statement.arg(0).value).ok_or_else(|| argument_says(statement, "invalid number"))
}

/// The first argument as a time of a timer.
pub(super) fn time(statement: &Statement) -> Result<std::time::Duration, Fault> {
    value::time(&statement.arg(0).value).ok_or_else(|| argument_says(statement, "invalid value"))
}

/// The first argument as a size that may be large.
pub(super) fn offset(statement: &Statement) -> Result<u64, Fault> {
    value::offset(&statement.arg(0).value).ok_or_else(|| argument_says(statement, "invalid value"))
}
