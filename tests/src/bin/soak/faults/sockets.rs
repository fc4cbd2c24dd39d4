//! The files of sockets: gone, other ones, no sockets, not permitted. Tunnels never notice.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use tokio::time::sleep;

use crate::dice::Dice;
use crate::fleet::Worker;

/// The file is moved away, and back.
pub(super) async fn remove(worker: &Worker, dice: &mut Dice) {
    let _aside = Aside::put(&worker.socket);
    sleep(dice.millis(100, 1500)).await;
}

/// Another socket stands there, at which nobody listens.
pub(super) async fn replace(worker: &Worker, dice: &mut Dice) {
    let _aside = Aside::put(&worker.socket);
    drop(UnixListener::bind(&worker.socket).unwrap());
    sleep(dice.millis(100, 1500)).await;
    fs::remove_file(&worker.socket).unwrap();
}

/// A directory stands there.
pub(super) async fn make_directory(worker: &Worker, dice: &mut Dice) {
    let _aside = Aside::put(&worker.socket);
    fs::create_dir(&worker.socket).unwrap();
    sleep(dice.millis(100, 1500)).await;
    fs::remove_dir(&worker.socket).unwrap();
}

/// Nobody may connect to it.
pub(super) async fn forbid(worker: &Worker, dice: &mut Dice) {
    let allow = |mode| fs::set_permissions(&worker.socket, fs::Permissions::from_mode(mode));
    allow(0).unwrap();
    sleep(dice.millis(100, 1500)).await;
    allow(0o777).unwrap();
}

/// A file that is elsewhere until this is dropped.
#[derive(Debug)]
struct Aside {
    path: PathBuf,
    aside: PathBuf,
}

impl Aside {
    fn put(path: &Path) -> Self {
        let aside = path.with_extension("aside");
        fs::rename(path, &aside).unwrap();
        Self { path: path.to_owned(), aside }
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        // The place of all of it may be gone, when the run was ended.
        let _gone = fs::rename(&self.aside, &self.path);
    }
}
