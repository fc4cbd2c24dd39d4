//! The life of one client connection: HTTP until an answer switches protocols, then a tunnel.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, Sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::crowd::Crowd;
use super::parcel::{Parcel, Resting};
use super::roster::Roster;
use super::socket::Socket;
use super::tunnel;
use super::wire::Wire;
use crate::http::{Client, Endings, HeadRules, stack};
use crate::net::Stream;
use crate::observe::{Stage, Turn, now};
use crate::tasks::Tasks;

/// How often a connection is looked at that no event may wake.
const TICK: Duration = Duration::from_secs(1);

/// The fields, and the bytes of a head, that hyper has room for by itself.
const USUAL_FIELDS: usize = 100;
const USUAL_HEAD: usize = 64 << 10;

/// How long after it has connected a client may ask when its generation is retired.
const GREETING: Duration = Duration::from_secs(2);

/// How long after its last answer a client may ask once more when its generation is retired: it
/// would be cut off in the middle of a request that it could not know to be too late.
const PARTING: Duration = Duration::from_millis(250);

/// What has become of a client's HTTP.
enum Over {
    /// It is at its end, or has become a tunnel.
    Done,
    /// It failed.
    Broken,
    /// The client was silent for too long, or took too long.
    Late,
    /// It rests, and somebody else goes on with it.
    Packed,
}

/// A socket, and what was read from it too early.
pub(super) type Half = (Stream, Vec<u8>);

/// Serves one connection to its end.
pub(super) async fn serve(
    (stream, early): Half,
    client: Rc<Client>,
    retired: CancellationToken,
    crowd: Crowd,
    roster: Roster,
    tasks: Tasks,
) {
    let place = poll_fn(|cx| Poll::Ready(crowd.enter(&client, cx.waker().clone()))).await;
    let service = TowerToHyperService::new(stack(client.clone()));
    let wire = Wire::new(Socket::new(stream, client.clone()), early, client.clone());
    let mut http = builder(&client.site.heads).serve_connection(TokioIo::new(wire), service);
    let over = {
        let mut retired = pin!(retired.cancelled());
        let mut clock = pin!(sleep_until(deadline(&client)));
        poll_fn(|cx| {
            let _turn = Turn::begin();
            if roster.is_packing() && client.rests() {
                return Poll::Ready(Over::Packed);
            }
            if !client.closing.get() && retired.as_mut().poll(cx).is_ready() {
                client.closing.set(true);
                // Whoever has just come, or was answered a moment ago, may be about to ask: the
                // next answer says that it is the last.
                let moment = if client.requests.get() == 0 { GREETING } else { PARTING };
                if client.busy.get() > 0 {
                    Pin::new(&mut http).graceful_shutdown();
                } else {
                    client.patience.set(client.patience.get().min(moment));
                }
            }
            match http.poll_without_shutdown(cx) {
                // hyper is done with the connection, but maybe not with what it has to write: it
                // is polled until it is.
                Poll::Ready(Ok(())) if client.flow.blocked.get().is_none() => {
                    return Poll::Ready(Over::Done);
                }
                Poll::Ready(Err(_)) => return Poll::Ready(Over::Broken),
                Poll::Ready(Ok(())) | Poll::Pending => {}
            }
            poll_idle(&client, clock.as_mut(), cx).map(|()| Over::Late)
        })
        .await
    };
    drop(place);
    client.turn(Stage::Writing);
    let switched = client.switched.borrow_mut().take();
    if matches!(over, Over::Broken | Over::Late) {
        let mut wire = http.into_parts().io.into_inner();
        if matches!(over, Over::Late) && client.busy.get() == 0 {
            wire.end_in_head(408, "client timed out (110: Connection timed out)");
        }
        if client.flow.cut.get() {
            wire.into_parts().0.reset_at_close();
        }
        return;
    }
    let (mut stream, mut early) = take_back(http.into_parts());
    if matches!(over, Over::Packed) {
        let packed = stream.stop().and_then(|unread| {
            early.extend(unread);
            Resting::pack(&stream, early, &client)
        });
        if let Ok(resting) = packed {
            roster.pack(Parcel::Resting(resting));
        }
        return;
    }
    match switched {
        // This task is as large as hyper's state; the tunnel's own is a third of it.
        Some(switched) => tasks.spawn(tunnel::begin((stream, early), switched, client, &roster)),
        None if client.lingers() => linger(stream, client.endings.get()).await,
        None => {}
    }
}

/// hyper with as much room as the wire may let through; more than it has by itself costs it more.
fn builder(heads: &HeadRules) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder.title_case_headers(true);
    if heads.fields > USUAL_FIELDS {
        builder.max_headers(heads.fields);
    }
    if heads.most() > USUAL_HEAD {
        // A target may become three times as long when it is escaped.
        builder.max_buf_size(heads.most().saturating_mul(3));
    }
    builder
}

/// The socket, and what hyper or the wire had read too far: a copy, so that their buffers are freed
/// before anything that lasts is allocated.
fn take_back<S>(parts: http1::Parts<TokioIo<Wire>, S>) -> Half {
    let (stream, behind) = parts.io.into_inner().into_parts();
    (stream, [&*parts.read_buf, &behind].concat())
}

/// When the client has been idle for too long.
fn deadline(client: &Client) -> Instant {
    Instant::from_std(client.idle_since.get() + client.patience.get())
}

/// Ready when no answer is under way and the client has been silent for too long, or when it has
/// not taken what it is sent for too long.
fn poll_idle(client: &Client, mut clock: Pin<&mut Sleep>, cx: &mut Context<'_>) -> Poll<()> {
    let deadline = deadline(client);
    if deadline < clock.deadline() && client.busy.get() == 0 {
        // What holds now is shorter than what held when the clock was set.
        clock.as_mut().reset(deadline);
    }
    // Of these no event tells that they have lasted too long, or that the client has left.
    if (client.flow.blocked.get().is_some() || client.is_unheard())
        && clock.deadline() > Instant::from_std(now()) + TICK
    {
        clock.as_mut().reset(Instant::from_std(now()) + TICK);
    }
    while clock.as_mut().poll(cx).is_ready() {
        let now = Instant::now();
        if client.busy.get() == 0 && now >= deadline {
            if client.flow.head_since.get().is_some() {
                client.flow.cut.set(client.site.servers.default_server().rules.reset);
            }
            return Poll::Ready(());
        }
        if client.flow.blocked.get().is_some_and(|since| since.elapsed() >= client.flow.limit.get())
        {
            client.flow.cut.set(client.flow.reset.get());
            return Poll::Ready(());
        }
        // While an answer is under way, its own limits count: look again later.
        let watched = client.flow.blocked.get().is_some() || client.is_unheard();
        let next = if watched { now + TICK } else { deadline.max(now + TICK) };
        clock.as_mut().reset(next);
    }
    Poll::Pending
}

/// Says that nothing more comes, and throws away what the client still sends, for a short time:
/// closing at once could destroy the answer on its way.
async fn linger(mut stream: Stream, endings: Endings) {
    if stream.shutdown().await.is_err() {
        return;
    }
    let mut waste = vec![0; 4096];
    let pause = endings.linger_timeout;
    let rest =
        async { while matches!(timeout(pause, stream.read(&mut waste)).await, Ok(Ok(1..))) {} };
    // Either way the connection is closed now.
    let _ = timeout(endings.linger_time, rest).await;
}
