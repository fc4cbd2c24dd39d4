//! What the tunnels of one thread have carried, and how they ended.

use serde::{Deserialize, Serialize};

use crate::tunnel::{By, Passed, Summary};

/// So many ends are told apart at most: a client may say any code. The rest have code 0.
const ENDS: usize = 64;

/// What tunnels have carried, and how those of them ended that have.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tally {
    /// Tunnels that are open.
    pub(crate) open: u64,
    /// Tunnels that have ended.
    pub(crate) ended: u64,
    /// From clients.
    pub(crate) up: Passed,
    /// To clients.
    pub(crate) down: Passed,
    /// How those ended that were WebSocket's: the code of the first Close, who sent it, how often.
    pub(crate) ends: Vec<(u16, Option<By>, u64)>,
}

impl Tally {
    /// One that is open has carried this so far.
    pub(super) fn add_open(&mut self, [up, down]: [Passed; 2]) {
        self.open += 1;
        self.up.add(up);
        self.down.add(down);
    }

    /// One has ended.
    pub(super) fn add_ended(&mut self, summary: &Summary, websocket: bool) {
        self.ended += 1;
        let [up, down] = summary.passed();
        self.up.add(up);
        self.down.add(down);
        if websocket {
            self.end(summary.code, summary.by, 1);
        }
    }

    /// What another thread has counted.
    pub(crate) fn add(&mut self, other: &Self) {
        self.open += other.open;
        self.ended += other.ended;
        self.up.add(other.up);
        self.down.add(other.down);
        other.ends.iter().for_each(|(code, by, often)| self.end(*code, *by, *often));
    }

    fn end(&mut self, code: u16, by: Option<By>, often: u64) {
        let known = self.ends.iter().any(|end| (end.0, end.1) == (code, by));
        let code = if known || self.ends.len() < ENDS { code } else { 0 };
        match self.ends.iter_mut().find(|end| (end.0, end.1) == (code, by)) {
            Some(end) => end.2 += often,
            None => self.ends.push((code, by, often)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tunnel::Side;

    #[test]
    fn no_more_ends_are_told_apart_than_there_is_room_for() {
        let mut tally = Tally::default();
        let client = Some(By::Side(Side::Client));
        (3000..4000).for_each(|code| tally.end(code, client, 1));
        tally.end(3000, client, 1);
        tally.end(3000, None, 1);
        assert!(tally.ends.contains(&(3000, client, 2)));
        assert!(tally.ends.contains(&(0, client, 936)));
        assert!(tally.ends.contains(&(0, None, 1)));
        let mut twice = tally.clone();
        twice.add(&tally);
        assert_eq!(twice.ends.iter().map(|(.., often)| often).sum::<u64>(), 2 * 1002);
    }
}
