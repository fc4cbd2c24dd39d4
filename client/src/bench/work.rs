//! What one connection does, by mode, from its opening to its end.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt as _;
use tokio::sync::{Semaphore, mpsc, watch};

use super::answer::{Answer, Answers};
use super::failure::Failure;
use super::message::Messages;
use super::options::{Mode, Options};
use super::pace::Turns;
use super::sizes::Random;
use super::tally::{Live, Tally};
use super::target::Target;
use super::tunnel::Tunnel;
use crate::stream::Stream;

/// How long a connection that could not be opened waits before it tries again.
const PAUSE: Duration = Duration::from_millis(100);

/// What is the same for all connections.
pub(crate) struct Plan {
    /// The command line.
    pub(crate) options: Options,
    /// What the URLs name.
    pub(crate) targets: Vec<Target>,
}

/// What all connections are to do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Open, and wait.
    Opening,
    /// Work until this time.
    Working(Instant),
    /// End what is under way, and close.
    Over,
}

impl Phase {
    /// Waits for the end.
    pub(crate) async fn over(mut told: watch::Receiver<Self>) {
        // What is looked at must not be held on to: it would keep the next phase from being told.
        drop(told.wait_for(|phase| *phase == Self::Over).await);
    }

    /// Waits until the work begins: until when it goes on, or `None` where there is none.
    pub(crate) async fn begun(mut told: watch::Receiver<Self>) -> Option<Instant> {
        match told.wait_for(|phase| *phase != Self::Opening).await.as_deref() {
            Ok(Self::Working(end)) => Some(*end),
            _ => None,
        }
    }
}

/// What one connection is given.
pub(crate) struct Context {
    /// Its number, from 0.
    pub(crate) number: u32,
    pub(crate) plan: Arc<Plan>,
    /// Its thread's.
    pub(crate) tally: Rc<RefCell<Tally>>,
    /// Its thread's.
    pub(crate) live: Arc<Live>,
    pub(crate) phase: watch::Receiver<Phase>,
    /// Its turns, where there is a rate.
    pub(crate) due: Option<mpsc::UnboundedReceiver<Instant>>,
    /// Its thread opens so many connections at a time.
    pub(crate) opening: Rc<Semaphore>,
    /// Told once that it is open, or that it could not be opened.
    pub(crate) ready: mpsc::UnboundedSender<bool>,
}

/// Does what the plan says, from the first to the last.
pub(crate) async fn run(mut context: Context) {
    context.ramp().await;
    match context.plan.options.mode {
        Mode::Echo => echo(context).await,
        Mode::Handshake => handshake(context).await,
        Mode::Idle => idle(context).await,
        Mode::Http => http(context).await,
        Mode::Churn => churn(context).await,
    }
}

async fn echo(mut context: Context) {
    let largest = context.plan.options.size.largest();
    let mut messages = Messages::new(context.number, largest);
    let mut random = Random::new(context.number);
    let mut tunnel = context.first().await;
    let mut turns = context.turns().await;
    while let Some(due) = context.next(&mut turns, &mut tunnel).await {
        if tunnel.is_none() {
            tunnel = context.open(context.number).await;
        }
        let Some(open) = &mut tunnel else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let size = context.plan.options.size.draw(&mut random);
        let begun = Instant::now();
        let outcome = context.in_time(open.exchange(messages.next(size))).await;
        if !context.note(due, begun, outcome.map(|()| size)) {
            tunnel = None;
            context.live.closed();
        }
    }
    context.leave(turns, tunnel).await;
}

async fn handshake(mut context: Context) {
    context.tell_ready(true);
    let mut turns = context.turns().await;
    // Its own address has ports that are still waiting; so it comes from another each time.
    let mut numbers = (context.number..).step_by(7);
    while let Some(due) = context.next(&mut turns, &mut None).await {
        let begun = Instant::now();
        let Some(tunnel) = context.open(numbers.next().unwrap_or(0)).await else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let outcome = context.in_time(tunnel.close()).await;
        context.live.closed();
        context.note(due, begun, outcome.map(|()| 0));
    }
    context.leave(turns, None).await;
}

async fn idle(mut context: Context) {
    let mut tunnel = context.first().await;
    let over = Phase::over(context.phase.clone());
    tokio::pin!(over);
    loop {
        let Some(open) = &mut tunnel else {
            tokio::select! {
                () = &mut over => break,
                () = tokio::time::sleep(PAUSE) => {}
            }
            tunnel = context.open(context.number).await;
            continue;
        };
        tokio::select! {
            () = &mut over => break,
            failure = open.hold() => context.lost(&mut tunnel, &failure),
        }
    }
    context.leave(Turns::AtOnce(Instant::now()), tunnel).await;
}

async fn churn(mut context: Context) {
    let largest = context.plan.options.size.largest();
    let mut messages = Messages::new(context.number, largest);
    let mut random = Random::new(context.number);
    let mut tunnel = context.first().await;
    let mut turns = context.turns().await;
    while let Some(due) = context.next(&mut turns, &mut tunnel).await {
        let begun = Instant::now();
        context.close(tunnel.take()).await;
        tunnel = context.open(context.number).await;
        let Some(open) = &mut tunnel else { continue };
        let size = context.plan.options.size.draw(&mut random);
        let outcome = context.in_time(open.exchange(messages.next(size))).await;
        if !context.note(due, begun, outcome.map(|()| size)) {
            tunnel = None;
            context.live.closed();
        }
    }
    context.leave(turns, tunnel).await;
}

async fn http(mut context: Context) {
    let request = context.target(context.number).request();
    let mut asked = context.connect().await;
    context.tell_ready(asked.is_some());
    let mut turns = context.turns().await;
    while let Some(due) = context.next(&mut turns, &mut None).await {
        if asked.is_none() {
            asked = context.connect().await;
        }
        let Some((stream, answers)) = &mut asked else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let begun = Instant::now();
        let outcome = context.in_time(ask(stream, answers, &request)).await;
        let keeps = outcome.as_ref().is_ok_and(|answer| answer.keeps);
        context.note(due, begun, outcome.map(|answer| answer.body));
        if !keeps {
            asked = None;
            context.live.closed();
        }
    }
    if asked.is_some() {
        context.live.closed();
    }
    context.leave(turns, None).await;
}

async fn ask(
    stream: &mut Stream,
    answers: &mut Answers,
    request: &[u8],
) -> Result<Answer, Failure> {
    let sent = async {
        stream.write_all(request).await?;
        stream.flush().await
    };
    sent.await.map_err(|error| Failure::lost(&error))?;
    answers.next(stream).await
}

impl Context {
    /// Waits for this connection's place in the ramp.
    async fn ramp(&mut self) {
        let Options { ramp, connections, .. } = &self.plan.options;
        let wait = ramp.mul_f64(f64::from(self.number) / f64::from(*connections));
        if !wait.is_zero() {
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = Phase::over(self.phase.clone()) => {}
            }
        }
    }

    /// Opens the tunnel for the first time.
    async fn first(&mut self) -> Option<Tunnel> {
        let tunnel = self.open(self.number).await;
        self.tell_ready(tunnel.is_some());
        tunnel
    }

    fn tell_ready(&self, open: bool) {
        // Who does not wait any more does not want to know.
        let _nobody = self.ready.send(open);
    }

    fn target(&self, number: u32) -> &Target {
        let targets = &self.plan.targets;
        let at = usize::try_from(number).unwrap_or(0) % targets.len().max(1);
        // There is one: the command line asks for it.
        #[expect(clippy::indexing_slicing, reason = "below the length, which is not 0")]
        &targets[at]
    }

    /// A new tunnel, as the connection of this number; a failure is counted.
    async fn open(&self, number: u32) -> Option<Tunnel> {
        let largest = match self.plan.options.mode {
            Mode::Idle | Mode::Handshake => 0,
            _ => self.plan.options.size.largest(),
        };
        self.opened(self.target(self.number).open(number, largest)).await
    }

    /// A new connection to be asked over.
    async fn connect(&self) -> Option<(Stream, Answers)> {
        let connecting = self.target(self.number).connect(self.number);
        self.opened(connecting).await.map(|stream| (stream, Answers::default()))
    }

    async fn opened<T>(&self, opening: impl Future<Output = Result<T, Failure>>) -> Option<T> {
        let _turn = self.opening.acquire().await.ok()?;
        let begun = Instant::now();
        match self.in_time(opening).await {
            Ok(open) => {
                self.tally.borrow_mut().opening.add(begun.elapsed());
                self.live.opened();
                Some(open)
            }
            Err(failure) => {
                self.failed(&failure);
                None
            }
        }
    }

    async fn in_time<T>(
        &self,
        what: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let timeout = self.plan.options.timeout;
        tokio::time::timeout(timeout, what).await.unwrap_or(Err(Failure::Late))
    }

    /// Waits until the work begins.
    async fn turns(&mut self) -> Turns {
        let end = Phase::begun(self.phase.clone()).await.unwrap_or_else(Instant::now);
        self.due.take().map_or(Turns::AtOnce(end), Turns::Due)
    }

    /// When the next operation is due, once it is. A tunnel that has to wait answers pings.
    async fn next(&self, turns: &mut Turns, tunnel: &mut Option<Tunnel>) -> Option<Instant> {
        if *self.phase.borrow() == Phase::Over {
            return None;
        }
        loop {
            let (Turns::Due(_), Some(open)) = (&*turns, &mut *tunnel) else {
                return turns.next().await;
            };
            tokio::select! {
                biased;
                due = turns.next() => return due,
                failure = open.rest() => self.lost(tunnel, &failure),
            }
        }
    }

    /// Counts an operation, done or not. Says which.
    fn note(&self, due: Instant, begun: Instant, outcome: Result<usize, Failure>) -> bool {
        match outcome {
            Ok(bytes) => {
                self.tally.borrow_mut().done(due, begun, Instant::now(), bytes);
                self.live.done();
                true
            }
            Err(failure) => {
                self.failed(&failure);
                false
            }
        }
    }

    /// A tunnel has failed by itself.
    fn lost(&self, tunnel: &mut Option<Tunnel>, failure: &Failure) {
        *tunnel = None;
        self.live.closed();
        self.failed(failure);
    }

    fn failed(&self, failure: &Failure) {
        self.tally.borrow_mut().failed(failure);
        self.live.failed();
    }

    async fn close(&self, tunnel: Option<Tunnel>) {
        if let Some(tunnel) = tunnel {
            if let Err(failure) = self.in_time(tunnel.close()).await {
                self.failed(&failure);
            }
            self.live.closed();
        }
    }

    /// The end: what is still due is counted, and the tunnel is closed in order.
    async fn leave(&self, mut turns: Turns, tunnel: Option<Tunnel>) {
        let now = Instant::now();
        for due in turns.left() {
            self.tally.borrow_mut().left(due, now);
        }
        self.close(tunnel).await;
    }
}
