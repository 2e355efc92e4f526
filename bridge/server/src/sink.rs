//! The way out of one EventStream: the driver puts messages in, gRPC takes them when the transport has room.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use loom_engine::inputs::Writable;
use loom_engine::messages::ServerMessage;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_stream::Stream;
use tonic::{Code, Status};

use crate::codec;
use crate::handle::{Command, Handle};
use crate::wire::view::ServerEvent;

/// How long an ended stream may take to write what was sent before its end.
const FLUSH: Duration = Duration::from_secs(5);

enum Item {
    Message(Box<ServerMessage>),
    End(Status),
}

/// The driver's end.
pub struct Sink {
    items: mpsc::UnboundedSender<Item>,
    accepted: std::sync::Mutex<Option<oneshot::Sender<Result<(), Status>>>>,
    paused: watch::Sender<bool>,
    dropped: Arc<AtomicBool>,
}

/// gRPC's end: the response stream.
pub struct Outgoing {
    items: mpsc::UnboundedReceiver<Item>,
    handle: Arc<Handle>,
    stream: u64,
    taken: u32,
    half_window: u32,
    dropped: Arc<AtomicBool>,
    ended: bool,
}

/// What the reader waits for.
pub struct Gate {
    /// Whether the handshake was accepted, or how the stream ended instead.
    pub accepted: oneshot::Receiver<Result<(), Status>>,
    /// Whether the stream is read no further for now.
    pub paused: watch::Receiver<bool>,
}

/// Makes both ends.
pub fn pair(handle: &Arc<Handle>, stream: u64) -> (Sink, Outgoing, Gate) {
    let (items, taken) = mpsc::unbounded_channel();
    let (accept, accepted) = oneshot::channel();
    let (pause, paused) = watch::channel(false);
    let dropped = Arc::new(AtomicBool::new(false));
    let sink = Sink {
        items,
        accepted: std::sync::Mutex::new(Some(accept)),
        paused: pause,
        dropped: Arc::clone(&dropped),
    };
    let outgoing = Outgoing {
        items: taken,
        handle: Arc::clone(handle),
        stream,
        taken: 0,
        half_window: u32::try_from(handle.limits.stream_window / 2).unwrap_or(u32::MAX).max(1),
        dropped,
        ended: false,
    };
    (sink, outgoing, Gate { accepted, paused })
}

impl Sink {
    /// Lets the response headers leave (SES-3).
    pub fn accept(&self) {
        self.settle(Ok(()));
    }

    /// Writes a message.
    pub fn send(&self, message: ServerMessage) {
        _ = self.items.send(Item::Message(Box::new(message)));
    }

    /// Reads no further, or reads on.
    pub fn pause(&self, pause: bool) {
        self.paused.send_replace(pause);
    }

    /// Ends the stream, after what was sent before unless `abrupt`; a peer that takes nothing is not waited for.
    pub fn end(&self, status: &str, message: &str, abrupt: bool) {
        self.end_with(Status::new(code(status), message), abrupt);
    }

    /// The same, with a status of gRPC's own.
    pub fn end_with(&self, status: Status, abrupt: bool) {
        self.settle(Err(status.clone()));
        if abrupt {
            self.dropped.store(true, Ordering::Release);
        } else if !self.items.is_closed() {
            let (items, dropped) = (self.items.clone(), Arc::clone(&self.dropped));
            tokio::spawn(async move {
                tokio::select! {
                    () = items.closed() => {}
                    () = tokio::time::sleep(FLUSH) => dropped.store(true, Ordering::Release),
                }
            });
        }
        self.pause(false);
        _ = self.items.send(Item::End(status));
    }

    fn settle(&self, outcome: Result<(), Status>) {
        // The lock is never held across a panic.
        if let Ok(mut accepted) = self.accepted.lock()
            && let Some(accepted) = accepted.take()
        {
            _ = accepted.send(outcome);
        }
    }
}

impl Stream for Outgoing {
    type Item = Result<ServerEvent, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.ended {
            return Poll::Ready(None);
        }
        loop {
            match self.items.poll_recv(context) {
                Poll::Ready(Some(Item::Message(message))) => {
                    if self.dropped.load(Ordering::Acquire) {
                        continue;
                    }
                    self.taken += 1;
                    if self.taken >= self.half_window || self.items.is_empty() {
                        self.report();
                    }
                    return Poll::Ready(Some(Ok(codec::server_event(*message))));
                }
                Poll::Ready(Some(Item::End(status))) => {
                    self.ended = true;
                    self.items.close();
                    let end = (status.code() != Code::Ok).then_some(Err(status));
                    return Poll::Ready(end);
                }
                Poll::Ready(None) => {
                    self.ended = true;
                    return Poll::Ready(None);
                }
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

impl Outgoing {
    /// Tells the engine what the transport took.
    fn report(&mut self) {
        let count = std::mem::take(&mut self.taken);
        self.handle.give(Command::Feed(Writable { stream: self.stream, count }.into()));
    }
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        self.handle.give(Command::Leave { stream: self.stream });
    }
}

fn code(status: &str) -> Code {
    match status {
        "OK" => Code::Ok,
        "INVALID_ARGUMENT" => Code::InvalidArgument,
        "DEADLINE_EXCEEDED" => Code::DeadlineExceeded,
        "FAILED_PRECONDITION" => Code::FailedPrecondition,
        "ABORTED" => Code::Aborted,
        "RESOURCE_EXHAUSTED" => Code::ResourceExhausted,
        "UNAVAILABLE" => Code::Unavailable,
        "PERMISSION_DENIED" => Code::PermissionDenied,
        _ => Code::Internal,
    }
}
