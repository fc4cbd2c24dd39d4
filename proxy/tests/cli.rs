//! The program as its users run it: what it prints, how it ends, what it leaves behind.
#![expect(clippy::unwrap_used, reason = "helpers of tests, which stop at what is unexpected")]

mod common;

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::{Duration, Instant};

use common::program::{CONF, Daemon, GET, PROXY, Place, ask, connect, signal};
use common::{OK, Worker, wait_until};

/// The processor time that a process has used, in ticks of 1/100 s, which is what Linux counts in
/// on every processor that this runs on.
fn ticks(pid: &str) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    // What follows the name begins with field 3; 14 and 15 are utime and stime.
    let (_, fields) = stat.rsplit_once(") ").unwrap();
    fields.split(' ').skip(11).take(2).map(|field| field.parse::<u64>().unwrap()).sum()
}

#[test]
fn it_tells_about_itself() {
    let place = Place::with(CONF);
    let version = concat!("proxy version: proxy/", env!("CARGO_PKG_VERSION"), "\n");
    for (flag, says) in
        [("-h", "Usage: proxy "), ("-?", "Usage: proxy "), ("-v", ""), ("-V", "built with Rust ")]
    {
        let told = place.run(&[flag]);
        assert_eq!((told.code, &*told.out), (Some(0), ""), "{flag}");
        assert!(told.err.strip_prefix(version).unwrap().starts_with(says), "{flag}: {}", told.err);
        let modules = told.err.lines().any(|line| {
            line.starts_with("configure arguments: --with")
                && line.contains(" --without-http_fastcgi_module")
                && !line.contains("http_proxy_module")
        });
        assert_eq!(modules, flag == "-V", "{flag}: {}", told.err);
    }
}

#[test]
fn misuse_ends_it_with_1() {
    let place = Place::with(CONF);
    let ended = place.run(&["-x"]);
    assert_eq!((ended.code, &*ended.err), (Some(1), "proxy: invalid option: \"x\"\n"));
    let ended = place.run(&["-c", "none.conf"]);
    let words = "proxy: [emerg] open() \"none.conf\" failed (2: No such file or directory)\n";
    assert_eq!((ended.code, &*ended.err), (Some(1), words));
}

#[test]
fn a_good_configuration_is_said_to_be_good() {
    let place = Place::with(CONF);
    let ended = place.run(&["-t", "-c", "x.conf"]);
    let words = "proxy: the configuration file x.conf syntax is ok\n\
                 proxy: configuration file x.conf test is successful\n";
    assert_eq!((ended.code, &*ended.out, &*ended.err), (Some(0), "", words));
    let ended = place.run(&["-tq", "-c", "x.conf"]);
    assert_eq!((ended.code, &*ended.out, &*ended.err), (Some(0), "", ""));
}

#[test]
fn a_bad_configuration_is_shown_with_a_caret() {
    let place = Place::with("events {}\nhttp {\n    servr {}\n}\n");
    let words = "proxy: [emerg] unknown directive \"servr\" in x.conf:3
 --> x.conf:3:5
  |
3 |     servr {}
  |     ^^^^^
";
    let ended = place.run(&["-c", "x.conf"]);
    assert_eq!((ended.code, &*ended.err), (Some(1), words));
    let words = format!("{words}proxy: configuration file x.conf test failed\n");
    for flags in ["-t", "-tq"] {
        let ended = place.run(&[flags, "-c", "x.conf"]);
        assert_eq!((ended.code, ended.err), (Some(1), words.clone()), "{flags}");
    }
}

#[test]
fn a_configuration_is_dumped_as_it_is() {
    let main = "events {}\t# a comment\r\ninclude  part.conf;";
    let place = Place::with(main);
    fs::write(place.path("part.conf"), b"# \xff\n\nworker_processes 1;\n\n").unwrap();
    let ended = place.start(&["-Tq", "-c", "x.conf"]).end();
    assert_eq!((ended.code, &*ended.err), (Some(0), ""));
    let mut dump = format!("# configuration file x.conf:\n{main}\n").into_bytes();
    dump.extend_from_slice(b"# configuration file part.conf:\n# \xff\n\nworker_processes 1;\n\n\n");
    let out = fs::read(place.path("out")).unwrap();
    assert_eq!(out.escape_ascii().to_string(), dump.escape_ascii().to_string());
}

#[test]
fn a_busy_port_ends_it_even_before_it_goes_to_the_background() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let place = Place::with(&format!("pid x.pid; {}", CONF.replace(":0;", &format!(":{port};"))));
    let ended = place.run(&["-c", "x.conf"]);
    let words =
        format!("proxy: [emerg] bind() to 127.0.0.1:{port} failed (98: Address already in use)\n");
    assert_eq!((ended.code, ended.err), (Some(1), words));
    assert!(!place.path("x.pid").exists());
}

#[test]
fn without_a_file_it_says_so_and_balances_over_what_a_pattern_finds() {
    let place = Place::with("");
    let worker = Worker::bind(place.path("worker_00.sock"));
    let args = ["--listen", "127.0.0.1:0", "--upstream", "unix:worker_*.sock", "-gpid x.pid;"];
    let running = place.start(&args);
    let door = place.door("err");
    assert_eq!(place.pid("x.pid"), running.pid());
    let mut client = connect(door);
    client.write_all(GET.as_bytes()).unwrap();
    drop(worker.answer(OK));
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("ok"), "{answer}");
    signal("TERM", &running.pid());
    let ended = running.end();
    assert_eq!(ended.code, Some(0));
    let mut lines = ended.err.lines();
    let words = "proxy: no -c: using the built-in configuration, which -T prints (-h for help)";
    assert_eq!(lines.next(), Some(words));
    assert!(lines.all(|line| line.contains(" [notice] ")), "{}", ended.err);
    assert!(!place.path("x.pid").exists());
}

#[test]
fn a_pattern_that_finds_nothing_ends_it() {
    let ended = Place::with("").run(&["--upstream", "unix:worker_*.sock"]);
    assert_eq!(ended.code, Some(1));
    let words = "proxy: [emerg] no socket matches \"worker_*.sock\": start the servers first";
    assert!(ended.err.starts_with(words), "{}", ended.err);
}

#[test]
fn in_the_foreground_the_pid_is_the_childs_and_errors_go_where_e_says() {
    for name in ["TERM", "INT", "QUIT"] {
        let place = Place::with(CONF);
        let running = place.start(&["-c", "x.conf", "-e", "x.log", "-g", "daemon off; pid x.pid;"]);
        let door = place.door("x.log");
        assert_eq!(place.pid("x.pid"), running.pid());
        assert!(ask(door).ends_with("here"));
        signal(name, &running.pid());
        let ended = running.end();
        assert_eq!((ended.code, &*ended.out, &*ended.err), (Some(0), "", ""), "{name}");
        assert!(!place.path("x.pid").exists(), "{name}");
        assert!(place.text("x.log").contains(&format!("(SIG{name}) received")), "{name}");
    }
}

#[test]
fn in_the_background_it_keeps_nothing_of_its_parents() {
    let place = Place::with(&format!("error_log x.log notice; pid x.pid; {CONF}"));
    let parent = place.start(&["-c", "x.conf"]);
    let parent_pid = parent.pid();
    let ended = parent.end();
    assert_eq!((ended.code, &*ended.out, &*ended.err), (Some(0), "", ""));
    let pid = place.pid("x.pid");
    let daemon = Daemon(&pid);
    assert_ne!(pid, parent_pid);
    assert!(ask(place.door("x.log")).ends_with("here"));
    wait_until("its descriptors are its own", || {
        let log = fs::canonicalize(place.path("x.log")).unwrap();
        let own = ["/dev/null".into(), "/dev/null".into(), log];
        own.iter().enumerate().all(|(number, to)| daemon.descriptor(number) == *to)
    });
    signal("TERM", &pid);
    wait_until("it ends", || !daemon.is_alive());
    assert!(!place.path("x.pid").exists());
}

#[test]
fn out_of_descriptors_it_waits_quietly_and_serves_again() {
    let conf = CONF.replace("server {", "client_header_timeout 1h; server {");
    let place = Place::with(&format!("daemon off; {conf}"));
    let script = "ulimit -n 40 && exec \"$0\" \"$@\"";
    let running = place.start_as("sh", ["-c", script, PROXY, "-c", "x.conf"]);
    let door = place.door("err");
    let said = " descriptors for connections are not enough, ";
    let shortages = || place.text("err").matches(said).count();

    let mut idle = connect(door);
    idle.write_all(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n").unwrap();
    idle.read_exact(&mut [0]).unwrap();
    let mut crowd: Vec<_> = (0..60).map(|_| connect(door)).collect();
    idle.read_to_end(&mut Vec::new()).expect("it makes room for whoever waits");
    wait_until("it is out of descriptors", || shortages() > 0);
    let (before, since) = (ticks(&running.pid()), Instant::now());
    crowd[0].set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    crowd[0].read_exact(&mut [0]).expect_err("a clock: nobody answers who was not asked");
    let (used, waited) = (ticks(&running.pid()) - before, since.elapsed());
    assert!(u128::from(used) * 10 < waited.as_millis() / 4 + 50, "{used} ticks in {waited:?}");
    assert_eq!(shortages(), 1, "{}", place.text("err"));

    drop(crowd.drain(..55));
    assert!(ask(door).ends_with("here"));
    drop(crowd);
    signal("TERM", &running.pid());
    assert_eq!(running.end().code, Some(0));
}

#[test]
fn status_prints_what_a_running_proxy_says() {
    let says = "location = /s { status json; } location /";
    let place = Place::with(&CONF.replace("location /", says));
    let _running = place.start(&["-c", "x.conf", "-g", "daemon off; error_log x.log notice;"]);
    let door = place.door("x.log");
    let asks = |args: &[&str]| {
        let output = std::process::Command::new(PROXY).arg("status").args(args).output().unwrap();
        let [out, err] = [output.stdout, output.stderr].map(|it| String::from_utf8(it).unwrap());
        (output.status.code(), out, err)
    };
    let url = format!("http://{door}/s");
    let (code, table, err) = asks(&[&url]);
    assert_eq!((code, &*err), (Some(0), ""));
    let listener = table.lines().find(|line| line.starts_with(&door.to_string())).unwrap();
    let numbers: Vec<_> = listener.split_whitespace().skip(1).collect();
    assert_eq!(numbers, ["1", "1", "0", "1", "0", "0", "1", "0", "0"], "{table}");
    let (code, json, _) = asks(&["--json", &url]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((code, &json["connections"]["requests"]), (Some(0), &2.into()));

    let (code, _, err) = asks(&[&format!("http://{door}/else")]);
    assert_eq!(code, Some(1));
    assert!(err.contains("the answer is no status"), "{err}");
    for wrong in [&["here"][..], &[], &["-x", &url], &[&url, &url]] {
        assert_eq!(asks(wrong).0, Some(1), "{wrong:?}");
    }
}
