//! Where things are: a scratch directory, a free port, our binaries, nginx, Python.

use std::env;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use socket2::{Domain, Socket, Type};
use tempfile::TempDir;

/// A scratch directory for one test, removed at its end. Short enough for unix socket paths.
#[derive(Debug)]
pub struct Place {
    dir: TempDir,
}

impl Place {
    /// A new empty directory.
    ///
    /// # Panics
    /// When the temporary directory can't be written.
    #[expect(clippy::new_without_default, reason = "it makes a directory: no value to default to")]
    #[must_use]
    pub fn new() -> Self {
        let dir = tempfile::Builder::new().prefix("t-").tempdir().expect("a temporary directory");
        Self { dir }
    }

    /// The directory, absolute.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// A path inside, whether it exists or not.
    #[must_use]
    pub fn join(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file inside and gives its path.
    ///
    /// # Panics
    /// When it can't be written.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.join(name);
        fs::write(&path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        path
    }

    /// Reads a file inside; one that is not there (yet) reads as empty.
    #[must_use]
    pub fn read(&self, name: &str) -> String {
        fs::read(self.join(name))
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default()
    }
}

/// A TCP port of 127.0.0.1 that is kept for a server that is about to start: nobody else is given
/// it, but who asks for it by number, with `SO_REUSEADDR` as every server does, gets it.
#[derive(Debug)]
pub struct KeptPort {
    /// Its number.
    pub number: u16,
    _bound: Socket,
}

impl KeptPort {
    /// Keeps a free port until the value is dropped.
    ///
    /// # Panics
    /// When the machine has none.
    #[expect(clippy::new_without_default, reason = "it takes a port: no value to default to")]
    #[must_use]
    pub fn new() -> Self {
        // Bound, but not listening: such sockets don't stand in each other's way.
        let bound = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        bound.set_reuse_address(true).expect("SO_REUSEADDR");
        bound.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).expect("a free port");
        let address = bound.local_addr().expect("a bound address");
        let number = address.as_socket().expect("an IP address").port();
        Self { number, _bound: bound }
    }
}

/// A TCP port of 127.0.0.1 that was free a moment ago. Another process may take it first: who
/// can hold on to it uses [`KeptPort`].
///
/// # Panics
/// When the machine has no free port.
#[must_use]
pub fn free_port() -> u16 {
    KeptPort::new().number
}

/// One of our own programs (`proxy`, `echo`, `client`), built beside the running test.
///
/// # Panics
/// When it has not been built; the message says how to.
#[must_use]
pub fn binary(name: &str) -> PathBuf {
    let test = env::current_exe().expect("the path of this test");
    test.ancestors().skip(1).map(|dir| dir.join(name)).find(|path| path.is_file()).unwrap_or_else(
        || {
            panic!(
                "no `{name}` in the directories above {}: run `tests/run`, or `cargo build` first",
                test.display()
            )
        },
    )
}

/// The repository's own directory.
///
/// # Panics
/// When this crate has no parent directory, which a workspace member always has.
#[must_use]
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ stands in the repository")
}

/// nginx: `/usr/sbin/nginx`, or the first one on `PATH`.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn nginx() -> PathBuf {
    let debian = PathBuf::from("/usr/sbin/nginx");
    if debian.is_file() { debian } else { on_path("nginx") }
}

/// A program on `PATH`.
///
/// # Panics
/// When there is none of that name.
#[must_use]
pub fn on_path(name: &str) -> PathBuf {
    env::split_paths(&env::var_os("PATH").unwrap_or_default())
        .map(|dir| dir.join(name))
        .find(|path| path.is_file())
        .unwrap_or_else(|| panic!("no `{name}` on PATH: run `tests/run`, which installs it"))
}

/// A Python that has the packages `websockets` and `h11`: `TESTS_PYTHON` if set, else the environment
/// that `tests/run` makes in `target/venv`.
///
/// # Panics
/// When there is none; the message says how to get it.
#[must_use]
pub fn python() -> PathBuf {
    let python = env::var_os("TESTS_PYTHON")
        .map_or_else(|| repository().join("target/venv/bin/python"), PathBuf::from);
    assert!(
        python.is_file(),
        "no Python at {}: run `tests/run`, which makes it, or set TESTS_PYTHON",
        python.display()
    );
    python
}

/// Supervisor's daemon; `supervisorctl` stands beside it. `TESTS_SUPERVISORD` if set, else the one
/// in `target/venv`, else the first one on `PATH`.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn supervisord() -> PathBuf {
    let ours = repository().join("target/venv/bin/supervisord");
    match env::var_os("TESTS_SUPERVISORD") {
        Some(path) => PathBuf::from(path),
        None if ours.is_file() => ours,
        None => on_path("supervisord"),
    }
}
