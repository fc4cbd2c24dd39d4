//! What stands in front of the workers: nginx or the proxy, on one configuration text.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;

use crate::place::{self, KeptPort, Place};
use crate::process::{PATIENCE, Running, try_wait_for};

/// The two programs that must not be told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Front {
    /// The reference.
    Nginx,
    /// Ours.
    Proxy,
}

impl Front {
    /// The program's name, as it stands in its own messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Proxy => "proxy",
        }
    }

    /// `nginx -c CONFIG -p PREFIX` or `proxy -c CONFIG -p PREFIX`, run in `prefix`, for a file
    /// that is to be read unchanged. Errors go to stderr until the file says otherwise.
    ///
    /// nginx started by root gives its workers to `nobody`, who can't open a test's sockets:
    /// there it gets `user root;` by `-g`.
    #[must_use]
    pub fn command(self, config: &Path, prefix: &Path) -> Command {
        self.command_logging_to("stderr", config, prefix)
    }

    /// As [`Front::command`], with the errors in a file until the configuration says otherwise.
    /// What goes wrong at the start is then said once, on stderr and without a time.
    #[must_use]
    pub fn command_logging_to(self, errors: &str, config: &Path, prefix: &Path) -> Command {
        let program = match self {
            Self::Nginx => place::nginx(),
            Self::Proxy => place::binary("proxy"),
        };
        let mut command = Command::new(program);
        command.arg("-c").arg(config).arg("-p").arg(prefix).current_dir(prefix);
        command.args(["-e", errors]);
        let globals = self.globals(config, prefix);
        if !globals.is_empty() {
            command.args(["-g", &globals]);
        }
        command
    }

    /// The global directives that the file leaves out and a test needs: foreground, a pid file
    /// of its own.
    fn globals(self, config: &Path, prefix: &Path) -> String {
        let text = fs::read_to_string(config).unwrap_or_default();
        let says = |name: &str| text.lines().any(|line| line.trim_start().starts_with(name));
        let mut globals = String::new();
        if !says("daemon ") {
            globals += "daemon off; ";
        }
        if !says("pid ") {
            globals += &format!("pid {}/{}.pid; ", prefix.display(), self.name());
        }
        if self == Self::Nginx && rustix::process::geteuid().is_root() && !says("user ") {
            globals += "user root; ";
        }
        globals
    }

    /// Starts it on `config` (a file name inside `place`), and waits until `port` of 127.0.0.1
    /// accepts.
    ///
    /// # Errors
    /// What it printed, when it ended or did not listen in time: the port may have been taken
    /// meanwhile, so try again with another one.
    pub fn start(self, place: &Place, config: &str, port: u16) -> Result<Running, String> {
        let command = self.command(&place.join(config), place.path());
        let mut running = Running::start(self.name(), command);
        let ready = try_wait_for(PATIENCE, || {
            if running.exited().is_some() || running.stderr().contains("in use") {
                return Some(false);
            }
            accepts(port).then_some(true)
        });
        match ready {
            Some(true) => return Ok(running),
            Some(false) if running.exited().is_some() => drop(running.wait_exit(PATIENCE)),
            Some(false) => {}
            None => return Err(format!("no answer on port {port}: {}", running.stderr())),
        }
        Err(running.stderr())
    }

    /// Writes `config` (with `{port}` for the port to listen on, and `{dir}` for the directory)
    /// into `place` and starts on it; again with another port when that one was taken meanwhile.
    ///
    /// nginx gets its temporary files inside the directory too, as it needs when it is not root.
    ///
    /// # Panics
    /// When it does not start; the message has what it printed.
    pub fn serve(self, place: &Place, config: &str) -> (Running, u16) {
        self.try_serve(place, config)
            .unwrap_or_else(|said| panic!("{} did not start:\n{said}\non:\n{config}", self.name()))
    }

    /// As [`Front::serve`].
    ///
    /// # Errors
    /// What it printed when it did not start.
    pub fn try_serve(self, place: &Place, config: &str) -> Result<(Running, u16), String> {
        let mut failure = String::new();
        for _ in 0..5 {
            let port = KeptPort::new();
            let name = format!("{}.conf", self.name());
            place.write(&name, &self.fill(place, config, port.number));
            match self.start(place, &name, port.number) {
                Ok(running) => return Ok((running, port.number)),
                Err(said) if said.contains("in use") => failure = said,
                Err(said) => return Err(said),
            }
        }
        Err(failure)
    }

    /// The text as `serve` writes it. Line numbers stay as they are.
    #[must_use]
    pub fn fill(self, place: &Place, config: &str, port: u16) -> String {
        let dir = place.path().display().to_string();
        let text = config.replace("{port}", &port.to_string()).replace("{dir}", &dir);
        match self {
            Self::Proxy => text,
            Self::Nginx => text.replacen("http {", &format!("http {{{}", temporary(&dir)), 1),
        }
    }
}

/// nginx's directives for temporary files, on one line.
fn temporary(dir: &str) -> String {
    ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!(" {kind}_temp_path {dir}/nginx-{kind};"))
        .concat()
}

fn accepts(port: u16) -> bool {
    TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).is_ok()
}
