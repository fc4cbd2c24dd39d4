//! nginx's rules for locations, one by one.

use proptest::prelude::*;

use super::*;
use crate::route::names::Names;
use crate::route::regex::Case;

/// `/p`, `= /p`, `^~ /p`, `~ p` and `~* p`, as in a configuration; its value is its spelling.
fn location(spelling: &'static str) -> Location<&'static str> {
    let regex = |text, case| Pattern::Regex(Regex::compile(text, case, &mut Names::new()).unwrap());
    let pattern = match spelling.split_once(' ') {
        None => Pattern::Prefix(spelling.into()),
        Some(("=", text)) => Pattern::Exact(text.into()),
        Some(("^~", text)) => Pattern::PrefixNoRegex(text.into()),
        Some(("~", text)) => regex(text, Case::Sensitive),
        Some((_, text)) => regex(text, Case::Insensitive),
    };
    let nested = Locations::default();
    Location { pattern, value: spelling, auto_redirect: false, nested }
}

fn with_nested(
    spelling: &'static str,
    nested: Vec<Location<&'static str>>,
) -> Location<&'static str> {
    Location { nested: Locations::new(nested).unwrap(), ..location(spelling) }
}

fn level(spellings: &[&'static str]) -> Locations<&'static str> {
    Locations::new(spellings.iter().map(|spelling| location(spelling)).collect()).unwrap()
}

fn find(locations: &Locations<&'static str>, path: &str) -> String {
    match locations.find(path.as_bytes()).unwrap() {
        None => "nothing".into(),
        Some(Found::Location { value, .. }) => (*value).into(),
        Some(Found::Redirect { path, .. }) => {
            format!("301 {}", String::from_utf8_lossy(path))
        }
    }
}

#[test]
fn the_example_of_nginx_documentation() {
    let locations = level(&["= /", "/", "/documents/", "^~ /images/", r"~* \.(gif|jpg|jpeg)$"]);
    for (path, expected) in [
        ("/", "= /"),
        ("/index.html", "/"),
        ("/documents/document.html", "/documents/"),
        ("/images/1.gif", "^~ /images/"),
        ("/documents/1.JPG", r"~* \.(gif|jpg|jpeg)$"),
    ] {
        assert_eq!(find(&locations, path), expected, "{path}");
    }
}

#[test]
fn the_longest_prefix_wins_whatever_the_order() {
    let locations = level(&["/a/b", "/a", "/a/b/c/d", "/a/bb", "/b"]);
    for (path, expected) in [
        ("/a/b/c", "/a/b"),
        ("/a/b/c/d/e", "/a/b/c/d"),
        ("/a/bbb", "/a/bb"),
        ("/a/c", "/a"),
        ("/azure", "/a"),
        ("/A", "nothing"),
        ("/", "nothing"),
        ("/c", "nothing"),
    ] {
        assert_eq!(find(&locations, path), expected, "{path}");
    }
}

#[test]
fn patterns_are_tried_in_the_order_written() {
    let locations = level(&["/", "~ ^/a", "~ ^/ab", "~ b$"]);
    assert_eq!(find(&locations, "/abb"), "~ ^/a");
    assert_eq!(find(&locations, "/cb"), "~ b$");
    assert_eq!(find(&locations, "/c"), "/");
    let captured = level(&[r"~ ^/room/(\w+)"]);
    let Some(Found::Location { captures, .. }) = captured.find(b"/room/blue/1").unwrap() else {
        panic!("no location");
    };
    assert_eq!(captures.unwrap().get(1), Some(&b"blue"[..]));
}

#[test]
fn nested_locations_are_searched_before_the_outer_patterns() {
    let locations = Locations::new(vec![
        with_nested("/a/", vec![location("/a/b"), location("~ x$"), location("= /a/exact")]),
        with_nested("^~ /n/", vec![location("/n/b")]),
        location("~ y$"),
        with_nested("~ ^/r", vec![location("~ z$")]),
    ])
    .unwrap();
    for (path, expected) in [
        ("/a/", "/a/"),
        ("/a/b", "/a/b"),
        ("/a/bx", "~ x$"),
        ("/a/by", "~ y$"),
        ("/a/exact", "= /a/exact"),
        ("/n/by", "/n/b"),
        ("/n/y", "^~ /n/"),
        ("/r", "~ ^/r"),
        ("/rz", "~ z$"),
        ("/z", "nothing"),
    ] {
        assert_eq!(find(&locations, path), expected, "{path}");
    }
}

#[test]
fn a_path_without_the_last_slash_is_redirected() {
    let redirecting = |spelling| Location { auto_redirect: true, ..location(spelling) };
    let locations = Locations::new(vec![
        location("/"),
        redirecting("/chat/"),
        redirecting("/both/"),
        location("= /both"),
        location("/plain/"),
        redirecting("/prefix/"),
        location("/prefix"),
        location("~ chat"),
    ])
    .unwrap();
    for (path, expected) in [
        ("/chat", "301 /chat/"),
        ("/chat/", "~ chat"),
        ("/both", "= /both"),
        ("/plain", "/"),
        ("/prefix", "/prefix"),
    ] {
        assert_eq!(find(&locations, path), expected, "{path}");
    }
}

#[test]
fn what_nginx_refuses_is_refused() {
    let refused = |all: Vec<Location<&'static str>>| Locations::new(all).unwrap_err();
    let duplicate = refused(vec![location("/"), location("/a"), location("^~ /a")]);
    assert_eq!(duplicate.to_string(), "duplicate location \"/a\"");
    assert_eq!(duplicate.position, 2);
    let outside = refused(vec![with_nested("/a", vec![location("/a"), location("/b")])]);
    assert_eq!(outside.to_string(), "location \"/b\" is outside location \"/a\"");
    assert_eq!((outside.position, outside.nested), (0, Some(1)));
    let exact = refused(vec![with_nested("= /a", vec![location("/a")])]);
    assert_eq!(exact.to_string(), "location \"/a\" cannot be inside the exact location \"/a\"");
    level(&["/a", "= /a", "~ /a", "~ /a"]);
}

proptest! {
    #[test]
    fn the_longest_prefix_is_the_one_that_a_slow_search_finds(
        prefixes in proptest::collection::hash_set("/[ab/]{0,4}", 0..12),
        path in "/[abc/]{0,6}",
    ) {
        let prefixes: Vec<String> = prefixes.into_iter().collect();
        let all = prefixes.iter().map(|prefix| Location {
            pattern: Pattern::Prefix(prefix.clone()),
            value: prefix.clone(),
            auto_redirect: false,
            nested: Locations::default(),
        });
        let locations = Locations::new(all.collect()).unwrap();
        let slow = prefixes
            .iter()
            .filter(|prefix| path.starts_with(prefix.as_str()))
            .max_by_key(|prefix| prefix.len());
        let found = match locations.find(path.as_bytes()).unwrap() {
            Some(Found::Location { value, .. }) => Some(value),
            _ => None,
        };
        prop_assert_eq!(found, slow);
    }
}
