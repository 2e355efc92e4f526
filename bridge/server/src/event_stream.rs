//! One EventStream call: a reader between gRPC and the driver; the way out is the `sink`.

use std::sync::Arc;

use loom_engine::inputs::{Break, HalfClose};
use tokio::sync::{oneshot, watch};
use tonic::{Code, Status, Streaming};

use crate::codec;
use crate::ending::Ending;
use crate::handle::{Command, Handle};
use crate::participants::Tag;
use crate::sink::{self, Outgoing};
use crate::wire::view::ClientEvent;

/// Serves one call: the response begins when the handshake is accepted, which lets the headers leave (SES-3).
pub async fn serve(
    handle: Arc<Handle>,
    incoming: Streaming<ClientEvent>,
    ending: Ending,
    tag: Option<Tag>,
) -> Result<Outgoing, Status> {
    let stream = handle.number();
    let (sink, outgoing, gate) = sink::pair(&handle, stream);
    handle.give(Command::Open { stream, sink, tag });
    let (fault, failed) = oneshot::channel();
    tokio::spawn(read(Arc::clone(&handle), stream, incoming, ending, gate.paused, fault));
    // Dropped on the way, `outgoing` tells the driver that the call is over.
    tokio::select! {
        biased;
        accepted = gate.accepted => match accepted {
            Ok(Ok(())) => Ok(outgoing),
            Ok(Err(status)) => Err(status),
            Err(_) => Err(Status::unavailable("the namespace ended")),
        },
        Ok(status) = failed => Err(status),
    }
}

/// Reads and hands on, one message under way at a time, until the client has nothing more to say.
async fn read(
    handle: Arc<Handle>,
    stream: u64,
    mut incoming: Streaming<ClientEvent>,
    ending: Ending,
    mut paused: watch::Receiver<bool>,
    fault: oneshot::Sender<Status>,
) {
    let mut taken: Option<oneshot::Receiver<()>> = None;
    let end = loop {
        let next = incoming.message().await;
        if let Some(taken) = taken.take() {
            _ = taken.await; // dropped once the engine has taken the message before
        }
        if paused.wait_for(|paused| !paused).await.is_err() {
            return; // the stream has ended
        }
        match next {
            Ok(Some(event)) => {
                let (done, receiver) = oneshot::channel();
                taken = Some(receiver);
                handle.give(Command::Receive { stream, message: codec::client_message(event), done });
            }
            Ok(None) if ending.is_broken() => break Break { stream }.into(),
            Ok(None) => break HalfClose { stream }.into(),
            Err(status) => {
                if is_fault(&status) {
                    let refused = refusal(status);
                    _ = fault.send(refused.clone());
                    handle.give(Command::Fail { stream, status: refused });
                    return;
                }
                break Break { stream }.into();
            }
        }
    };
    handle.give(Command::Feed(end));
}

/// Whether the client sent what cannot be read, rather than having gone.
fn is_fault(status: &Status) -> bool {
    matches!(
        status.code(),
        Code::OutOfRange | Code::ResourceExhausted | Code::Internal | Code::InvalidArgument
    ) && std::error::Error::source(status).is_none()
}

/// Malformed protobuf is the client's fault, which INTERNAL would not say.
fn refusal(status: Status) -> Status {
    if status.code() == Code::Internal {
        Status::invalid_argument(format!("the message is no loom.v1.ClientEvent: {}", status.message()))
    } else {
        status
    }
}
