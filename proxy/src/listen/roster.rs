//! The tunnels of one thread, and whom they lead to.

use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

use crate::balance::ServerId;
use crate::tunnel::{Order, Reins};

/// The tunnels of one thread.
#[derive(Debug, Clone, Default)]
pub(crate) struct Roster(Rc<RefCell<Members>>);

/// 24 bytes for each tunnel: an idle one is to cost little.
#[derive(Debug, Default)]
struct Members {
    places: Vec<Option<Member>>,
    /// Places that are nobody's.
    free: Vec<usize>,
    /// Who waits for the last to leave.
    waiting: Option<Waker>,
}

#[derive(Debug)]
struct Member {
    server: ServerId,
    reins: Rc<Reins>,
}

/// A tunnel's place in the roster.
#[derive(Debug)]
pub(super) struct Entry {
    roster: Roster,
    place: usize,
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut members = self.roster.0.borrow_mut();
        let Members { places, free, waiting } = &mut *members;
        if let Some(place) = places.get_mut(self.place) {
            *place = None;
            free.push(self.place);
        }
        if free.len() == places.len() {
            waiting.take().into_iter().for_each(Waker::wake);
            *members = Members::default();
        }
    }
}

impl Roster {
    /// Enters a tunnel.
    pub(super) fn enter(&self, server: ServerId, reins: Rc<Reins>) -> Entry {
        let mut members = self.0.borrow_mut();
        let Members { places, free, .. } = &mut *members;
        let place = free.pop().unwrap_or(places.len());
        let member = Some(Member { server, reins });
        match places.get_mut(place) {
            Some(free) => *free = member,
            None => places.push(member),
        }
        Entry { roster: self.clone(), place }
    }

    /// The tunnels for which this holds.
    pub(super) fn select(&self, holds: impl Fn(ServerId, &Reins) -> bool) -> Vec<Rc<Reins>> {
        let members = self.0.borrow();
        let members = members.places.iter().flatten();
        let selected = members.filter(|member| holds(member.server, &member.reins));
        selected.map(|member| member.reins.clone()).collect()
    }

    /// Tells tunnels to end, as `order` says for each server.
    pub(crate) fn end(&self, mut order: impl FnMut(ServerId) -> Option<Order>) {
        let members = self.0.borrow();
        for member in members.places.iter().flatten() {
            if let Some(order) = order(member.server) {
                member.reins.end(order);
            }
        }
    }

    /// Waits until no tunnel is left.
    pub(crate) async fn emptied(&self) {
        poll_fn(|cx| {
            let mut members = self.0.borrow_mut();
            if members.places.is_empty() {
                return Poll::Ready(());
            }
            members.waiting = Some(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }
}
