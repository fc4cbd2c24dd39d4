//! The life of one tunnel, from the 101 to its last line.

use std::io;
use std::rc::Rc;
use std::sync::Arc;

use super::accept::Place;
use super::connection::Half;
use super::parcel::{Carried, Parcel, Parcels};
use super::roster::{Entry, Roster};
use crate::balance::Held;
use crate::http::{Client, Epitaph, Switched};
use crate::observe::{Open, Stage, Tunnelled, Visits};
use crate::tunnel::{Ending, Outcome, Reins, Relay};

/// Runs the tunnel that a client's connection has become. Nothing of the HTTP connection is left but
/// what the logs may want.
pub(super) fn begin(
    half: Half,
    switched: Switched,
    client: Rc<Client>,
    roster: &Roster,
) -> impl Future<Output = ()> + use<> {
    let Switched { server, held, limits, bounds, websocket, mut epitaph } = switched;
    if websocket {
        epitaph.begin();
    }
    let counted = (client.count_tunnel(), client.open.take());
    // Of another protocol nobody knows whether its clients come back.
    let reins = Rc::new(Reins::new(epitaph.client(), websocket));
    let entry = roster.enter(held.server(), reins.clone());
    drop(client);
    let relay = Relay::new(half, server, limits, bounds.as_ref(), reins);
    run(relay, held, websocket, epitaph, entry, counted)
}

/// Goes on with a tunnel that stood still.
///
/// # Errors
/// One of its sockets is none, or the process is out of descriptors.
pub(super) fn go_on(
    carried: Carried,
    parcels: &Parcels,
    place: &Place,
) -> io::Result<impl Future<Output = ()> + use<>> {
    let Carried { frozen, held, websocket, listener, testament } = carried;
    let visits = parcels.counters.listener(&listener).of(place.number);
    let counted = count(&visits);
    let epitaph = testament.into_epitaph(parcels.log.clone());
    let reins = Rc::new(Reins::new(epitaph.client(), websocket));
    let relay = frozen.thaw(reins.clone())?;
    let entry = place.roster.enter(held.server(), reins);
    Ok(run(relay, held, websocket, epitaph, entry, counted))
}

fn count(visits: &Arc<Visits>) -> (Tunnelled, Option<Open>) {
    let open = visits.connection();
    open.turn(Stage::Writing);
    (visits.tunnel(), Some(open))
}

#[expect(clippy::manual_async_fn, reason = "an async fn's state would hold its arguments twice")]
fn run(
    mut relay: Relay,
    held: Held,
    websocket: bool,
    epitaph: Epitaph,
    entry: Entry,
    counted: (Tunnelled, Option<Open>),
) -> impl Future<Output = ()> + use<> {
    // What comes after the tunnel's life has room of its own: this one would have it all the time.
    async move {
        let mut outcome = relay.run().await;
        // Where that fails, the peers are told to come again.
        if matches!(outcome, Outcome::Ended(Ending::Replaced))
            && let Ok(frozen) = relay.freeze()
        {
            let testament = epitaph.bequeath();
            let listener = counted.0.listener().into();
            let carried = Carried { frozen, held, websocket, listener, testament };
            return entry.pack(Parcel::Tunnel(Box::new(carried)));
        }
        if matches!(outcome, Outcome::Orphaned) {
            // The server has one connection less from now on.
            drop(held);
            outcome = Box::pin(relay.release()).await;
        }
        let idle = relay.idle();
        if outcome.is_told() {
            Box::pin(relay.close(&outcome)).await;
        }
        let summary = relay.summary(&outcome, idle);
        counted.0.count_malformed(summary.malformed());
        entry.end(&summary, websocket);
        epitaph.tell(summary, &outcome);
        drop(counted);
    }
}
