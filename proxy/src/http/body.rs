//! The body of an answer, wherever it comes from.

use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Frame, SizeHint};

use super::files::Pieces;
use super::pace::Pacer;
use super::record::Record;
use crate::observe::{Level, errno};
use crate::upstream::{Failure, ResponseBody};

/// An answer's body. It keeps the request's record until it has ended, so that whoever drops the
/// last of both knows that the answer is over.
#[derive(Debug)]
pub(crate) struct Body {
    content: Content,
    /// Why the answer breaks off, once that is known.
    failure: Option<Broken>,
    chunked: bool,
    /// Trailers are to follow: it tells no length, and its end only behind its last bytes.
    trailing: bool,
    /// How fast it goes out, where that is limited.
    pacer: Option<Box<Pacer>>,
    record: Rc<Record>,
}

/// Why an answer breaks off.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Broken {
    /// Its server.
    #[error(transparent)]
    Server(#[from] Failure),
    /// Its file.
    #[error("pread() failed ({})", errno(.0))]
    File(#[from] io::Error),
}

/// Where the bytes are.
#[derive(Debug)]
pub(crate) enum Content {
    /// There are none.
    Empty,
    /// All are here.
    Whole(Bytes),
    /// They are in a file.
    File(Box<Pieces>),
    /// They come from a server.
    Server(Box<ResponseBody>),
}

impl Body {
    pub(super) fn new(content: Content, record: Rc<Record>) -> Self {
        let pacer = Pacer::of(&record);
        Self { content, failure: None, chunked: false, trailing: false, pacer, record }
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let this = self.get_mut();
        if let Some(failure) = this.failure.take() {
            return Poll::Ready(Some(Err(failure)));
        }
        let left = match &mut this.pacer {
            None => None,
            Some(pacer) => {
                ready!(pacer.poll_ready(cx));
                pacer.take(None)
            }
        };
        let came_back = left.is_some();
        let frame = match &mut this.content {
            _ if left.is_some() => left.map(|bytes| Ok(Frame::data(bytes))),
            Content::Empty => None,
            Content::Whole(bytes) => {
                let bytes = std::mem::take(bytes);
                this.content = Content::Empty;
                (!bytes.is_empty()).then(|| Ok(Frame::data(bytes)))
            }
            Content::File(pieces) => match pieces.next() {
                Ok(bytes) => bytes.map(|bytes| Ok(Frame::data(bytes))),
                Err(error) => Some(Err(Broken::File(error))),
            },
            Content::Server(body) => ready!(Pin::new(&mut **body).poll_frame(cx))
                .map(|frame| frame.map_err(Broken::Server)),
        };
        let frame = match (frame, &mut this.pacer) {
            (Some(Ok(frame)), Some(pacer)) if !came_back => {
                Some(Ok(frame.map_data(|fresh| pacer.take(Some(fresh)).unwrap_or_default())))
            }
            (frame, _) => frame,
        };
        let frame = match frame {
            Some(Err(failure)) => {
                // hyper drops what it has not written yet when a body fails: it is told a turn
                // later, when the head and what came of the body have gone out.
                this.tell(&failure);
                this.failure = Some(failure);
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            Some(Ok(frame)) => {
                let length = frame.data_ref().map_or(0, Bytes::len);
                let length = u64::try_from(length).unwrap_or(u64::MAX);
                let framing = if this.chunked { chunk_framing(length) } else { 0 };
                this.record.body_sent.set(this.record.body_sent.get() + length + framing);
                if let (false, Some(last)) =
                    (this.is_ours(), this.record.tries.borrow_mut().last_mut())
                {
                    last.length += length;
                }
                Some(Ok(frame))
            }
            None => None,
        };
        if http_body::Body::is_end_stream(this) || frame.is_none() {
            this.end();
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        !self.trailing
            && self.waiting() == 0
            && match &self.content {
                Content::Empty => true,
                Content::Whole(bytes) => bytes.is_empty(),
                Content::File(pieces) => pieces.left() == 0,
                Content::Server(body) => body.is_end_stream(),
            }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            // hyper asks before anything has gone out; whoever asks later gets no false length.
            _ if self.trailing || self.waiting() > 0 => SizeHint::default(),
            Content::Empty => SizeHint::with_exact(0),
            Content::Whole(bytes) => {
                SizeHint::with_exact(u64::try_from(bytes.len()).unwrap_or(u64::MAX))
            }
            Content::File(pieces) => SizeHint::with_exact(pieces.left()),
            Content::Server(body) => body.size_hint(),
        }
    }
}

impl Body {
    /// It goes out in chunks, whose framing counts as sent.
    pub(super) fn in_chunks(&mut self) {
        self.chunked = true;
    }

    /// Whether its server's trailers are to be passed on.
    pub(super) fn awaits_trailers(&self) -> bool {
        matches!(&self.content, Content::Server(body) if body.awaits_trailers())
    }

    /// It goes out in chunks with trailers behind them.
    pub(super) fn expect_trailers(&mut self) {
        self.trailing = true;
    }

    /// The bytes that have come and may not go out yet.
    fn waiting(&self) -> u64 {
        self.pacer.as_ref().map_or(0, |pacer| pacer.waiting())
    }

    /// All of it was given to the connection.
    fn end(&mut self) {
        if self.record.complete.replace(true) {
            return;
        }
        if let Content::Server(body) = &mut self.content
            && let Some(excess) = body.take_excess()
        {
            let tries = self.record.tries.borrow();
            let upstream = tries.last().map(|last| &*last.addr);
            let what = format_args!("{excess} while reading upstream");
            self.record.log(Level::Warn, upstream, what);
        }
        if let Content::Server(body) = &mut self.content {
            self.record.upstream_trailers.replace(body.take_trailers());
        }
        let mut trailers = 0;
        if std::mem::take(&mut self.trailing) {
            let lines = self.record.end_with_trailers();
            trailers = u64::try_from(lines.len()).unwrap_or(u64::MAX);
            self.record.client.trailers.replace(lines.to_vec());
        }
        if self.chunked {
            self.record.body_sent.set(self.record.body_sent.get() + LAST_CHUNK + trailers);
        }
        if !self.is_ours()
            && self.record.is_logged()
            && let Some(last) = self.record.tries.borrow_mut().last_mut()
        {
            last.ended();
        }
    }

    /// Whether the answer is our own page or text.
    pub(super) fn is_ours(&self) -> bool {
        !matches!(self.content, Content::Server(_))
    }

    /// The answer breaks off: its head is gone already, so this can only be told to the log.
    fn tell(&self, failure: &Broken) {
        let failure = match failure {
            Broken::Server(failure) => failure,
            Broken::File(_) => {
                self.record.log(Level::Crit, None, format_args!("{failure}"));
                return;
            }
        };
        let tries = self.record.tries.borrow();
        let upstream = tries.last().map(|last| &*last.addr);
        let phase = failure.phase();
        self.record.log(Level::Error, upstream, format_args!("{failure} {phase}"));
    }
}

/// `0` and two empty lines.
const LAST_CHUNK: u64 = 5;

/// What a chunk has besides its bytes: its length in hexadecimal, and two ends of line.
fn chunk_framing(length: u64) -> u64 {
    match length {
        0 => 0,
        length => u64::from(length.ilog2() / 4) + 5,
    }
}
