//! One worker thread: a runtime of its own, on which its connections live and die.

use std::io;
use std::sync::{Arc, mpsc as std_mpsc};
use std::thread;
use std::time::Duration;

use tokio::runtime::{Builder, LocalOptions};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::account::give_up_all;
use super::room::Room;
use super::signals;
use crate::config::model::EventMethod;
use crate::generation::Chores;
use crate::listen::{
    Ask, Crowd, Door, LOOK, Parcel, Parcels, Place, Releases, Roster, accept, unpack,
};
use crate::net::ring;
use crate::tasks::Tasks;
use crate::tunnel::{Ending, Order};
use crate::upstream::{Group, Pool};

/// How often idle connections to servers are looked at.
const SWEEP: Duration = Duration::from_secs(1);

/// How soon one looks again whether requests are under way.
const LOOK_AGAIN: Duration = Duration::from_millis(2);

/// How long tunnels that are told to end at the proxy's end may take for it.
const FAREWELL: Duration = Duration::from_millis(1500);

/// What all worker threads are to do.
#[derive(Debug, Clone)]
pub(super) enum Plan {
    /// Accept at these doors; connections of earlier ones go on. And do these chores. The
    /// upstreams behind the doors begin with this number. And go on with these connections.
    Serve {
        doors: Vec<Door>,
        upstreams: Vec<Group>,
        chores: Arc<Chores>,
        first: u64,
        parcels: Arc<Parcels>,
    },
    /// Accept nothing until there are doors again.
    Pause,
    /// Accept nothing more, pack every connection that rests and every tunnel, and send them here:
    /// once no request is under way, at the latest at this moment.
    HandOver { by: Instant, room: Arc<Room>, to: mpsc::Sender<Packed> },
    /// Accept nothing more, and end when the last connection has; at the latest after this long.
    Quit(Option<Duration>),
    /// End now.
    Stop,
}

/// What a thread has packed, and since when nothing of it has moved.
pub(super) type Packed = (Instant, Vec<Parcel>);

/// How a worker thread is set up.
#[derive(Debug, Clone, Copy)]
pub(super) struct Setup {
    /// Whether it keeps no capability of its starter's.
    pub(super) powerless: bool,
    /// Whether that one is excepted that `transparent` needs.
    pub(super) transparent: bool,
    /// How it learns that bytes have come; nothing takes the best that there is.
    pub(super) method: Option<EventMethod>,
}

/// How it learns of bytes, and why not by io_uring if it would have.
pub(super) type Method = (EventMethod, Option<io::Error>);

/// Starts a worker thread. `alive` is dropped when it has ended.
///
/// # Errors
/// When the system gives no thread, or no epoll descriptor to it.
pub(super) fn start(
    number: usize,
    (plan, asks): (watch::Receiver<Plan>, mpsc::UnboundedReceiver<Ask>),
    alive: mpsc::Sender<()>,
    setup: Setup,
) -> io::Result<Method> {
    let (started, start) = std_mpsc::sync_channel(1);
    thread::Builder::new().name(format!("worker-{number}")).spawn(move || {
        // A local runtime cannot leave its thread, so it is made there.
        let build = || {
            Builder::new_current_thread()
                .enable_all()
                .on_thread_park(ring::before_sleep)
                .on_thread_unpark(ring::after_sleep)
                .build_local(LocalOptions::default())
        };
        // Signals are the main thread's.
        let _ = signals::hold();
        let powers = if setup.powerless { give_up_all(setup.transparent) } else { Ok(()) };
        match powers.and_then(|()| build()) {
            Ok(runtime) => {
                let method = runtime.block_on(async { begin(setup.method) });
                // Whoever started us waits for this.
                let _ = started.send(Ok(method));
                runtime.block_on(async {
                    if number == 0 {
                        Tasks::default().spawn(do_chores(plan.clone()));
                    }
                    run(number, plan, asks).await;
                });
                // What is left of its connections goes first.
                drop(runtime);
                ring::end();
            }
            Err(error) => {
                let _ = started.send(Err(error));
            }
        }
        drop(alive);
    })?;
    start.recv().unwrap_or_else(|_| Err(io::Error::other("the thread died at its start")))
}

/// Begins a ring, where that is wanted and the kernel has one.
fn begin(method: Option<EventMethod>) -> Method {
    if method == Some(EventMethod::Epoll) {
        return (EventMethod::Epoll, None);
    }
    match ring::begin() {
        Ok(()) => (EventMethod::IoUring, None),
        Err(error) => (EventMethod::Epoll, Some(error)),
    }
}

async fn run(number: usize, mut plan: watch::Receiver<Plan>, asks: mpsc::UnboundedReceiver<Ask>) {
    let (tasks, pool) = (Tasks::default(), Pool::default());
    let (crowd, roster) = (Crowd::default(), Roster::default());
    // What this thread alone ends.
    let mut here = CancellationToken::new();
    Tasks::default().spawn(sweep(pool.clone(), plan.clone()));
    Tasks::default().spawn(answer(asks, roster.clone()));
    Tasks::default().spawn(release(Releases::new(number, roster.clone()), plan.clone()));
    loop {
        let now = plan.borrow_and_update().clone();
        match now {
            Plan::Serve { doors, parcels, .. } => {
                let place = Place {
                    number,
                    pool: pool.clone(),
                    crowd: crowd.clone(),
                    roster: roster.clone(),
                    tasks: tasks.clone(),
                };
                if let Some(door) = doors.first() {
                    here = door.retired.child_token();
                }
                let doors = doors.into_iter().map(|door| Door { retired: here.clone(), ..door });
                let doors: Vec<_> = doors.collect();
                unpack(&parcels, &doors, &place);
                for door in doors {
                    tasks.spawn(accept(door, place.clone()));
                }
            }
            Plan::Pause => {}
            Plan::HandOver { by, room, to } => {
                roster.begin_packing();
                here.cancel();
                let since = pack(&tasks, &roster, &room, by).await;
                // Nobody may be waiting any more.
                let _ = to.send((since, roster.take_packed())).await;
            }
            Plan::Quit(limit) => {
                drain(&tasks, limit, &mut plan).await;
                return end(&roster).await;
            }
            Plan::Stop => return end(&roster).await,
        }
        if plan.changed().await.is_err() {
            return;
        }
    }
}

/// Has everything packed that can be. Requests that are under way finish first, if they do in time.
/// Gives since when tunnels stand still.
async fn pack(tasks: &Tasks, roster: &Roster, room: &Room, by: Instant) -> Instant {
    while tasks.len() > roster.len() && Instant::now() < by {
        sleep(LOOK_AGAIN).await;
    }
    let since = Instant::now();
    room.set_free();
    roster.pack_tunnels();
    // Those that cannot be packed are told to come again, and given a moment to answer.
    let _ = timeout(FAREWELL, roster.emptied()).await;
    since
}

/// Waits for the last connection, for the limit, or for the order to stop.
async fn drain(tasks: &Tasks, limit: Option<Duration>, plan: &mut watch::Receiver<Plan>) {
    let limit = async {
        match limit {
            Some(limit) => sleep(limit).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = tasks.drained() => {}
        () = limit => {}
        _ = plan.wait_for(|plan| matches!(plan, Plan::Stop)) => {}
    }
}

/// Ends the tunnels that are left.
async fn end(roster: &Roster) {
    let order = Order { ending: Ending::Shutdown, due: std::time::Instant::now() };
    roster.end(|_| Some(order));
    // Requests that are under way are not waited for.
    let _ = timeout(FAREWELL, roster.emptied()).await;
}

/// Says what there is when somebody asks.
async fn answer(mut asks: mpsc::UnboundedReceiver<Ask>, roster: Roster) {
    while let Some(Ask { known, some, to }) = asks.recv().await {
        // Whoever has asked may not be waiting any more.
        let _ = to.send(roster.share(&known, some));
    }
}

/// Drops connections to servers that were closed or have idled for too long.
async fn sweep(pool: Pool, plan: watch::Receiver<Plan>) {
    let mut oldest = 0;
    let mut tick = interval(SWEEP);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        if let Plan::Serve { first, .. } = &*plan.borrow() {
            oldest = *first;
        }
        pool.sweep(Instant::now(), oldest);
    }
}

/// Lets those tunnels go that what is served does not want to keep.
async fn release(mut releases: Releases, mut plan: watch::Receiver<Plan>) {
    loop {
        let serves = match &*plan.borrow_and_update() {
            Plan::Serve { upstreams, .. } => {
                releases.serve(upstreams.clone());
                true
            }
            // Whom would they come back to?
            Plan::Pause | Plan::Quit(_) | Plan::HandOver { .. } => false,
            Plan::Stop => return,
        };
        loop {
            let changed = if serves && !releases.is_idle() {
                releases.look(std::time::Instant::now());
                timeout(LOOK, plan.changed()).await
            } else {
                Ok(plan.changed().await)
            };
            match changed {
                Ok(Ok(())) => break,
                Ok(Err(_)) => return,
                Err(_) => {}
            }
        }
    }
}

/// Does the chores of what is served, and of what was served last. One thread does it for all.
async fn do_chores(mut plan: watch::Receiver<Plan>) {
    let mut chores: Option<Arc<Chores>> = None;
    loop {
        match &*plan.borrow_and_update() {
            Plan::Serve { chores: next, .. } => chores = Some(next.clone()),
            Plan::Pause | Plan::Quit(_) | Plan::HandOver { .. } => {}
            Plan::Stop => return,
        }
        if let Some(chores) = chores.as_ref().filter(|chores| !chores.is_idle()) {
            sleep(chores.rest()).await;
            chores.run(std::time::Instant::now());
        } else if plan.changed().await.is_err() {
            return;
        }
    }
}
