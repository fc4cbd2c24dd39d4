//! The programs that are compared, each started on the guide's configuration.

use std::env;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;
use tests::place::{Place, free_port};
use tests::process::Running;
use tokio::net::TcpStream;

use crate::options::Options;
use crate::problem::Problem;
use crate::procfs::{self, CpuTime};

/// The workers' sockets, as the guide names them; relative to the fronts' working directory.
pub(crate) const SOCKETS: [&str; 4] = [
    "websockets-test_00.sock",
    "websockets-test_01.sock",
    "websockets-test_02.sock",
    "websockets-test_03.sock",
];

/// How long a front may take to listen.
const PATIENCE: Duration = Duration::from_secs(15);

/// One of the programs compared.
#[derive(Debug)]
pub(crate) struct Peer {
    /// Its name in the table.
    pub(crate) label: &'static str,
    /// What it calls itself, with its version.
    pub(crate) version: String,
    program: PathBuf,
    kind: Kind,
}

/// Whose manners a program has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Wants its own temporary directories, and `user root;` when it is root.
    Nginx,
    Proxy,
}

impl Peer {
    /// The peers in the order of the table. The last one is ours: it is the one that the others
    /// are compared with.
    pub(crate) fn chosen(options: &Options) -> Result<Vec<Self>, Problem> {
        const NGINX: &str = "install nginx or give --nginx PATH";
        const PROXY: &str = "build it (cargo build --release -p proxy) or give --proxy PATH";
        let rival = match &options.vs {
            Some(path) => Self::new("vs", path, "give --vs the PATH of a proxy")?,
            None => Self::new("nginx", &options.nginx, NGINX)?,
        };
        let beside = || env::current_exe().ok()?.parent().map(|dir| dir.join("proxy"));
        let ours = options.proxy.clone().or_else(beside).unwrap_or_else(|| PathBuf::from("proxy"));
        Ok(vec![rival, Self::new("proxy", &ours, PROXY)?])
    }

    fn new(label: &'static str, program: &Path, hint: &'static str) -> Result<Self, Problem> {
        let missing = || Problem::NoProgram { path: program.to_owned(), hint };
        let program = find(program).ok_or_else(missing)?;
        let version = version(&program)?;
        // By what it is, not by whose place it takes: any program may stand in any place.
        let kind = if version.starts_with("nginx") { Kind::Nginx } else { Kind::Proxy };
        Ok(Self { label, version, program, kind })
    }

    /// Starts it in `place` on a free port, with so many workers of its own.
    pub(crate) async fn start(&self, place: &Place, threads: u32) -> Result<Front, Problem> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
        let config = place.write(
            &format!("{}.conf", self.label),
            &self.configuration(place.path(), address, threads),
        );
        let mut command = Command::new(&self.program);
        command.arg("-c").arg(config).arg("-p").arg(place.path()).args(["-e", "stderr"]);
        if self.kind == Kind::Nginx && rustix::process::geteuid().is_root() {
            // nginx's workers would be `nobody` and could not open the sockets.
            command.args(["-g", "user root;"]);
        }
        command.current_dir(place.path());
        let running =
            Running::start(self.label, command).stop_with(Signal::TERM, Duration::from_secs(2));
        let mut front = Front { running, address };
        front.listening(self.label).await?;
        Ok(front)
    }

    /// The guide's configuration, with what a measurement needs beside it: room for the
    /// connections, errors only, and no access log.
    fn configuration(&self, prefix: &Path, listen: SocketAddr, threads: u32) -> String {
        let (prefix, label) = (prefix.display(), self.label);
        let temporary = match self.kind {
            Kind::Nginx => ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
                .map(|of| format!("    {of}_temp_path {prefix}/nginx-{of};\n"))
                .concat(),
            Kind::Proxy => String::new(),
        };
        let servers = SOCKETS.map(|socket| format!("        server unix:{socket};\n")).concat();
        format!(
            "daemon off;
worker_processes {threads};
pid {prefix}/{label}.pid;
error_log stderr error;
events {{
    worker_connections 20000;
}}
http {{
    access_log off;
{temporary}    server {{
        listen {listen};
        location / {{
            proxy_http_version 1.1;
            proxy_pass http://websocket;
            proxy_set_header Connection $http_connection;
            proxy_set_header Upgrade $http_upgrade;
        }}
    }}
    upstream websocket {{
        least_conn;
{servers}    }}
}}
"
        )
    }
}

/// A running front; dropping it ends it.
pub(crate) struct Front {
    running: Running,
    /// Where it listens.
    pub(crate) address: SocketAddr,
}

impl Front {
    /// CPU time that it has used so far, all its processes together.
    pub(crate) fn cpu_time(&self) -> Result<CpuTime, Problem> {
        CpuTime::of(self.pid())
    }

    /// Its memory in kibibytes, all its processes together.
    pub(crate) fn memory(&self) -> Result<u64, Problem> {
        procfs::memory(self.pid())
    }

    /// What it has put on stderr so far: the last of it.
    pub(crate) fn said(&self) -> String {
        let said = self.running.stderr();
        let lines: Vec<_> = said.lines().collect();
        let last = lines.iter().skip(lines.len().saturating_sub(10));
        last.map(|line| format!("  {line}\n")).collect()
    }

    fn pid(&self) -> u32 {
        u32::try_from(self.running.pid().as_raw_nonzero().get()).unwrap_or(0)
    }

    async fn listening(&mut self, name: &str) -> Result<(), Problem> {
        let connects = async {
            while TcpStream::connect(self.address).await.is_err() {
                tokio::time::sleep(Duration::from_millis(2)).await;
                if self.running.exited().is_some() {
                    // For its last words.
                    self.running.wait_exit(PATIENCE);
                    return Err("ended at once");
                }
            }
            // Another program may have taken the port meanwhile: then it is that one that accepts.
            if self.running.stderr().contains("in use") {
                Err("lost its port: try again")
            } else {
                Ok(())
            }
        };
        let late = Err("does not listen in time");
        let outcome = tokio::time::timeout(PATIENCE, connects).await.unwrap_or(late);
        outcome.map_err(|what| Problem::Process { name: name.to_owned(), what, said: self.said() })
    }
}

/// The program itself, or the first of its name on `PATH` or in Debian's `/usr/sbin`.
fn find(program: &Path) -> Option<PathBuf> {
    if program.components().count() > 1 {
        return program.canonicalize().ok().filter(|path| path.is_file());
    }
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain([PathBuf::from("/usr/sbin")])
        .map(|dir| dir.join(program))
        .find(|path| path.is_file())
}

/// The first line of what it answers to `-v`.
fn version(program: &Path) -> Result<String, Problem> {
    let what = format!("cannot run {} -v", program.display());
    let output = Command::new(program).arg("-v").output().map_err(Problem::io(what))?;
    let text = [output.stderr, output.stdout].concat();
    let text = String::from_utf8_lossy(&text);
    Ok(text.lines().next().unwrap_or("unknown").to_owned())
}
