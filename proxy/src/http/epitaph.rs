//! What the end of a tunnel is told with.

use std::net::SocketAddr;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::access;
use super::context::Context;
use super::facts::Stage;
use super::record::Record;
use super::written::{Line, lines};
use crate::limit::Counted;
use crate::observe::{ErrorLog, Level, LogFile, errno};
use crate::tunnel::{Outcome, Side, Summary};

/// What the end of a tunnel is told with. The request itself is kept only where an access log
/// wants a line at the end: it is larger than the rest of an idle tunnel.
#[derive(Debug)]
pub(crate) struct Epitaph {
    log: ErrorLog,
    connection: u64,
    context: Context,
    request: Request,
    /// What keeps the tunnel counted where limits count.
    counted: Box<[Counted]>,
}

/// What the access logs want of the request.
#[derive(Debug)]
enum Request {
    /// Nothing.
    Forgotten,
    /// A line when it is dropped.
    Living(Rc<Record>),
    /// These lines, begun by another program image.
    Written(Vec<Line>),
}

/// What another program image tells the end of a tunnel with.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Testament {
    connection: u64,
    context: Context,
    lines: Vec<Line>,
    /// Where limits count it; those who take it over enter it there.
    #[serde(skip)]
    pub(crate) counted: Box<[Counted]>,
}

impl Epitaph {
    /// The epitaph of the tunnel that this request has opened to this server.
    pub(super) fn new(record: &Rc<Record>, upstream: &str) -> Self {
        Self {
            log: record.error_log().clone(),
            connection: record.client.id,
            context: Context::new(record, Some(upstream)),
            request: match record.is_logged() {
                true => Request::Living(record.clone()),
                false => Request::Forgotten,
            },
            counted: record.course.standing.counted.take().into(),
        }
    }

    /// Who has opened the tunnel; nothing over a Unix socket.
    pub(crate) fn client(&self) -> Option<SocketAddr> {
        self.context.client()
    }

    /// Tells the access logs that it has begun, as far as they want to know, and forgets the request
    /// where they do not want to know how it ends.
    pub(crate) fn begin(&mut self) {
        let Request::Living(record) = &self.request else { return };
        let Some(told) = record.rules().map(|rules| rules.logs.tunnels) else { return };
        if told.open {
            record.stage.set(Stage::Open);
            access::write(record);
        }
        if !told.close {
            record.silent.set(true);
            self.request = Request::Forgotten;
        }
    }

    /// Tells how it ended, in nginx's words where nginx has them.
    pub(crate) fn tell(self, summary: Summary, outcome: &Outcome) {
        let (level, what) = match outcome {
            Outcome::Finished => (Level::Info, "tunnel finished".to_owned()),
            Outcome::Idle => {
                (Level::Error, "upstream timed out (110: Connection timed out)".into())
            }
            Outcome::Blocked(Side::Client) | Outcome::Silent(Side::Client) => {
                (Level::Info, "client timed out (110: Connection timed out)".into())
            }
            Outcome::Blocked(Side::Server) | Outcome::Silent(Side::Server) => {
                (Level::Error, "upstream timed out (110: Connection timed out)".into())
            }
            Outcome::Ended(_) | Outcome::Orphaned => (Level::Info, outcome.to_string()),
            Outcome::Failed(Side::Client, error) => {
                (Level::Info, format!("client connection failed ({})", errno(error)))
            }
            Outcome::Failed(Side::Server, error) => {
                (Level::Error, format!("upstream connection failed ({})", errno(error)))
            }
        };
        let Self { log, connection, context, request, counted: _ } = self;
        log.log_connection(
            level,
            connection,
            format_args!("{what} while proxying upgraded connection, {context}"),
        );
        for (carried, whose) in [(summary.up, "client"), (summary.down, "server")] {
            if carried.malformed {
                let what = format_args!("{whose} sent what is no WebSocket frame, {context}");
                log.log_connection(Level::Info, connection, what);
            }
        }
        match request {
            Request::Forgotten => {}
            Request::Living(record) => record.end_tunnel(summary),
            Request::Written(lines) => lines.iter().for_each(|line| line.write(&summary)),
        }
    }

    /// Leaves it to another program image.
    pub(crate) fn bequeath(self) -> Testament {
        let Self { log: _, connection, context, request, counted } = self;
        let lines = match request {
            Request::Forgotten => Vec::new(),
            Request::Living(record) => {
                record.silent.set(true);
                lines(&record)
            }
            Request::Written(lines) => lines,
        };
        Testament { connection, context, lines, counted }
    }
}

impl Testament {
    /// Opens the log files that it names; the line of one that cannot be opened is dropped.
    pub(crate) fn open(&mut self, open: impl Fn(Option<&Path>) -> Option<Arc<LogFile>>) {
        self.lines.iter_mut().for_each(|line| line.open(&open));
    }

    /// What the tunnel's end is told with here: errors go to this log.
    pub(crate) fn into_epitaph(self, log: ErrorLog) -> Epitaph {
        let Self { connection, context, lines, counted } = self;
        Epitaph { log, connection, context, request: Request::Written(lines), counted }
    }
}
