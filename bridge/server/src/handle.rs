//! How the rest of the shell reaches a driver: commands through one channel, and the replies that come back.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use loom_engine::inputs::{self, Input};
use loom_engine::limits::Limits;
use loom_engine::messages::ClientMessage;
use loom_engine::outputs::{Output, SnapshotReply};
use tokio::sync::{mpsc, oneshot};
use tonic::Status;

use crate::advance::Stopped;
use crate::participants::{Report, Tag, Teller};
use crate::sink::Sink;
use crate::watch::Watcher;

/// What the shell tells a driver.
pub enum Command {
    /// A stream was opened; the tag says which participant's it is.
    Open { stream: u64, sink: Sink, tag: Option<Tag> },
    /// A stream's client said something; `done` is dropped once the engine has taken it.
    Receive { stream: u64, message: ClientMessage, done: oneshot::Sender<()> },
    /// Anything that needs no answer.
    Feed(Input),
    /// A stream's gRPC call is over; breaks the stream unless the engine ended it before.
    Leave { stream: u64 },
    /// A stream's client sent what cannot be read; the stream breaks and ends with this status.
    Fail { stream: u64, status: Status },
    /// A call that the engine answers; the tag says which participant's it is.
    Ask { call: u64, came_in: Input, reply: oneshot::Sender<Output>, tag: Option<Tag> },
    /// A test moves the virtual clock.
    Advance { by: u64, patience: Duration, reply: oneshot::Sender<Result<Advanced, Stopped>> },
    /// A test wants the clock to go to what is awaited, once all is settled.
    Jump { reply: oneshot::Sender<Result<u64, Stopped>> },
    /// Who asked for a jump may not want it any more.
    Reconsider,
    /// Somebody takes part in the clock.
    Join { participant: String, seat: u64, teller: Teller },
    /// A participant reports.
    Report { seat: u64, report: Report },
    /// A participant's stream is over, or ends with this status.
    Depart { seat: u64, status: Option<Status> },
    /// Somebody wants to see every step from here on.
    Watch(Watcher),
    /// Nobody new is taken; answered when nothing is open any more (LIM-3).
    Drain { grace_ms: u64, reply: oneshot::Sender<()> },
    /// A test resets the namespace, or the bridge stops: what is open ends.
    Close { reset: bool, message: &'static str },
}

/// What came of an advance.
pub struct Advanced {
    /// Where the clock stands.
    pub now: u64,
    /// How many deadlines fired.
    pub fired: u64,
}

/// How the rest of the shell reaches a driver.
pub struct Handle {
    /// The namespace's name.
    pub name: String,
    /// What it takes at the most.
    pub limits: Limits,
    /// Whether its clock moves only by an advance.
    pub is_virtual: bool,
    commands: mpsc::UnboundedSender<Command>,
    numbers: AtomicU64,
}

impl Handle {
    /// The way in of a driver that takes these commands.
    pub fn new(
        name: &str,
        limits: Limits,
        is_virtual: bool,
        commands: mpsc::UnboundedSender<Command>,
    ) -> Self {
        Self { name: name.to_owned(), limits, is_virtual, commands, numbers: AtomicU64::new(1) }
    }

    /// Refuses a namespace whose clock nobody moves.
    pub fn check_virtual(&self) -> Result<(), Status> {
        if self.is_virtual {
            return Ok(());
        }
        Err(Status::failed_precondition(format!(
            "namespace {} runs on the real clock; make one with virtual_clock to move its time",
            self.name
        )))
    }

    /// A fresh number for a stream or a call.
    pub fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    /// Gives a command; a driver that is gone takes none, and says so by dropping its replies.
    pub fn give(&self, command: Command) {
        _ = self.commands.send(command);
    }

    /// Asks the engine and awaits its reply; dropped before that, it tells the engine that the caller left (ACT-3).
    pub async fn ask(self: &Arc<Self>, tag: Option<Tag>, make: impl FnOnce(u64) -> Input) -> Option<Output> {
        let call = self.number();
        let (reply, answer) = oneshot::channel();
        let mut left = LeaveNotice { handle: self, call, waiting: true };
        self.give(Command::Ask { call, came_in: make(call), reply, tag });
        let output = answer.await.ok();
        left.waiting = false;
        output
    }

    /// What the namespace holds.
    pub async fn snapshot(self: &Arc<Self>) -> Option<SnapshotReply> {
        match self.ask(None, |call| inputs::Snapshot { call }.into()).await {
            Some(Output::SnapshotReply(reply)) => Some(*reply),
            _ => None,
        }
    }
}

struct LeaveNotice<'a> {
    handle: &'a Handle,
    call: u64,
    waiting: bool,
}

impl Drop for LeaveNotice<'_> {
    fn drop(&mut self) {
        if self.waiting {
            self.handle.give(Command::Feed(inputs::Abandon { call: self.call }.into()));
        }
    }
}
