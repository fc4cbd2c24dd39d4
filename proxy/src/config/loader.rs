//! From a file, a text or a few addresses to a [`Config`].

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::directive::Walk;
use super::inherit::MainDraft;
use super::model::Config;
use super::problem::{Fault, Problem};
use super::source::{COMMAND_LINE, Sources};

/// Loads configurations: nginx's `-p`, `-g` and `-c`.
///
/// ```
/// use proxy::config::Loader;
///
/// let config = Loader::new().load_text(
///     "example.conf",
///     "events {} http { server { listen 8080; location / { proxy_pass http://127.0.0.1:81; } } }",
/// )?;
/// assert_eq!(config.http.map(|http| http.servers.len()), Some(1));
///
/// let problem = Loader::new().load_text("example.conf", "events {}\nfoo;\n").err();
/// let problem = problem.map(|p| p.to_string());
/// assert_eq!(problem.as_deref(), Some("unknown directive \"foo\" in example.conf:2"));
/// # Ok::<(), proxy::config::Problem>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Loader {
    prefix: PathBuf,
    globals: Option<String>,
    superuser: bool,
}

impl Loader {
    /// A loader for which relative paths are relative to the working directory.
    pub fn new() -> Self {
        Self::default()
    }

    /// `-p`: what relative paths of the file itself, of logs and of the pid file are relative to.
    /// Includes are relative to the directory of the file, and the paths of sockets to the
    /// working directory, as in nginx.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<PathBuf>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// `-g`: directives for the main context, applied before the file.
    #[must_use]
    pub fn globals(mut self, directives: impl Into<String>) -> Self {
        self.globals = Some(directives.into());
        self
    }

    /// Whether a server without `listen` listens on port 80 as root's does (else 8000).
    #[must_use]
    pub fn superuser(mut self, yes: bool) -> Self {
        self.superuser = yes;
        self
    }

    /// `-c`: where [`Loader::load_file`] will look, and how messages name the file.
    pub fn full_path(&self, path: impl AsRef<Path>) -> PathBuf {
        self.prefix.join(path)
    }

    /// Loads a file and all that it includes.
    ///
    /// # Errors
    ///
    /// What nginx would refuse, and what nginx would take but this proxy cannot do.
    pub fn load_file(&self, path: impl AsRef<Path>) -> Result<Config, Problem> {
        let path = self.full_path(path);
        self.load(|walk| walk.files.open_main(&path))
    }

    /// Loads a text as if it stood in a file of that name in the prefix.
    ///
    /// # Errors
    ///
    /// As [`Loader::load_file`].
    pub fn load_text(&self, name: &str, text: impl AsRef<[u8]>) -> Result<Config, Problem> {
        self.load(|walk| {
            walk.files.base.clone_from(&self.prefix);
            Ok(walk.files.add(name, text.as_ref()))
        })
    }

    fn load(
        &self,
        open: impl FnOnce(&mut Walk) -> Result<usize, Fault>,
    ) -> Result<Config, Problem> {
        let mut walk = Walk::new(self.prefix.clone(), self.superuser);
        match self.read(&mut walk, open) {
            Ok(main) => Ok(finish(main, walk)),
            Err(fault) => Err(Problem::from_fault(fault, Arc::new(walk.files.sources))),
        }
    }

    fn read(
        &self,
        walk: &mut Walk,
        open: impl FnOnce(&mut Walk) -> Result<usize, Fault>,
    ) -> Result<MainDraft, Fault> {
        let mut main = MainDraft::default();
        if let Some(directives) = &self.globals {
            let file = walk.files.add(COMMAND_LINE, directives.as_bytes());
            walk.command_line = true;
            walk.text(file, &mut main).map_err(on_command_line)?;
            walk.command_line = false;
        }
        let file = open(walk)?;
        walk.text(file, &mut main)?;
        if main.events.is_none() {
            return Err(Fault::beyond_syntax("no \"events\" section in configuration"));
        }
        walk.check_zones()?;
        Ok(main)
    }
}

impl Config {
    /// Loads a text; messages call it `text`. [`Loader`] does the same with options.
    ///
    /// # Errors
    ///
    /// As [`Loader::load_text`].
    pub fn from_text(text: impl AsRef<[u8]>) -> Result<Self, Problem> {
        Loader::new().load_text("text", text)
    }

    /// Loads a file and all that it includes. [`Loader`] does the same with options.
    ///
    /// # Errors
    ///
    /// As [`Loader::load_file`].
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, Problem> {
        Loader::new().load_file(path)
    }
}

/// nginx's words for an unfinished `-g`.
fn on_command_line(mut fault: Fault) -> Fault {
    if fault.message == super::lex::UNFINISHED {
        fault.message = "unexpected end of parameter, expecting \";\"".to_owned();
    }
    fault
}

fn finish(main: MainDraft, walk: Walk) -> Config {
    let events = main.events.unwrap_or_default();
    let sources: Sources = walk.files.sources;
    Config {
        daemon: main.daemon.unwrap_or(true),
        master_process: main.master_process.unwrap_or(true),
        pid: main.pid,
        user: main.user,
        error_log: main.error_log,
        worker_processes: main.worker_processes.flatten(),
        worker_rlimit_nofile: main.worker_rlimit_nofile,
        worker_shutdown_timeout: main.worker_shutdown_timeout,
        worker_connections: events.worker_connections,
        event_method: events.method,
        http: main.http,
        transparent: walk.transparent,
        notes: walk.notes,
        warnings: walk.warnings,
        sources: Arc::new(sources),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use proptest::prelude::*;

    use super::*;
    use crate::config::model::LogTarget;

    /// A directory with these files in it.
    fn place(files: &[(&str, &str)]) -> tempfile::TempDir {
        let place = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = place.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        place
    }

    fn names(config: &Config, place: &Path) -> Vec<String> {
        let relative = |path: &Path| path.strip_prefix(place).unwrap_or(path).to_owned();
        let files = config.sources.files.iter();
        files.map(|file| relative(&file.path).display().to_string()).collect()
    }

    #[test]
    fn includes_are_read_where_they_stand_in_order() {
        let place = place(&[
            ("conf/nginx.conf", "include events.conf; http { include sites/*.conf; include m; }"),
            ("conf/events.conf", "events { include none/*; include depth.inc; }"),
            ("conf/depth.inc", "worker_connections 7;"),
            ("conf/sites/b.conf", "server { listen 82; }"),
            ("conf/sites/a.conf", "server { listen 81; }"),
            ("conf/sites/.hidden.conf", "mistake;"),
            ("conf/sites/c.other", "mistake;"),
            ("conf/m", "map $uri $x { include map.inc; } types { include types.inc; }"),
            ("conf/map.inc", "a 1; default 2;"),
            ("conf/types.inc", "text/html html;"),
        ]);
        let config = Loader::new().prefix(place.path()).load_file("conf/nginx.conf").unwrap();
        let read = names(&config, place.path());
        assert_eq!(
            read,
            [
                "conf/nginx.conf",
                "conf/events.conf",
                "conf/depth.inc",
                "conf/sites/a.conf",
                "conf/sites/b.conf",
                "conf/m",
                "conf/map.inc",
                "conf/types.inc"
            ]
        );
        assert_eq!(config.worker_connections, Some(7));
        let http = config.http.unwrap();
        let listens: Vec<_> =
            http.servers.iter().map(|s| s.listen[0].text.value.as_str()).collect();
        assert_eq!(listens, ["81", "82"]);
        assert_eq!(http.maps[0].entries.len(), 1);
    }

    #[test]
    fn a_mistake_in_an_included_file_names_that_file() {
        let place = place(&[
            ("nginx.conf", "events {}\nhttp {\n    include site;\n}\n"),
            ("site", "server {\n    listen 1;\n    mistake;\n}\n"),
        ]);
        let problem = Loader::new().prefix(place.path()).load_file("nginx.conf").unwrap_err();
        let words = format!("unknown directive \"mistake\" in {}/site:3", place.path().display());
        assert_eq!(problem.to_string(), words);
    }

    #[test]
    fn an_include_must_balance_its_braces() {
        let place = place(&[("nginx.conf", "events {}\nhttp {\ninclude x;\n"), ("x", "server {")]);
        let problem = Loader::new().prefix(place.path()).load_file("nginx.conf").unwrap_err();
        assert_eq!(problem.message(), "unexpected end of file, expecting \"}\"");
        assert_eq!(problem.span().map(|span| span.file), Some(1));
    }

    #[test]
    fn a_circle_of_includes_ends() {
        let place = place(&[("nginx.conf", "include nginx.conf;")]);
        let problem = Loader::new().prefix(place.path()).load_file("nginx.conf").unwrap_err();
        assert!(problem.message().starts_with("too many files include one another"), "{problem}");
    }

    #[test]
    fn logs_and_pid_are_relative_to_the_prefix_but_sockets_are_not() {
        let text = "pid run/p; error_log e.log; events {} http { access_log a.log; \
                    upstream u { server unix:u.sock; } server { listen unix:l.sock; } }";
        let config = Loader::new().prefix("/srv").load_text("nginx.conf", text).unwrap();
        assert_eq!(config.pid.unwrap().value, Path::new("/srv/run/p"));
        assert_eq!(config.error_log[0].target.value, LogTarget::File("/srv/e.log".into()));
        let http = config.http.unwrap();
        let settings = &http.servers[0].settings;
        assert_eq!(settings.access_log[0].target.value, LogTarget::File("/srv/a.log".into()));
        assert_eq!(http.upstreams[0].servers[0].address.value, "unix:u.sock");
        assert_eq!(http.servers[0].listen[0].text.value, "unix:l.sock");
    }

    #[test]
    fn the_globals_come_first() {
        let loader = |globals: &str| Loader::new().globals(globals);
        let config = loader("daemon off; worker_processes 3;").load_text("c", "events {}").unwrap();
        assert_eq!((config.daemon, config.worker_processes), (false, Some(3)));

        let said = |globals: &str, text: &str| {
            loader(globals).load_text("nginx.conf", text).unwrap_err().to_string()
        };
        for (globals, text, words) in [
            (
                "daemon off",
                "events {}",
                "unexpected end of parameter, expecting \";\" in command line",
            ),
            ("foo;", "events {}", "unknown directive \"foo\" in command line"),
            (
                "events {}",
                "events {}",
                "block directives are not supported in -g option in command line",
            ),
            (
                "daemon off;",
                "events {}\ndaemon off;",
                "\"daemon\" directive is duplicate in nginx.conf:2",
            ),
        ] {
            assert_eq!(said(globals, text), words);
        }
    }

    #[test]
    fn texts_are_kept_byte_for_byte() {
        let text = b"\xef\xbb\xbf# caf\xe9\r\nevents {}\r\n";
        let config = Loader::new().globals("daemon off;").load_text("nginx.conf", text).unwrap();
        let mut dump = b"# configuration file nginx.conf:\n".to_vec();
        dump.extend_from_slice(text);
        dump.push(b'\n');
        assert_eq!(config.sources.dump(), dump);
    }

    #[test]
    fn a_server_without_listen_has_the_port_of_its_user() {
        let text = "events {} http { server { } }";
        let port = |superuser| {
            let config = Loader::new().superuser(superuser).load_text("nginx.conf", text).unwrap();
            config.http.unwrap().servers[0].listen[0].text.value.clone()
        };
        assert_eq!((port(true).as_str(), port(false).as_str()), ("*:80", "*:8000"));
    }

    /// Names and arguments that make sense together often enough, and senseless ones.
    fn text() -> impl Strategy<Value = String> {
        let names: Vec<&str> =
            crate::config::directive::names().filter(|n| *n != "include").collect();
        let word = prop_oneof![
            3 => prop::sample::select(names).prop_map(str::to_owned),
            2 => prop::sample::select(vec![
                "{", "}", ";", "/", "~", "=", "on", "off", "u", "80", "unix:x", "[::1]:1", "$x",
                "http://u", "http://[", "1h", "5k", "weight=", "=", "''", "default", "escape=json",
            ]).prop_map(str::to_owned),
            1 => "[ -~]{0,6}",
            1 => "\\PC{0,4}",
        ];
        prop::collection::vec(word, 0..60).prop_map(|words| {
            let text = words.join(" ");
            format!(
                "events {{}} http {{ server {{ {text} }} upstream u {{ {text} }} {text} }} {text}"
            )
        })
    }

    proptest! {
        #[test]
        fn no_text_is_too_odd(text in text()) {
            for part in [text.as_str(), text.trim_start_matches("events {} http { server { ")] {
                if let Err(problem) = Loader::new().load_text("nginx.conf", part) {
                    prop_assert!(!problem.to_string().is_empty());
                    let _ = problem.render();
                }
            }
        }
    }
}
