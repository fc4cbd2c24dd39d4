//! The prompt: what is being typed stays as it is, whatever comes in.

use std::sync::mpsc;

use futures_util::{SinkExt as _, StreamExt as _};
use rustix::process::Signal;
use tokio_tungstenite::tungstenite::Message;

use crate::support::PATIENCE;
use crate::support::server::{self, Peer, Server};
use crate::support::terminal::Terminal;

const CLOSED: &str = "Connection closed: 1000 (OK).";

fn connected(server: &Server) -> String {
    format!("Connected to {}.", server.url)
}

#[test]
fn a_conversation_looks_like_one() {
    let server = server::tcp(server::echo);
    let mut terminal = Terminal::start(&[&server.url]);
    let connected = connected(&server);
    terminal.shows(&[&connected, ">"]);
    terminal.type_in("hello\r");
    terminal.shows(&[&connected, "> hello", "< hello", ">"]);
    terminal.type_in("Grüße\r");
    terminal.shows(&[&connected, "> hello", "< hello", "> Grüße", "< Grüße", ">"]);
    terminal.type_in("\u{4}"); // Ctrl-D
    terminal.shows(&[&connected, "> hello", "< hello", "> Grüße", "< Grüße", CLOSED]);
    assert_eq!(terminal.wait(), 0);
}

/// A server that says what the test tells it to.
fn parrot() -> (Server, tokio::sync::mpsc::UnboundedSender<String>) {
    let (to_say, said) = tokio::sync::mpsc::unbounded_channel::<String>();
    let said = std::sync::Arc::new(tokio::sync::Mutex::new(said));
    let server = server::tcp(move |mut peer| {
        let said = said.clone();
        async move {
            let mut said = said.lock().await;
            loop {
                tokio::select! {
                    text = said.recv() => match text {
                        Some(text) => peer.send(&text).await,
                        None => break,
                    },
                    message = peer.socket.next() => match message {
                        Some(Ok(Message::Text(text))) => peer.send(&format!("heard {text}")).await,
                        Some(Ok(_)) => {}
                        _ => return,
                    },
                }
            }
            peer.close(1001, "").await;
        }
    });
    (server, to_say)
}

#[test]
fn what_comes_in_stands_above_what_is_being_typed() {
    let (server, to_say) = parrot();
    let mut terminal = Terminal::start(&[&server.url]);
    let connected = connected(&server);
    terminal.shows(&[&connected, ">"]);

    terminal.type_in("I am typi");
    terminal.shows(&[&connected, "> I am typi"]);
    to_say.send("news".to_owned()).unwrap();
    terminal.shows(&[&connected, "< news", "> I am typi"]);
    terminal.cursor_at(11);

    // The cursor may be anywhere in the line, and stays there.
    terminal.type_in("ng\u{1b}[D\u{1b}[D\u{1b}[D"); // three times left
    terminal.cursor_at(10);
    to_say.send("more\u{1b}[2J".to_owned()).unwrap();
    terminal.shows(&[&connected, "< news", "< more\\x1b[2J", "> I am typing"]);
    terminal.cursor_at(10);
    terminal.type_in("_\r");
    terminal.shows(&[
        &connected,
        "< news",
        "< more\\x1b[2J",
        "> I am typ_ing",
        "< heard I am typ_ing",
        ">",
    ]);
}

#[test]
fn a_message_longer_than_the_screen_is_wide_leaves_a_long_line_alone_too() {
    let (server, to_say) = parrot();
    let mut terminal = Terminal::start(&[&server.url]);
    let connected = connected(&server);
    terminal.shows(&[&connected, ">"]);
    terminal.type_in(&"t".repeat(70)); // the screen has 60 columns
    let (first, second) = (format!("> {}", "t".repeat(58)), "t".repeat(12));
    terminal.shows(&[&connected, &first, &second]);
    to_say.send("m".repeat(100)).unwrap();
    let (above, below) = (format!("< {}", "m".repeat(58)), "m".repeat(42));
    terminal.shows(&[&connected, &above, &below, &first, &second]);
    terminal.cursor_at(12);
}

#[test]
fn many_messages_at_once_leave_the_line_alone_too() {
    let (server, to_say) = parrot();
    let mut terminal = Terminal::start(&[&server.url]);
    terminal.shows(&[&connected(&server), ">"]);
    terminal.type_in("still here");
    for number in 0..1000 {
        to_say.send(format!("message {number}")).unwrap();
    }
    let expected: Vec<String> = (977..1000).map(|number| format!("< message {number}")).collect();
    let mut lines: Vec<&str> = expected.iter().map(String::as_str).collect();
    lines.push("> still here");
    terminal.shows(&lines);
    terminal.cursor_at(12);
}

#[test]
fn a_flood_can_be_left() {
    let server = server::tcp(async |peer: Peer| {
        let (mut sink, mut stream) = peer.socket.split();
        let flood = async {
            while sink.feed(Message::text("flood")).await.is_ok() {
                tokio::task::coop::consume_budget().await;
            }
        };
        let until_closed = async { while let Some(Ok(_)) = stream.next().await {} };
        tokio::join!(flood, until_closed);
    });
    let mut terminal = Terminal::start(&[&server.url]);
    terminal.until("a flood", |screen| screen.lines().filter(|l| *l == "< flood").count() > 20);
    terminal.type_in("enough");
    terminal.ends_with("> enough");
    terminal.type_in("\u{3}"); // Ctrl-C
    terminal.ends_with(CLOSED);
    assert_eq!(terminal.wait(), 0);
}

#[test]
fn the_line_can_be_edited_and_lines_come_back() {
    let server = server::tcp(server::echo);
    let mut terminal = Terminal::start(&[&server.url]);
    terminal.shows(&[&connected(&server), ">"]);
    terminal.type_in("wrold\u{7f}\u{7f}\u{7f}\u{7f}orld\u{1}hello \u{5}!\r"); // BS, Ctrl-A, Ctrl-E
    terminal.ends_with(">");
    terminal.type_in("second\r\u{1b}[A\u{1b}[A"); // up, up
    terminal.ends_with("> hello world!");
    terminal.type_in("\u{1b}[B"); // down
    terminal.ends_with("> second");
}

#[test]
fn a_paste_of_lines_is_as_many_messages() {
    let server = server::tcp(server::echo);
    let mut terminal = Terminal::start(&["--binary", &server.url]);
    terminal.shows(&[&connected(&server), ">"]);
    let pasted: String = ('a'..='h').map(|letter| format!("{letter}\r")).collect();
    terminal.type_in(&format!("{pasted}\u{4}")); // and Ctrl-D comes after all of them
    terminal.ends_with(CLOSED);
    assert_eq!(terminal.wait(), 0);
    // Typed and answered lines may mix, but neither change their order.
    let screen = terminal.screen();
    let answers: Vec<&str> = screen.lines().filter(|line| line.starts_with('<')).collect();
    let letters = (b'a'..=b'h').map(|letter| format!("< (binary) {letter:x}"));
    assert_eq!(answers, letters.collect::<Vec<_>>(), "{screen}");
}

#[test]
fn ctrl_d_deletes_while_there_is_something_to_delete() {
    let server = server::tcp(server::echo);
    let mut terminal = Terminal::start(&[&server.url]);
    let connected = connected(&server);
    terminal.shows(&[&connected, ">"]);
    terminal.type_in("ab\u{1b}[D\u{1b}[D\u{4}");
    terminal.shows(&[&connected, "> b"]);
    terminal.type_in("\u{4}");
    terminal.shows(&[&connected, ">"]);
    terminal.type_in("\u{4}");
    terminal.shows(&[&connected, CLOSED]);
    assert_eq!(terminal.wait(), 0);
}

#[test]
fn ctrl_c_and_signals_close_and_leave_what_was_typed_on_the_screen() {
    for (signal, code, words) in [
        (None, 1000, "1000 (OK)"),
        (Some(Signal::INT), 1000, "1000 (OK)"),
        (Some(Signal::TERM), 1001, "1001 (going away)"),
    ] {
        let (to_test, closed) = mpsc::channel();
        let server = server::tcp(move |peer| {
            let to_test = to_test.clone();
            async move { to_test.send(peer.closed_with().await).unwrap() }
        });
        let mut terminal = Terminal::start(&[&server.url]);
        let connected = connected(&server);
        terminal.shows(&[&connected, ">"]);
        terminal.type_in("unfinished");
        terminal.shows(&[&connected, "> unfinished"]);
        match signal {
            None => terminal.type_in("\u{3}"), // Ctrl-C
            Some(signal) => terminal.signal(signal),
        }
        let last = format!("Connection closed: {words}.");
        terminal.shows(&[&connected, "> unfinished", &last]);
        assert_eq!(terminal.wait(), 0);
        assert_eq!(closed.recv_timeout(PATIENCE), Ok(code));
    }
}

#[test]
fn ctrl_z_stops_it_and_when_it_goes_on_so_does_the_line() {
    let server = server::tcp(server::echo);
    let connected = connected(&server);
    let mut terminal = Terminal::start(&[&server.url]);
    terminal.shows(&[&connected, ">"]);
    terminal.type_in("half");
    terminal.shows(&[&connected, "> half"]);
    terminal.type_in("\u{1a}"); // Ctrl-Z
    terminal.stopped();
    terminal.signal(Signal::CONT);
    terminal.quiet();
    terminal.type_in(" done\r");
    terminal.shows(&[&connected, "> half done", "< half done", ">"]);
    terminal.type_in("\u{4}");
    assert_eq!(terminal.wait(), 0);
}

#[test]
fn the_servers_end_ends_the_prompt_and_nothing_said_before_it_is_lost() {
    let server = server::tcp(async |mut peer: Peer| {
        peer.text().await;
        for text in ["one", "two", "three"] {
            peer.send(text).await;
        }
        peer.close(4001, "reason").await;
    });
    let mut terminal = Terminal::start(&[&server.url]);
    let connected = connected(&server);
    terminal.shows(&[&connected, ">"]);
    terminal.type_in("go\r");
    let last = "Connection closed: 4001 (private use) reason.";
    terminal.shows(&[&connected, "> go", "< one", "< two", "< three", last]);
    assert_eq!(terminal.wait(), 1);
}

#[test]
fn commands_ping_close_and_help() {
    let (to_test, closed) = mpsc::channel();
    let server = server::tcp(move |mut peer: Peer| {
        let to_test = to_test.clone();
        async move {
            assert_eq!(peer.text().await, "/ping");
            peer.send("heard").await;
            while let Some(Ok(message)) = peer.socket.next().await {
                if let Message::Close(frame) = message {
                    to_test.send(frame.map(|f| (u16::from(f.code), f.reason.to_string()))).unwrap();
                }
            }
        }
    });
    let mut terminal = Terminal::start(&[&server.url]);
    terminal.shows(&[&connected(&server), ">"]);
    terminal.type_in("//ping\r");
    terminal.until("< heard", |screen| screen.ends_with("\n< heard\n>"));
    terminal.type_in("/ping\r");
    terminal.until("a pong", |screen| screen.contains("> /ping\nPong after "));
    terminal.type_in("/help\r");
    terminal.until("help", |screen| screen.contains("/close [CODE [REASON]]"));
    terminal.type_in("/nonsense\r");
    terminal.until("an answer", |screen| screen.contains("No such command: /nonsense."));
    terminal.type_in("/close 1006\r");
    terminal.until("a refusal", |screen| screen.contains("Not closed: 1006 cannot be sent"));
    terminal.type_in("/close 4001 see you\r");
    terminal.ends_with("Connection closed: 4001 (private use) see you.");
    assert_eq!(terminal.wait(), 1);
    assert_eq!(closed.recv_timeout(PATIENCE).unwrap(), Some((4001, "see you".to_owned())));
}
