//! An HTTP client: it asks again and again, and wants an answer of a worker each time.

use std::io;
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::dice::Dice;
use crate::head::Answer;
use crate::ledger::{Ledger, Pardon};
use crate::run::Phase;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a client is.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) number: u32,
    pub(crate) port: u16,
    /// Whether it asks more than once over a connection.
    pub(crate) keeps: bool,
    pub(crate) dice: Dice,
    pub(crate) ledger: Rc<Ledger>,
    pub(crate) phase: watch::Receiver<Phase>,
}

impl Client {
    /// Asks until it is told to stop; while all rests it holds no connection.
    pub(crate) async fn run(mut self) {
        let mut kept = None;
        for asked in 0_u64.. {
            let pause = self.dice.millis(50, 900);
            let _changed = timeout(pause, self.phase.changed()).await;
            match *self.phase.borrow_and_update() {
                Phase::Stop => return,
                Phase::Play => {}
                Phase::Rest => {
                    kept = None;
                    continue;
                }
            }
            let since = Instant::now();
            let got = timeout(PATIENCE, self.ask(asked, &mut kept)).await;
            let got = got.unwrap_or_else(|_| Err(io::Error::other("no answer in time")));
            match got {
                Ok(()) => {
                    Ledger::count(&self.ledger.answers);
                    Ledger::took(&self.ledger.worst_answer, since);
                }
                Err(why) => {
                    kept = None;
                    let pardons = [Pardon::Scarce, Pardon::Away];
                    if pardons.iter().any(|pardon| self.ledger.is_pardoned(*pardon, since)) {
                        Ledger::count(&self.ledger.pardoned);
                    } else {
                        let (number, took) = (self.number, since.elapsed());
                        let what = format!("HTTP client {number}, request {asked}: {why}");
                        self.ledger.broken(format!("{what} (after {took:.1?})"));
                    }
                }
            }
        }
    }

    /// Asks over the connection that was kept, or a new one.
    async fn ask(&mut self, asked: u64, kept: &mut Option<TcpStream>) -> io::Result<()> {
        let number = self.number;
        let fields = if self.keeps { "" } else { "Connection: close\r\n" };
        let request =
            format!("GET /http?n={number}.{asked} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n");
        let since = Instant::now();
        let answer = match kept.as_mut() {
            Some(stream) => Answer::to(&request, stream).await?,
            None => None,
        };
        let answer = match answer {
            Some(answer) => answer,
            None => {
                if kept.is_some() {
                    // The proxy may close a connection on which nothing is asked, but when?
                    let turns = [Pardon::Turn, Pardon::Scarce];
                    if !turns.iter().any(|turn| self.ledger.is_pardoned(*turn, since)) {
                        return Err(io::Error::other("a connection that was kept was closed"));
                    }
                    Ledger::count(&self.ledger.repeated);
                }
                let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).await?;
                let stream = kept.insert(stream);
                let answer = Answer::to(&request, stream).await?;
                answer.ok_or_else(|| io::Error::other("closed without an answer"))?
            }
        };
        let Some(stream) = kept.as_mut() else { return Ok(()) };
        // The worker speaks WebSocket only, and says so.
        if !answer.is(426) || answer.worker().is_none() {
            return Err(io::Error::other(answer.line().to_owned()));
        }
        if answer.field("X-Asked") != Some(&format!("{number}.{asked}")) {
            return Err(io::Error::other(format!("another's answer: {}", answer.head)));
        }
        let ends = answer.field("Connection").is_some_and(|value| value.contains("close"));
        let body = answer.body(stream).await?;
        if !String::from_utf8_lossy(&body).contains("This is a WebSocket server") {
            return Err(io::Error::other("an answer with another body"));
        }
        if ends || !self.keeps {
            *kept = None;
        }
        Ok(())
    }
}
