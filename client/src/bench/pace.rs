//! When the next operation of a connection is due: at once, or by a clock that waits for nobody.

use std::io;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};
use tokio::net::unix::pipe::Receiver;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};

/// A connection's operations, one after the other.
#[derive(Debug)]
pub(crate) enum Turns {
    /// Closed loop: the next one when the last is done, until this time.
    AtOnce(Instant),
    /// Open loop: when the clock says so. A connection that is late finds them waiting, and each is
    /// counted from when it was due: an answer that takes long makes all that it keeps waiting slow,
    /// as it would for people (no coordinated omission).
    Due(UnboundedReceiver<Instant>),
}

impl Turns {
    /// When the next operation is due, once it is; `None` after the last.
    pub(crate) async fn next(&mut self) -> Option<Instant> {
        match self {
            Self::AtOnce(end) => {
                let now = Instant::now();
                (now < *end).then_some(now)
            }
            Self::Due(turns) => turns.recv().await,
        }
    }

    /// Those that were due and have not been taken. There will be no more.
    pub(crate) fn left(&mut self) -> Vec<Instant> {
        let mut left = Vec::new();
        if let Self::Due(turns) = self {
            turns.close();
            while let Ok(due) = turns.try_recv() {
                left.push(due);
            }
        }
        left
    }
}

/// Gives each connection its turn, round and round: the first at `start`, one more after each
/// `gap`, until `end`.
pub(crate) async fn pace(
    connections: Vec<UnboundedSender<Instant>>,
    start: Instant,
    gap: Duration,
    end: Instant,
) -> io::Result<()> {
    let alarm = Alarm::new()?;
    let mut due = start;
    for connection in connections.iter().cycle() {
        if due >= end {
            break;
        }
        alarm.ring_at(due).await?;
        // A connection that has gone has said why.
        let _gone = connection.send(due);
        due += gap;
    }
    Ok(())
}

/// A timer of the kernel's: tokio's own rings at whole milliseconds, which would be most of what is
/// measured. A timer is read as a pipe is: when it has rung, there are eight octets.
#[derive(Debug)]
struct Alarm {
    timer: OwnedFd,
    rung: Receiver,
}

impl Alarm {
    fn new() -> io::Result<Self> {
        let flags = TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK;
        let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
        let rung = Receiver::from_owned_fd_unchecked(timer.try_clone()?)?;
        Ok(Self { timer, rung })
    }

    async fn ring_at(&self, when: Instant) -> io::Result<()> {
        let wait = when.saturating_duration_since(Instant::now());
        let Ok(wait) = Timespec::try_from(wait) else { return Ok(()) };
        if wait == Timespec::default() {
            return Ok(());
        }
        let once = Itimerspec { it_interval: Timespec::default(), it_value: wait };
        timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &once)?;
        loop {
            self.rung.readable().await?;
            match self.rung.try_read(&mut [0; 8]) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                rung => return rung.map(drop),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc::unbounded_channel;

    use super::*;

    #[tokio::test]
    async fn turns_go_round_and_none_is_lost_however_late_they_are_taken() {
        let (senders, receivers): (Vec<_>, Vec<_>) = (0..3).map(|_| unbounded_channel()).unzip();
        let start = Instant::now();
        let gap = Duration::from_micros(300);
        pace(senders, start, gap, start + gap * 7).await.unwrap();
        assert!(start.elapsed() >= gap * 6);
        let mut turns: Vec<_> = receivers.into_iter().map(Turns::Due).collect();
        assert_eq!(turns[0].next().await, Some(start));
        assert_eq!(turns[0].left(), [start + gap * 3, start + gap * 6]);
        assert_eq!(turns[1].left(), [start + gap, start + gap * 4]);
        assert_eq!(turns[2].next().await, Some(start + gap * 2));
        assert_eq!(turns[2].next().await, Some(start + gap * 5));
        assert_eq!(turns[2].next().await, None);
    }

    #[tokio::test]
    async fn a_closed_loop_goes_on_until_its_end() {
        let mut turns = Turns::AtOnce(Instant::now() + Duration::from_secs(3600));
        assert!(turns.next().await.is_some());
        assert_eq!(Turns::AtOnce(Instant::now()).next().await, None);
        assert!(turns.left().is_empty());
    }
}
