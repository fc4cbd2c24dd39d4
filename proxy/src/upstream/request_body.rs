//! A client's body on its way to a server: a piece at a time, and a small one once more.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use crate::observe::now;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Instant, timeout};

/// A body of at most so many bytes is collected for a server that must know its length: nginx's
/// default of `client_max_body_size`.
const COLLECTED: usize = 1024 * 1024;

/// A client's body that waits to be sent.
#[derive(Debug)]
pub(crate) enum Pending {
    /// It is still to come.
    Coming(Incoming),
    /// Some of it is here, and more is still to come.
    Begun(Bytes, Incoming),
    /// It is here.
    Here(Bytes),
}

/// A request's body as hyper sends it.
#[derive(Debug)]
pub(crate) struct RequestBody(Option<Sending>);

#[derive(Debug)]
struct Sending {
    from: Pending,
    /// Bytes that may still come.
    left: u64,
    /// A body of at most so many bytes is kept while it passes, so that it can be sent to another
    /// server.
    kept: usize,
    sent: Rc<Sent>,
}

/// How far a request's body is, as its sender sees it.
#[derive(Debug)]
pub(crate) struct Sent {
    /// Whether all of it is gone.
    pub(crate) ended: Cell<bool>,
    /// Whether it is the client's turn: all that has come of it is gone.
    pub(crate) awaited: Cell<bool>,
    /// When a piece of it came last.
    pub(crate) last: Cell<Instant>,
    /// How many bytes are gone.
    pub(crate) bytes: Cell<u64>,
    /// What is gone; none when it is too much.
    kept: RefCell<Option<Vec<Bytes>>>,
}

/// Why a client's body broke off.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Broken {
    /// Its connection or its framing did.
    #[error(transparent)]
    Client(hyper::Error),
    /// It grew past the limit.
    #[error("too large")]
    TooLarge,
}

/// Why a client's body could not be collected.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Uncollected {
    /// It broke off.
    #[error(transparent)]
    Broken(#[from] Broken),
    /// Nothing came for so long.
    #[error("timed out")]
    Silent,
    /// It may be as large as it is, but not without saying so beforehand.
    #[error("too large to be collected")]
    TooLong,
}

impl Pending {
    /// Whether its length is known before it is sent.
    pub(crate) fn has_length(&self) -> bool {
        match self {
            Self::Coming(incoming) => incoming.size_hint().exact().is_some(),
            Self::Begun(..) => false,
            Self::Here(_) => true,
        }
    }

    /// Waits for all of it, at most `limit` bytes, each piece within `patience`.
    ///
    /// # Errors
    /// Any [`Uncollected`].
    pub(crate) async fn collect(self, limit: u64, patience: Duration) -> Result<Self, Uncollected> {
        let (mut all, mut incoming) = match self {
            Self::Coming(incoming) => (Vec::new(), incoming),
            Self::Begun(begun, incoming) => (begun.to_vec(), incoming),
            Self::Here(_) => return Ok(self),
        };
        loop {
            let frame = poll_fn(|cx| Pin::new(&mut incoming).poll_frame(cx));
            let frame = timeout(patience, frame).await.map_err(|_| Uncollected::Silent)?;
            let Some(frame) = frame else { break };
            let Ok(data) = frame.map_err(Broken::Client)?.into_data() else { continue };
            let length = all.len() + data.len();
            if u64::try_from(length).is_ok_and(|length| length > limit) {
                return Err(Broken::TooLarge.into());
            }
            if length > COLLECTED {
                return Err(Uncollected::TooLong);
            }
            all.extend_from_slice(&data);
        }
        Ok(Self::Here(all.into()))
    }
}

impl Pending {
    /// Waits for all of it if that is at most `most` bytes, as [`Pending::collect`] does; of more,
    /// for no more than shows that.
    ///
    /// # Errors
    /// Any [`Uncollected`].
    pub(crate) async fn collect_small(
        self,
        most: usize,
        limit: u64,
        patience: Duration,
    ) -> Result<Self, Uncollected> {
        let Self::Coming(mut incoming) = self else { return Ok(self) };
        let least = usize::try_from(incoming.size_hint().lower()).unwrap_or(usize::MAX);
        if least > most {
            return Ok(Self::Coming(incoming));
        }
        let mut all = Vec::with_capacity(least);
        loop {
            let frame = poll_fn(|cx| Pin::new(&mut incoming).poll_frame(cx));
            let frame = timeout(patience, frame).await.map_err(|_| Uncollected::Silent)?;
            let Some(frame) = frame else { return Ok(Self::Here(all.into())) };
            let Ok(data) = frame.map_err(Broken::Client)?.into_data() else { continue };
            all.extend_from_slice(&data);
            if u64::try_from(all.len()).is_ok_and(|length| length > limit) {
                return Err(Broken::TooLarge.into());
            }
            if all.len() > most {
                return Ok(Self::Begun(all.into(), incoming));
            }
        }
    }

    /// All of it, where it is here.
    pub(crate) fn whole(&self) -> Option<&Bytes> {
        match self {
            Self::Here(bytes) => Some(bytes),
            Self::Coming(_) | Self::Begun(..) => None,
        }
    }

    /// Waits for all of it as [`Pending::collect`] does, however much it is, and keeps nothing.
    ///
    /// # Errors
    /// Any [`Uncollected`].
    pub(crate) async fn discard(self, limit: u64, patience: Duration) -> Result<(), Uncollected> {
        let (begun, mut incoming) = match self {
            Self::Coming(incoming) => (0, incoming),
            Self::Begun(begun, incoming) => (begun.len(), incoming),
            Self::Here(_) => return Ok(()),
        };
        let mut left = limit.saturating_sub(u64::try_from(begun).unwrap_or(u64::MAX));
        loop {
            let frame = poll_fn(|cx| Pin::new(&mut incoming).poll_frame(cx));
            let frame = timeout(patience, frame).await.map_err(|_| Uncollected::Silent)?;
            let Some(frame) = frame else { return Ok(()) };
            let Ok(data) = frame.map_err(Broken::Client)?.into_data() else { continue };
            let length = u64::try_from(data.len()).unwrap_or(u64::MAX);
            left = left.checked_sub(length).ok_or(Broken::TooLarge)?;
        }
    }
}

impl RequestBody {
    /// No body.
    pub(crate) fn none() -> Self {
        Self(None)
    }

    /// A client's body of at most `limit` bytes; one of at most `kept` may be sent again.
    pub(crate) fn new(from: Pending, limit: u64, kept: usize) -> (Self, Rc<Sent>) {
        let sent = Rc::new(Sent {
            awaited: Cell::new(false),
            ended: Cell::new(from.is_end()),
            last: Cell::new(now().into()),
            bytes: Cell::new(0),
            kept: RefCell::new(Some(Vec::new())),
        });
        (Self(Some(Sending { from, left: limit, kept, sent: sent.clone() })), sent)
    }

    /// The body itself, when the request was not sent.
    pub(crate) fn into_pending(self) -> Option<Pending> {
        self.0.map(|body| body.from)
    }
}

impl Sent {
    /// All of the body once more, when it is gone and was kept.
    pub(crate) fn again(&self) -> Option<Pending> {
        let kept = self.kept.take().filter(|_| self.ended.get())?;
        Some(Pending::Here(match <[Bytes; 1]>::try_from(kept) {
            Ok([whole]) => whole,
            Err(pieces) => pieces.concat().into(),
        }))
    }

    fn note(&self, piece: &Bytes, limit: usize) {
        let bytes = self.bytes.get() + u64::try_from(piece.len()).unwrap_or(u64::MAX);
        self.bytes.set(bytes);
        let mut kept = self.kept.borrow_mut();
        if usize::try_from(bytes).is_ok_and(|bytes| bytes > limit) {
            *kept = None;
        }
        if let Some(kept) = &mut *kept {
            kept.push(piece.clone());
        }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let Some(body) = &mut self.get_mut().0 else { return Poll::Ready(None) };
        let frame = match &mut body.from {
            Pending::Begun(bytes, _) if !bytes.is_empty() => {
                Some(Ok(Frame::data(std::mem::take(bytes))))
            }
            Pending::Coming(incoming) | Pending::Begun(_, incoming) => {
                let frame = Pin::new(incoming).poll_frame(cx);
                body.sent.awaited.set(frame.is_pending());
                ready!(frame)
            }
            Pending::Here(bytes) => {
                let bytes = std::mem::take(bytes);
                (!bytes.is_empty()).then(|| Ok(Frame::data(bytes)))
            }
        };
        body.sent.last.set(now().into());
        if frame.is_none() || body.from.is_end() {
            body.sent.ended.set(true);
        }
        let Some(frame) = frame else { return Poll::Ready(None) };
        let Ok(frame) = frame else {
            *body.sent.kept.borrow_mut() = None;
            return Poll::Ready(Some(frame.map_err(Broken::Client)));
        };
        if let Some(piece) = frame.data_ref() {
            // What is here as a whole is shared, not copied.
            let limit = if matches!(body.from, Pending::Here(_)) { COLLECTED } else { body.kept };
            body.sent.note(piece, limit);
            let length = u64::try_from(piece.len()).unwrap_or(u64::MAX);
            let Some(left) = body.left.checked_sub(length) else {
                return Poll::Ready(Some(Err(Broken::TooLarge)));
            };
            body.left = left;
        }
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(|body| body.from.is_end())
    }

    fn size_hint(&self) -> SizeHint {
        match self.0.as_ref().map(|body| &body.from) {
            None => SizeHint::with_exact(0),
            Some(Pending::Coming(incoming)) => incoming.size_hint(),
            Some(Pending::Begun(..)) => SizeHint::default(),
            Some(Pending::Here(bytes)) => {
                SizeHint::with_exact(u64::try_from(bytes.len()).unwrap_or(u64::MAX))
            }
        }
    }
}

impl Pending {
    fn is_end(&self) -> bool {
        match self {
            Self::Coming(incoming) => incoming.is_end_stream(),
            Self::Begun(bytes, incoming) => bytes.is_empty() && incoming.is_end_stream(),
            Self::Here(bytes) => bytes.is_empty(),
        }
    }
}
