//! README.md says what is so: its usage, its configuration, its example of a mistake and its
//! example of the library are the real ones.
#![allow(clippy::unwrap_used, reason = "helpers of tests are test code too")]

use std::fs;
use std::process::Command;

use tests::place::{Place, binary, repository};
use tests::process::{PATIENCE, run};

fn readme() -> String {
    fs::read_to_string(repository().join("README.md")).unwrap()
}

/// The block between three backticks that has this language.
fn block(language: &str) -> String {
    let text = readme();
    let (_, rest) = text.split_once(&format!("\n```{language}\n")).unwrap();
    rest.split_once("\n```\n").unwrap().0.to_owned()
}

/// What the proxy says on standard error in this place, and whether it exits with 0.
fn proxy(place: &Place, args: &[&str]) -> (bool, String) {
    let mut proxy = Command::new(binary("proxy"));
    proxy.args(args).current_dir(place.path());
    let (status, _, said) = run("proxy", proxy, PATIENCE);
    (status.success(), said)
}

/// As README shows a transcript: each line four blanks further in.
fn indented(text: &str) -> String {
    let line = |line: &str| if line.is_empty() { "\n".to_owned() } else { format!("    {line}\n") };
    text.lines().map(line).collect()
}

#[test]
fn its_usage_is_that_of_the_program() {
    let (_, said) = proxy(&Place::new(), &["-h"]);
    let usage = &said[said.find("Usage:").unwrap()..];
    assert!(readme().contains(&indented(usage)), "README.md wants:\n{}", indented(usage));
}

#[test]
fn its_configuration_is_right() {
    let place = Place::new();
    place.write("nginx.conf", &block("nginx"));
    let (right, said) = proxy(&place, &["-t", "-c", "nginx.conf"]);
    assert!(right, "{said}");
    assert_eq!(said.lines().count(), 2, "there is something to note: {said}");
}

#[test]
fn its_mistake_is_shown_as_the_program_shows_it() {
    let place = Place::new();
    let right = fs::read_to_string(repository().join("deploy/nginx.conf")).unwrap();
    place.write("nginx.conf", &right.replace("least_conn", "least_con"));
    let (right, said) = proxy(&place, &["-t", "-c", "nginx.conf"]);
    assert!(!right);
    assert!(readme().contains(&indented(&said)), "README.md wants:\n{}", indented(&said));
}

#[test]
fn its_program_is_the_one_that_the_library_tests() {
    let source = fs::read_to_string(repository().join("proxy/src/control/proxy.rs")).unwrap();
    let mut tested = source.lines().filter_map(|line| line.strip_prefix("///")).map(str::trim);
    for line in block("rust").lines() {
        assert!(tested.any(|other| other == line.trim()), "no doc test has this line: {line}");
    }
}
