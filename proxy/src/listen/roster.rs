//! The tunnels of one thread, and whom they lead to.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

use super::parcel::Parcel;
use crate::balance::ServerId;
use crate::tunnel::{Ending, Order, Reins};

/// The tunnels of one thread.
#[derive(Debug, Clone, Default)]
pub(crate) struct Roster(Rc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    members: RefCell<Members>,
    /// Whether what rests is packed, rather than kept or closed.
    packing: Cell<bool>,
    packed: RefCell<Vec<Parcel>>,
}

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
        let mut members = self.roster.0.members.borrow_mut();
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

impl Entry {
    /// Leaves what the tunnel was to whoever goes on with it.
    pub(super) fn pack(self, parcel: Parcel) {
        self.roster.pack(parcel);
    }
}

impl Roster {
    /// Enters a tunnel.
    pub(super) fn enter(&self, server: ServerId, reins: Rc<Reins>) -> Entry {
        let mut members = self.0.members.borrow_mut();
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
        let members = self.0.members.borrow();
        let members = members.places.iter().flatten();
        let selected = members.filter(|member| holds(member.server, &member.reins));
        selected.map(|member| member.reins.clone()).collect()
    }

    /// Tells tunnels to end, as `order` says for each server.
    pub(crate) fn end(&self, mut order: impl FnMut(ServerId) -> Option<Order>) {
        let members = self.0.members.borrow();
        for member in members.places.iter().flatten() {
            if let Some(order) = order(member.server) {
                member.reins.end(order);
            }
        }
    }

    /// Waits until no tunnel is left.
    pub(crate) async fn emptied(&self) {
        poll_fn(|cx| {
            let mut members = self.0.members.borrow_mut();
            if members.places.is_empty() {
                return Poll::Ready(());
            }
            members.waiting = Some(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// How many tunnels there are.
    pub(crate) fn len(&self) -> usize {
        let members = self.0.members.borrow();
        members.places.len() - members.free.len()
    }

    /// From now on client connections that rest are packed.
    pub(crate) fn begin_packing(&self) {
        self.0.packing.set(true);
    }

    /// Whether they are.
    pub(super) fn is_packing(&self) -> bool {
        self.0.packing.get()
    }

    /// Leaves a connection to whoever goes on with it.
    pub(super) fn pack(&self, parcel: Parcel) {
        self.0.packed.borrow_mut().push(parcel);
    }

    /// Has every tunnel be packed; those that cannot be are ended.
    pub(crate) fn pack_tunnels(&self) {
        let order = Order { ending: Ending::Replaced, due: std::time::Instant::now() };
        self.end(|_| Some(order));
    }

    /// All that has been packed; nothing is from now on.
    pub(crate) fn take_packed(&self) -> Vec<Parcel> {
        self.0.packing.set(false);
        self.0.packed.take()
    }
}
