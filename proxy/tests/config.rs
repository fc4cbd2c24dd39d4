//! What the proxy says of configurations that nginx refuses: nginx's words, at nginx's place.

#![expect(clippy::unwrap_used, reason = "helpers of tests, which stop at what is unexpected")]

use std::path::Path;
use std::process::Command;

use proxy::config::Loader;

/// One configuration and what nginx says of it.
struct Case {
    title: &'static str,
    text: &'static str,
    words: &'static str,
}

fn cases() -> Vec<Case> {
    let file = include_str!("config/nginx-1.22.txt");
    let cases = file.split("\n=== ").skip(1).map(|case| {
        let (title, rest) = case.split_once('\n').unwrap();
        let (text, words) = rest.rsplit_once("\n--- ").unwrap_or(("", &rest[4..]));
        Case { title, text, words: words.trim_end() }
    });
    cases.collect()
}

/// A directory with the case's `nginx.conf` in it.
fn place(case: &Case) -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    std::fs::write(place.path().join("nginx.conf"), case.text).unwrap();
    place
}

/// A message with the paths in it as if the directory were the working directory.
fn without_prefix(message: &str, prefix: &Path) -> String {
    message.replace(&format!("{}/", prefix.display()), "")
}

#[test]
fn it_says_what_nginx_says() {
    let cases = cases();
    assert!(cases.len() > 200, "only {} cases were read", cases.len());
    let mut different = Vec::new();
    for case in &cases {
        let place = place(case);
        let ours = match Loader::new().prefix(place.path()).load_file("nginx.conf") {
            Ok(_) => "nothing".to_owned(),
            Err(problem) => without_prefix(&problem.to_string(), place.path()),
        };
        if ours != case.words {
            different.push(format!("{}\n  nginx: {}\n  proxy: {ours}", case.title, case.words));
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}

#[test]
fn a_problem_with_a_place_has_a_picture() {
    for case in cases() {
        let problem = Loader::new().load_text("nginx.conf", case.text).unwrap_err();
        let picture = problem.render();
        assert_eq!(problem.span().is_some(), picture.contains('^'), "{}: {picture}", case.title);
    }
}

#[test]
fn nginx_itself_still_says_so() {
    let Some(nginx) = nginx_1_22() else {
        println!("nginx 1.22 is not installed: its words were not asked for again");
        return;
    };
    let mut different = Vec::new();
    for case in cases() {
        let place = place(&case);
        let mut command = Command::new(nginx);
        command.args(["-t", "-e", "stderr", "-c", "nginx.conf", "-p"]).arg(place.path());
        let said = command.output().unwrap().stderr;
        let said = String::from_utf8_lossy(&said).into_owned();
        let line = said.lines().find(|line| line.contains("[emerg]")).unwrap_or(&said);
        if !without_prefix(line, place.path()).ends_with(&format!(" {}", case.words)) {
            different.push(format!("{}\n  stored: {}\n  nginx: {line}", case.title, case.words));
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}

fn nginx_1_22() -> Option<&'static str> {
    ["/usr/sbin/nginx", "nginx"].into_iter().find(|nginx| {
        Command::new(nginx)
            .arg("-v")
            .output()
            .is_ok_and(|out| String::from_utf8_lossy(&out.stderr).contains("nginx/1.22."))
    })
}
