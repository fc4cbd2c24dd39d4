//! Stories of rewriting, told without a server.

use std::cell::{OnceCell, RefCell};

use super::super::regex::{Case, Regex};
use super::super::rewrite::Flag;
use super::super::{Names, Values};
use super::*;

/// A request that only has a path, arguments, captures and one variable.
#[derive(Default)]
struct Request {
    places: RefCell<Vec<&'static (Vec<u8>, Vec<u8>)>>,
    captures: RefCell<Option<Captures>>,
    set: RefCell<Vec<u8>>,
    told: OnceCell<()>,
}

impl Request {
    fn new(path: &str, args: &str) -> Self {
        let this = Self::default();
        this.go(path.into(), args.into());
        this
    }

    fn go(&self, path: Vec<u8>, args: Vec<u8>) {
        self.places.borrow_mut().push(Box::leak(Box::new((path, args))));
    }

    fn is_at(&self) -> String {
        let place = *self.places.borrow().last().unwrap();
        format!("{}?{}", place.0.escape_ascii(), place.1.escape_ascii())
    }
}

impl Values for Request {
    fn write(&self, variable: &Variable, out: &mut Vec<u8>) -> bool {
        match variable {
            Variable::Uri => out.extend_from_slice(Subject::<()>::path(self)),
            Variable::Args => out.extend_from_slice(Subject::<()>::args(self)),
            Variable::Set(_) => out.extend_from_slice(&self.set.borrow()),
            Variable::Capture(group) => {
                let captures = self.captures.borrow();
                let found = captures.as_ref().and_then(|captures| captures.get(*group));
                out.extend_from_slice(found.unwrap_or_default());
            }
            _ => return false,
        }
        true
    }
}

impl Subject<()> for Request {
    fn path(&self) -> &[u8] {
        &self.places.borrow().last().unwrap().0
    }
    fn args(&self) -> &[u8] {
        &self.places.borrow().last().unwrap().1
    }
    fn is_escaped(&self) -> bool {
        true
    }
    fn is(&self, path: &[u8], _: FileTest) -> bool {
        path == b"/there"
    }
    fn captured(&self, captures: Captures) {
        *self.captures.borrow_mut() = Some(captures);
    }
    fn set(&self, _: &Variable, value: Vec<u8>) {
        *self.set.borrow_mut() = value;
    }
    fn moved(&self, path: Vec<u8>, args: Vec<u8>) {
        self.go(path, args);
    }
    fn left(&self) {}
    fn entered(&self, (): &()) {
        self.told.set(()).unwrap();
    }
    fn listens(&self) -> bool {
        false
    }
    fn tell(&self, _: std::fmt::Arguments<'_>) {}
}

fn template(text: &str) -> Template {
    let mut names = Names::new();
    names.declare_set("x").unwrap();
    Template::compile(text, &names).unwrap()
}

fn regex(pattern: &str) -> Regex {
    Regex::compile(pattern, Case::Sensitive, &mut Names::new()).unwrap()
}

fn rewrite(pattern: &str, to: &str, flag: Flag) -> Step<(), u16> {
    Step::Rewrite(Rewrite::new(regex(pattern), to, flag, &Names::new()).unwrap())
}

/// Runs the steps; where the request is then, and how it ended.
fn run(request: &Request, steps: Vec<Step<(), u16>>) -> (String, String) {
    let script = Script::new(steps);
    let ended = format!("{:?}", script.run(request).unwrap());
    (request.is_at(), ended)
}

#[test]
fn a_replacement_takes_groups_and_arguments() {
    for (to, expected) in [
        ("/new/$1", "/new/b c?q=1"),
        ("/new/$1?", "/new/b c?"),
        ("/new?n=$1", "/new?n=b%20c&q=1"),
        ("/new?n=$1?", "/new?n=b%20c"),
    ] {
        let request = Request::new("/a/b c", "q=1");
        let (place, ended) = run(&request, vec![rewrite("^/a/(.*)$", to, Flag::Next)]);
        assert_eq!((place.as_str(), ended.as_str()), (expected, "On { anew: true }"), "{to}");
    }
}

#[test]
fn last_stops_break_stays_and_what_does_not_match_does_nothing() {
    let never = || rewrite("^", "/never", Flag::Next);
    for (steps, expected) in [
        (vec![rewrite("a", "/b", Flag::Last), never()], ("/b?", "On { anew: true }")),
        (vec![rewrite("a", "/b", Flag::Break), never()], ("/b?", "On { anew: false }")),
        (vec![rewrite("a", "/b", Flag::Next), Step::Break, never()], ("/b?", "On { anew: false }")),
        (vec![rewrite("x", "/b", Flag::Last)], ("/a?", "On { anew: false }")),
        (
            vec![rewrite("a", "/b", Flag::Next), rewrite("b", "/c", Flag::Next)],
            ("/c?", "On { anew: true }"),
        ),
        (vec![Step::Return(404), never()], ("/a?", "Return(404)")),
        (vec![rewrite("a", "?x", Flag::Next)], ("/a?", "Nothing")),
    ] {
        let (place, ended) = run(&Request::new("/a", ""), steps);
        assert_eq!((place.as_str(), ended.as_str()), expected);
    }
}

#[test]
fn a_redirect_keeps_the_arguments_and_is_escaped_where_it_must() {
    let steps = vec![rewrite("^/a/(.*)$", "http://h/$1", Flag::Redirect)];
    let script = Script::<(), u16>::new(steps);
    let request = Request::new("/a/x y", "q");
    let Ended::Redirect { permanent: false, location } = script.run(&request).unwrap() else {
        panic!("no redirect");
    };
    assert_eq!(location, b"http://h/x%20y?q");
}

#[test]
fn conditions_hold_as_nginx_says() {
    let holds = |condition: Condition| {
        let inside = Script::new(vec![Step::Return(1)]);
        let request = Request::new("/a1", "0");
        let (_, ended) = run(&request, vec![Step::If(condition, Some(()), inside)]);
        assert_eq!(ended == "Return(1)", request.told.get().is_some());
        ended == "Return(1)"
    };
    assert!(holds(Condition::Holds(template("$uri"))));
    assert!(!holds(Condition::Holds(template("$args"))));
    assert!(!holds(Condition::Holds(template("$x"))));
    assert!(holds(Condition::Equals(template("$uri"), template("/a1"), true)));
    assert!(!holds(Condition::Equals(template("$uri"), template("/a1"), false)));
    assert!(holds(Condition::Matches(template("$uri"), regex(r"\d$"), true)));
    assert!(holds(Condition::Matches(template("$uri"), regex("z"), false)));
    assert!(holds(Condition::File(template("/there"), FileTest::File, true)));
    assert!(holds(Condition::File(template("/not"), FileTest::File, false)));
}
