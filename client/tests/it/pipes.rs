//! Standard input is not a terminal: lines are messages, and no answer is lost.

use std::fs;
use std::io::Write as _;
use std::process::Stdio;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::sync::Notify;
use tokio_tungstenite::tungstenite::Message;

use crate::support::run::{Outcome, client, run, start, start_command};
use crate::support::server::{self, Peer};
use crate::support::{PATIENCE, terminal::Terminal};

/// A conversation that went well: these lines between the first and the last.
fn conversation(url: &str, lines: &[&str]) -> Outcome {
    let lines: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let out = format!("Connected to {url}.\n{lines}Connection closed: 1000 (OK).\n");
    Outcome { out, err: String::new(), status: 0 }
}

#[test]
fn every_line_is_a_message_and_every_answer_is_printed() {
    let server = server::tcp(server::echo);
    let outcome = run(&[&server.url], "hello\n\nGrüße\r\n/ping\nthe last line has no end");
    let lines = ["< hello", "< ", "< Grüße", "< /ping", "< the last line has no end"];
    assert_eq!(outcome, conversation(&server.url, &lines));
}

#[test]
fn what_comes_in_is_made_safe_for_a_terminal() {
    let server = server::tcp(async |mut peer: Peer| {
        peer.text().await;
        peer.send("\u{1b}[2Jred\u{7}\ttab\nline").await;
        peer.socket.send(Message::binary(vec![0, 1, 255])).await.unwrap();
        peer.closed_with().await;
    });
    let outcome = run(&[&server.url, "-w", "0.5"], "hello\n");
    assert!(outcome.out.contains("\n< \\x1b[2Jred\\x07\\ttab\\nline\n< (binary) 0001ff\n"));
    assert!(!outcome.out.contains('\u{1b}'));
}

#[test]
fn answers_that_take_their_time_are_waited_for() {
    let server = server::tcp(async |mut peer: Peer| {
        for _ in 0..2 {
            let text = peer.text().await;
            tokio::time::sleep(Duration::from_millis(300)).await;
            peer.send(&text).await;
        }
        assert_eq!(peer.closed_with().await, 1000);
    });
    let outcome = run(&[&server.url, "--wait", "20"], "one\ntwo\n");
    assert_eq!(outcome, conversation(&server.url, &["< one", "< two"]));
}

#[test]
fn answers_on_their_way_when_the_client_closes_are_printed() {
    let server = server::tcp(async |mut peer: Peer| {
        peer.send("welcome").await;
        let text = peer.text().await;
        peer.send(&text).await;
        peer.closed_with().await;
    });
    // By the count, the welcome is the answer; the real one is not lost for that.
    let outcome = run(&[&server.url], "hello\n");
    assert_eq!(outcome, conversation(&server.url, &["< welcome", "< hello"]));
}

#[test]
fn a_server_that_never_answers_is_waited_for_as_long_as_told() {
    let server = server::tcp(async |peer: Peer| assert_eq!(peer.closed_with().await, 1000));
    let before = Instant::now();
    assert_eq!(run(&[&server.url, "-w", "0.4"], "hello\n"), conversation(&server.url, &[]));
    assert!(before.elapsed() >= Duration::from_millis(400));
}

#[test]
fn no_input_is_no_conversation() {
    let server = server::tcp(server::echo);
    assert_eq!(run(&[&server.url], ""), conversation(&server.url, &[]));
}

#[test]
fn a_message_on_the_command_line_is_sent_instead_of_the_input() {
    let server = server::tcp(server::echo);
    let outcome = run(&["-x", "hello", "-x=-v", "-x", "", &server.url], "unread\n");
    // clap takes "-x=-v" as the value "-v".
    assert_eq!(outcome, conversation(&server.url, &["< hello", "< -v", "< "]));
    let outcome = run(&["--binary", "-x", "hi", &server.url], "");
    assert_eq!(outcome, conversation(&server.url, &["< (binary) 6869"]));
}

#[test]
fn binary_lines_may_be_any_bytes_and_text_lines_may_not() {
    let server = server::tcp(server::echo);
    let send = |arguments: &[&str]| {
        let mut run = start(arguments);
        run.input().write_all(b"a\n\xff\xfe\nb\n").unwrap();
        run.finish()
    };
    let lines = ["< (binary) 61", "< (binary) fffe", "< (binary) 62"];
    assert_eq!(send(&["--binary", &server.url]), conversation(&server.url, &lines));

    let outcome = send(&[&server.url]);
    assert_eq!(outcome.out, conversation(&server.url, &["< a", "< b"]).out);
    let told = "client: line 2 is not UTF-8 and was not sent: try --binary\n";
    assert_eq!((outcome.err.as_str(), outcome.status), (told, 1));
}

#[test]
fn a_hundred_thousand_lines_come_back_in_order_and_cost_little_memory() {
    const LINES: usize = 100_000;
    let (to_test, asked) = mpsc::channel();
    let go_on = Arc::new(Notify::new());
    let told = Arc::clone(&go_on);
    let server = server::tcp(move |mut peer| {
        let (to_test, told) = (to_test.clone(), Arc::clone(&told));
        async move {
            for number in 1..=LINES {
                let text = peer.text().await;
                if number == LINES {
                    // The client is alive and has sent everything: time to weigh it.
                    to_test.send(()).unwrap();
                    told.notified().await;
                }
                peer.socket.feed(Message::text(text)).await.unwrap();
            }
            peer.socket.flush().await.unwrap();
            peer.closed_with().await;
        }
    });
    let mut run = start(&[&server.url, "-w", "60"]);
    let mut input = run.input();
    let text: String = (1..=LINES).map(|number| format!("line {number}\n")).collect();
    let writer = thread::spawn(move || input.write_all(text.as_bytes()).unwrap());
    asked.recv_timeout(2 * PATIENCE).expect("everything was sent");
    let peak = peak_memory_in_kb(run.pid());
    go_on.notify_one();
    writer.join().unwrap();

    let outcome = run.finish();
    let answers: Vec<&str> = outcome.out.lines().filter(|line| line.starts_with("< ")).collect();
    assert_eq!(answers.len(), LINES);
    assert!((1..=LINES).zip(&answers).all(|(number, line)| *line == format!("< line {number}")));
    assert_eq!((outcome.err.as_str(), outcome.status), ("", 0));
    assert!(peak < 40_000, "{peak} kB");
}

#[test]
fn a_server_that_says_more_than_it_hears_is_no_deadlock() {
    let server = server::tcp(async |mut peer: Peer| {
        while let Some(Ok(message)) = peer.socket.next().await {
            if message.is_text() {
                for _ in 0..4 {
                    // Written out before anything more is read.
                    peer.socket.send(Message::text("x".repeat(50_000))).await.unwrap();
                }
            }
        }
    });
    let line = format!("{}\n", "y".repeat(50_000));
    let outcome = run(&[&server.url], &line.repeat(200));
    assert_eq!(outcome.out.lines().filter(|line| line.len() == 50_002).count(), 800);
    assert_eq!(outcome.status, 0);
}

#[test]
fn when_nobody_reads_the_answers_the_conversation_ends() {
    let (to_test, closed) = mpsc::channel();
    let server = server::tcp(move |mut peer| {
        let to_test = to_test.clone();
        async move {
            while peer.socket.send(Message::text("tick")).await.is_ok() {
                let next = tokio::time::timeout(Duration::from_millis(5), peer.socket.next());
                if let Ok(Some(Ok(Message::Close(frame)))) = next.await {
                    to_test.send(frame.map(|frame| u16::from(frame.code))).unwrap();
                    break;
                }
            }
            while let Some(Ok(_)) = peer.socket.next().await {}
        }
    });
    let mut command = client();
    let mut child =
        command.arg(&server.url).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(closed.recv_timeout(PATIENCE), Ok(Some(1000)));
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_terminal_that_cannot_have_a_prompt_is_a_pipe_too() {
    let server = server::tcp(server::echo);
    let mut terminal = Terminal::start_as("dumb", &[&server.url]);
    let connected = format!("Connected to {}.", server.url);
    terminal.shows(&[&connected]);
    terminal.type_in("hello\r");
    terminal.shows(&[&connected, "hello", "< hello"]);
    terminal.type_in("\u{4}"); // Ctrl-D
    terminal.shows(&[&connected, "hello", "< hello", "Connection closed: 1000 (OK)."]);
    assert_eq!(terminal.wait(), 0);
}

#[test]
fn output_to_a_file_has_no_escape_codes_even_when_the_input_is_typed() {
    let server = server::tcp(server::echo);
    let mut terminal = Terminal::redirected(&[&server.url]);
    terminal.type_in("hello\r");
    terminal.shows(&["hello"]); // the terminal's own echo
    terminal.type_in("\u{4}");
    assert_eq!(terminal.wait(), 0);
    let written = fs::read_to_string(terminal.file()).unwrap();
    assert_eq!(written, conversation(&server.url, &["< hello"]).out);
}

#[test]
fn a_reader_that_pauses_loses_nothing() {
    let server = server::tcp(async |mut peer: Peer| {
        for number in 0..20_000 {
            peer.socket.feed(Message::text(format!("line {number}"))).await.unwrap();
        }
        peer.socket.flush().await.unwrap();
        peer.close(1000, "").await;
    });
    let mut command = client();
    let run = start_command(command.arg(&server.url));
    let outcome = run.wait();
    assert_eq!(outcome.out.lines().count(), 20_002);
    assert!(outcome.out.ends_with("< line 19999\nConnection closed: 1000 (OK).\n"));
}

fn peak_memory_in_kb(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    peak.trim().trim_end_matches(" kB").parse().unwrap()
}
