//! The tunnels of one thread, and whom they lead to.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::balance::ServerId;
use crate::tunnel::{Order, Reins};

/// The tunnels of one thread, by the number of the client's connection.
#[derive(Debug, Clone, Default)]
pub(crate) struct Roster(Rc<RefCell<BTreeMap<u64, Member>>>);

#[derive(Debug)]
struct Member {
    server: ServerId,
    reins: Rc<Reins>,
}

/// A tunnel's place in the roster.
#[derive(Debug)]
pub(super) struct Entry {
    roster: Roster,
    id: u64,
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.roster.0.borrow_mut().remove(&self.id);
    }
}

impl Roster {
    /// Enters a tunnel.
    pub(super) fn enter(&self, id: u64, server: ServerId, reins: Rc<Reins>) -> Entry {
        self.0.borrow_mut().insert(id, Member { server, reins });
        Entry { roster: self.clone(), id }
    }

    /// The tunnels for which this holds, those first that were entered first.
    pub(super) fn select(&self, holds: impl Fn(ServerId, &Reins) -> bool) -> Vec<Rc<Reins>> {
        let members = self.0.borrow();
        let selected = members.values().filter(|member| holds(member.server, &member.reins));
        selected.map(|member| member.reins.clone()).collect()
    }

    /// Tells tunnels to end, as `order` says for each server; says to how many.
    pub(crate) fn end(&self, mut order: impl FnMut(ServerId) -> Option<Order>) -> usize {
        let members = self.0.borrow();
        let told = members.values().filter_map(|member| {
            member.reins.end(order(member.server)?);
            Some(())
        });
        told.count()
    }
}
