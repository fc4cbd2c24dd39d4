//! Where it listens, and when it refuses to.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixDatagram, UnixListener};

use futures_util::{SinkExt, StreamExt};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio_tungstenite::tungstenite::Message;

use crate::support::*;

async fn assert_serves(worker: &Worker) {
    let mut client = worker.client().await;
    soon(client.send(Message::text("hello"))).await.unwrap();
    assert_eq!(soon(client.next()).await.unwrap().unwrap(), Message::text("hello"));
}

#[tokio::test]
async fn supervisors_name_for_it_makes_the_socket_in_the_working_directory() {
    let dir = TempDir::new().unwrap();
    let mut command = command(&dir);
    command.env("SUPERVISOR_PROCESS_NAME", "websockets-test_00");
    let worker = Worker::spawn(command, dir).await;
    assert_eq!(worker.place, "unix:websockets-test_00.sock");
    assert!(worker.dir.path().join("websockets-test_00.sock").exists());
}

#[tokio::test]
async fn a_path_given_as_a_flag_goes_before_the_name() {
    let worker = Worker::start(&["--unix", "worker.sock"]).await;
    assert_eq!(worker.place, "unix:worker.sock");
    assert_serves(&worker).await;
}

#[tokio::test]
async fn tcp_port_0_takes_a_free_port_and_says_which() {
    let worker = Worker::start(&["--tcp", "localhost:0"]).await;
    let stream = soon(TcpStream::connect(&worker.place)).await.unwrap();
    let (mut client, _) =
        soon(tokio_tungstenite::client_async("ws://localhost/", stream)).await.unwrap();
    soon(client.send(Message::text("hello"))).await.unwrap();
    assert_eq!(soon(client.next()).await.unwrap().unwrap(), Message::text("hello"));
    assert!(!worker.socket().exists(), "the flag goes before the name");
}

#[tokio::test]
async fn without_a_name_or_a_flag_the_error_says_both_ways() {
    let dir = TempDir::new().unwrap();
    let (code, stderr) = run(&mut command(&dir)).await;
    assert_eq!(code, Some(1));
    for way in ["--unix PATH", "--tcp ADDR", "SUPERVISOR_PROCESS_NAME"] {
        assert!(stderr.contains(way), "{stderr}");
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_wrong_flag_is_an_error_help_and_version_are_not() {
    let dir = TempDir::new().unwrap();
    for (flags, code) in [
        (&["--help"][..], 0),
        (&["--version"], 0),
        (&["--pong"], 1),
        (&["--ping-interval", "soon"], 1),
        (&["--max-size", "-1"], 1),
        (&["--unix", "a", "--tcp", "b"], 1),
        (&["--tcp", "nonsense"], 1),
    ] {
        assert_eq!(run(command(&dir).args(flags)).await.0, Some(code), "{flags:?}");
    }
}

#[tokio::test]
async fn a_live_socket_is_an_error_and_not_a_theft() {
    let worker = Worker::start(&[]).await;
    let second = &mut command(&worker.dir);
    let (code, stderr) = run(second.args(["--unix", "worker.sock"])).await;
    assert_eq!(code, Some(1));
    assert_eq!(
        stderr,
        "echo: cannot listen on unix:worker.sock: it is in use by a running server\n"
    );
    assert_serves(&worker).await;
}

#[tokio::test]
async fn a_live_socket_whose_queue_is_full_is_an_error_too() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("worker.sock");
    let socket = tokio::net::UnixSocket::new_stream().unwrap();
    socket.bind(&path).unwrap();
    let _listener = socket.listen(0).unwrap(); // room for one, and nobody accepts
    let _first = std::os::unix::net::UnixStream::connect(&path).unwrap();
    let (code, stderr) = run(command(&dir).args(["--unix", "worker.sock"])).await;
    assert_eq!(code, Some(1));
    assert!(stderr.contains("in use by a running server"), "{stderr}");
}

#[tokio::test]
async fn a_stale_socket_is_replaced() {
    let dir = TempDir::new().unwrap();
    drop(UnixListener::bind(dir.path().join("worker.sock")).unwrap());
    let mut command = command(&dir);
    command.args(["--unix", "worker.sock"]);
    assert_serves(&Worker::spawn(command, dir).await).await;
}

#[tokio::test]
async fn of_many_that_start_at_once_on_a_stale_socket_one_serves_and_none_is_robbed() {
    let dir = TempDir::new().unwrap();
    drop(UnixListener::bind(dir.path().join("worker.sock")).unwrap());
    let mut children: Vec<_> =
        (0..8).map(|_| command(&dir).args(["--unix", "worker.sock"]).spawn().unwrap()).collect();
    soon(async {
        while children.len() > 1 {
            children.retain_mut(|child| child.try_wait().unwrap().is_none());
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(children.len(), 1, "the winner left");
    let stream = soon(tokio::net::UnixStream::connect(dir.path().join("worker.sock"))).await;
    upgrade(&mut stream.unwrap()).await;
}

#[tokio::test]
async fn nobody_looks_at_the_path_while_another_has_the_directory_locked() {
    let dir = TempDir::new().unwrap();
    drop(UnixListener::bind(dir.path().join("worker.sock")).unwrap());
    let lock = fs::File::open(dir.path()).unwrap();
    lock.lock().unwrap();
    let (code, stderr) = run(command(&dir).args(["--unix", "worker.sock"])).await;
    assert_eq!(code, Some(1));
    assert!(stderr.contains("another program keeps its directory locked"), "{stderr}");
    drop(lock);
    let mut command = command(&dir);
    command.args(["--unix", "worker.sock"]);
    assert_serves(&Worker::spawn(command, dir).await).await;
}

#[tokio::test]
async fn a_file_that_is_no_stream_socket_stays_untouched() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("notes"), "precious").unwrap();
    std::os::unix::fs::symlink("notes", dir.path().join("link")).unwrap();
    fs::create_dir(dir.path().join("folder")).unwrap();
    let _datagram = UnixDatagram::bind(dir.path().join("datagram")).unwrap();
    for name in ["notes", "link", "folder", "datagram"] {
        let (code, stderr) = run(command(&dir).args(["--unix", name])).await;
        assert_eq!(code, Some(1), "{name}");
        let start = format!("echo: cannot listen on unix:{name}: ");
        assert!(stderr.starts_with(&start), "{stderr}");
        assert!(dir.path().join(name).exists(), "{name}");
    }
    assert_eq!(fs::read_to_string(dir.path().join("notes")).unwrap(), "precious");
}

#[tokio::test]
async fn a_path_that_cannot_be_is_named_in_the_error() {
    let dir = TempDir::new().unwrap();
    let long = "x".repeat(200);
    for path in ["missing/worker.sock", &long] {
        let (code, stderr) = run(command(&dir).args(["--unix", path])).await;
        assert_eq!(code, Some(1));
        assert!(stderr.starts_with(&format!("echo: cannot listen on unix:{path}: ")), "{stderr}");
    }
}

#[tokio::test]
async fn the_socket_has_the_mode_that_the_umask_leaves() {
    let worker = Worker::start(&[]).await;
    let other = worker.dir.path().join("other.sock");
    let _other = UnixListener::bind(&other).unwrap();
    let mode = |path| fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode(worker.socket()), mode(other));
}

#[tokio::test]
async fn it_takes_all_the_descriptors_that_it_may_have() {
    let dir = TempDir::new().unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -Sn 64; exec \"$0\" --unix worker.sock", BINARY]);
    prepare(&mut command, &dir);
    let worker = Worker::spawn(command, dir).await;
    let limits = fs::read_to_string(format!("/proc/{}/limits", worker.id())).unwrap();
    let files = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    let columns: Vec<_> = files.split_whitespace().collect();
    assert_eq!(columns[3], columns[4], "soft and hard limit: {files}");
}
