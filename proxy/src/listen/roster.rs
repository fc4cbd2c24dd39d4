//! The tunnels of one thread, and whom they lead to.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

use super::parcel::Parcel;
use super::tally::Tally;
use crate::balance::ServerId;
use crate::observe::{Histogram, Scale};
use crate::tunnel::{Ending, Order, Reins, Summary};

/// The tunnels of one thread.
#[derive(Debug, Clone, Default)]
pub(crate) struct Roster(Rc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    members: RefCell<Members>,
    /// Whether what rests is packed, rather than kept or closed.
    packing: Cell<bool>,
    packed: RefCell<Vec<Parcel>>,
    past: RefCell<Ended>,
}

/// What the tunnels were that have ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) whole: Tally,
    /// Those of each server. One that is not counted any more is forgotten when somebody asks.
    pub(super) servers: HashMap<ServerId, Tally>,
    pub(super) lives: Histogram,
}

impl Default for Ended {
    fn default() -> Self {
        let lives = Histogram::new(&Scale::LIVES);
        Self { whole: Tally::default(), servers: HashMap::new(), lives }
    }
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
pub(super) struct Member {
    pub(super) server: ServerId,
    pub(super) reins: Rc<Reins>,
}

impl Member {
    /// Whom it is to be moved from.
    fn leads_to(&self) -> ServerId {
        if self.reins.moves() { self.server } else { ServerId::NONE }
    }
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
    /// The tunnel has ended.
    pub(super) fn end(self, summary: &Summary, websocket: bool) {
        let server = {
            let members = self.roster.0.members.borrow();
            let member = members.places.get(self.place).and_then(Option::as_ref);
            member.map_or(ServerId::NONE, |member| member.server)
        };
        self.roster.past(|past| {
            past.whole.add_ended(summary, websocket);
            past.servers.entry(server).or_default().add_ended(summary, websocket);
            past.lives.add_time(summary.age);
        });
    }

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
        let selected = members.filter(|member| holds(member.leads_to(), &member.reins));
        selected.map(|member| member.reins.clone()).collect()
    }

    /// Tells tunnels to end, as `order` says for each server.
    pub(crate) fn end(&self, mut order: impl FnMut(ServerId) -> Option<Order>) {
        let members = self.0.members.borrow();
        for member in members.places.iter().flatten() {
            if let Some(order) = order(member.leads_to()) {
                member.reins.end(order);
            }
        }
    }

    /// With each tunnel that there is.
    pub(super) fn each(&self, with: impl FnMut(&Member)) {
        self.0.members.borrow().places.iter().flatten().for_each(with);
    }

    /// With what there was.
    pub(super) fn past<T>(&self, with: impl FnOnce(&mut Ended) -> T) -> T {
        with(&mut self.0.past.borrow_mut())
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
