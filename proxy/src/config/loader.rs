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

    /// Loads a file and all that it includes. Errors are what nginx would refuse, and what nginx
    /// would take but this proxy cannot do.
    pub fn load_file(&self, path: impl AsRef<Path>) -> Result<Config, Problem> {
        let path = self.full_path(path);
        self.load(|walk| walk.files.open_main(&path))
    }

    /// Loads a text as if it stood in a file of that name in the prefix.
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
            return Err(Fault::nowhere("no \"events\" section in configuration"));
        }
        Ok(main)
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
    let worker_connections = main.events.and_then(|events| events.worker_connections);
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
        worker_connections: worker_connections.unwrap_or(512),
        http: main.http,
        notes: walk.notes,
        warnings: walk.warnings,
        sources: Arc::new(sources),
    }
}
