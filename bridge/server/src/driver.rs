//! One namespace on the shell's side: a task that owns the engine, its clock and its timer.
//!
//! Everything reaches the engine through one channel of commands, and what the engine answers is carried out before
//! the next command is taken: messages go into the streams' out-lists, replies wake the calls that wait for
//! them. The channel is bounded by its users: a stream has at most one message under way, a call one command.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use loom_engine::engine::Engine;
use loom_engine::inputs::{self, Input};
use loom_engine::limits::Limits;
use loom_engine::messages::ClientMessage;
use loom_engine::outputs::{Output, SnapshotReply};
use loom_engine::trace::{self, Step};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until, timeout};
use tonic::Status;

use crate::clock::Clock;
use crate::namespaces::Namespaces;
use crate::sink::Sink;
use crate::watch::Watcher;

/// How many deadlines one advance of a virtual clock may fire.
pub const MOST_DEADLINES: u64 = 100_000;
/// A peer that takes nothing for so long is not waited for on the way of an advance.
const STALL: Duration = Duration::from_millis(200);
/// How many commands are taken in one go.
const BURST: usize = 256;

/// What the shell tells a driver.
pub enum Command {
    /// A stream was opened.
    Open { stream: u64, sink: Sink },
    /// A stream's client said something; `done` is dropped once the engine has taken it.
    Receive { stream: u64, message: ClientMessage, done: oneshot::Sender<()> },
    /// Anything that needs no answer.
    Feed(Input),
    /// A stream's gRPC call is over; breaks the stream unless the engine ended it before.
    Leave { stream: u64 },
    /// A stream's client sent what cannot be read; the stream breaks and ends with this status.
    Fail { stream: u64, status: Status },
    /// A call that the engine answers.
    Ask { call: u64, came_in: Input, reply: oneshot::Sender<Output> },
    /// A test moves the virtual clock.
    Advance { by: u64, reply: oneshot::Sender<Advanced> },
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
    /// Whether it was stopped because too many fired.
    pub stopped: bool,
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
    /// A fresh number for a stream or a call.
    pub fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    /// Gives a command; a driver that is gone takes none, and says so by dropping its replies.
    pub fn give(&self, command: Command) {
        _ = self.commands.send(command);
    }

    /// Asks the engine and awaits its reply; dropped before that, it tells the engine that the caller left (ACT-3).
    pub async fn ask(self: &Arc<Self>, make: impl FnOnce(u64) -> Input) -> Option<Output> {
        let call = self.number();
        let (reply, answer) = oneshot::channel();
        let mut left = LeaveNotice { handle: self, call, waiting: true };
        self.give(Command::Ask { call, came_in: make(call), reply });
        let output = answer.await.ok();
        left.waiting = false;
        output
    }

    /// What the namespace holds.
    pub async fn snapshot(self: &Arc<Self>) -> Option<SnapshotReply> {
        match self.ask(|call| inputs::Snapshot { call }.into()).await {
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

/// Begins a namespace.
pub fn start(
    name: &str,
    clock: Clock,
    limits: Limits,
    liveness: bool,
    watchers: Vec<Watcher>,
    namespaces: Arc<Namespaces>,
) -> Arc<Handle> {
    let (commands, receiver) = mpsc::unbounded_channel();
    let handle = Arc::new(Handle {
        name: name.to_owned(),
        limits: limits.clone(),
        is_virtual: clock.is_virtual(),
        commands,
        numbers: AtomicU64::new(1),
    });
    let driver = Driver {
        name: name.to_owned(),
        engine: Engine::new(clock.now(), limits, liveness),
        clock,
        commands: receiver,
        put_off: VecDeque::new(),
        streams: HashMap::new(),
        calls: HashMap::new(),
        drained: None,
        grace_us: 0,
        watchers,
        touched: Instant::now(),
        namespaces,
    };
    tokio::spawn(driver.run());
    handle
}

struct Stream {
    sink: Sink,
    /// Messages given to the sink that the transport has not taken yet.
    unwritten: u64,
}

struct Driver {
    name: String,
    engine: Engine,
    clock: Clock,
    commands: mpsc::UnboundedReceiver<Command>,
    /// Advances that came while another one was under way.
    put_off: VecDeque<Command>,
    streams: HashMap<u64, Stream>,
    calls: HashMap<u64, oneshot::Sender<Output>>,
    drained: Option<oneshot::Sender<()>>,
    grace_us: u64,
    watchers: Vec<Watcher>,
    touched: Instant,
    namespaces: Arc<Namespaces>,
}

impl Driver {
    async fn run(mut self) {
        let mut burst = Vec::with_capacity(BURST);
        loop {
            if let Some(command) = self.put_off.pop_front() {
                if !self.take(command).await {
                    return;
                }
                continue;
            }
            let wake = self.wake();
            tokio::select! {
                biased;
                count = self.commands.recv_many(&mut burst, BURST) => {
                    if count == 0 {
                        return;
                    }
                    for command in burst.drain(..) {
                        if !self.take(command).await {
                            return;
                        }
                    }
                }
                () = sleep_until(wake) => {
                    if !self.woke() {
                        return;
                    }
                }
            }
        }
    }

    /// When to look at the engine, or at whether anyone is still there.
    fn wake(&self) -> Instant {
        let idle = self.touched + self.namespaces.patience(self.clock.is_virtual());
        let deadline = self.engine.next_deadline().and_then(|deadline| self.clock.instant(deadline));
        let idle = if self.busy() { Instant::now() + Duration::from_secs(3600) } else { idle };
        deadline.map_or(idle, |deadline| Instant::from_std(deadline).min(idle))
    }

    /// Fires what is due; answers false when the namespace is forgotten.
    fn woke(&mut self) -> bool {
        let now = self.clock.now();
        let due = self.engine.next_deadline().is_some_and(|deadline| deadline <= now);
        if due && !self.clock.is_virtual() {
            self.feed(inputs::Tick {}.into());
            return true;
        }
        let unused = self.touched + self.namespaces.patience(self.clock.is_virtual()) <= Instant::now();
        let over = unused && !self.busy() && (self.clock.is_virtual() || self.engine.is_idle());
        if over && self.namespaces.forget_unused(&self.name) {
            self.close(false, "the namespace was not used any more");
            return false;
        }
        if unused {
            self.touched = Instant::now(); // looks again after another while
        }
        true
    }

    fn busy(&self) -> bool {
        !self.streams.is_empty() || !self.calls.is_empty()
    }

    /// Takes a command; answers false when the namespace has ended.
    async fn take(&mut self, command: Command) -> bool {
        if let Command::Advance { by, reply } = command {
            let advanced = self.advance(by).await;
            _ = reply.send(advanced);
            return true;
        }
        self.take_now(command)
    }

    fn take_now(&mut self, command: Command) -> bool {
        match command {
            Command::Open { stream, sink } => {
                self.touched = Instant::now();
                self.streams.insert(stream, Stream { sink, unwritten: 0 });
                self.feed(inputs::Open { stream }.into());
            }
            Command::Receive { stream, message, done } => {
                self.feed(inputs::Receive { stream, message }.into());
                drop(done);
            }
            Command::Feed(came_in) => {
                if let Input::Writable(report) = &came_in
                    && let Some(stream) = self.streams.get_mut(&report.stream)
                {
                    stream.unwritten = stream.unwritten.saturating_sub(u64::from(report.count));
                }
                if let Input::Abandon(abandon) = &came_in {
                    self.touched = Instant::now();
                    self.calls.remove(&abandon.call);
                }
                self.feed(came_in);
            }
            Command::Leave { stream } => {
                self.touched = Instant::now();
                if self.streams.remove(&stream).is_some() {
                    self.feed(inputs::Break { stream }.into());
                }
            }
            Command::Fail { stream, status } => {
                if let Some(failed) = self.streams.remove(&stream) {
                    failed.sink.end_with(status, false);
                    self.feed(inputs::Break { stream }.into());
                }
            }
            Command::Ask { call, came_in, reply } => {
                self.touched = Instant::now();
                self.calls.insert(call, reply);
                self.feed(came_in);
            }
            Command::Watch(watcher) => self.watchers.push(watcher),
            Command::Drain { grace_ms, reply } => {
                self.drained = Some(reply);
                self.grace_us = grace_ms * 1000;
                self.feed(inputs::DrainAll { grace_ms }.into());
            }
            Command::Close { reset, message } => {
                self.close(reset, message);
                return false;
            }
            advance @ Command::Advance { .. } => self.put_off.push_back(advance),
        }
        true
    }

    /// Lets the engine handle an input, and does what it says.
    fn feed(&mut self, came_in: Input) {
        let now = self.clock.now();
        self.watchers.retain(Watcher::is_open);
        let watched = (!self.watchers.is_empty()).then(|| came_in.clone());
        let outputs = self.engine.handle(came_in, now);
        if let Some(came_in) = watched {
            let step = Step { at: now, input: came_in, outputs: outputs.clone() };
            let line = trace::encode_step(&step);
            for watcher in &mut self.watchers {
                watcher.tell(&self.name, &line);
            }
        }
        for output in outputs {
            self.carry_out(output);
        }
    }

    fn carry_out(&mut self, output: Output) {
        match output {
            Output::Send(send) => {
                if let Some(stream) = self.streams.get_mut(&send.stream) {
                    stream.unwritten += 1;
                    stream.sink.send(send.message);
                }
            }
            Output::Accept(accept) => {
                if let Some(stream) = self.streams.get(&accept.stream) {
                    stream.sink.accept();
                }
            }
            Output::End(end) => {
                if let Some(stream) = self.streams.remove(&end.stream) {
                    stream.sink.end(&end.status, &end.message, end.abrupt);
                }
            }
            Output::PauseReading(pause) => {
                if let Some(stream) = self.streams.get(&pause.stream) {
                    stream.sink.pause(true);
                }
            }
            Output::ResumeReading(resume) => {
                if let Some(stream) = self.streams.get(&resume.stream) {
                    stream.sink.pause(false);
                }
            }
            Output::Drained(_) => {
                if let Some(reply) = self.drained.take() {
                    _ = reply.send(());
                }
            }
            Output::RegisterReply(_)
            | Output::Answer(_)
            | Output::CapabilitiesReply(_)
            | Output::HeartbeatReply(_)
            | Output::SnapshotReply(_) => self.reply(output),
        }
    }

    fn reply(&mut self, output: Output) {
        let call = match &output {
            Output::RegisterReply(reply) => reply.call,
            Output::Answer(reply) => reply.call,
            Output::CapabilitiesReply(reply) => reply.call,
            Output::HeartbeatReply(reply) => reply.call,
            Output::SnapshotReply(reply) => reply.call,
            _ => return,
        };
        if let Some(waiting) = self.calls.remove(&call) {
            _ = waiting.send(output);
        }
    }

    /// Moves the virtual clock and fires what falls due, by deadline; what each sends is written before the next fires.
    async fn advance(&mut self, by: u64) -> Advanced {
        let target = self.clock.now() + by;
        let mut fired = 0;
        self.flush().await;
        while let Some(deadline) = self.engine.next_deadline().filter(|deadline| *deadline <= target) {
            if fired == MOST_DEADLINES {
                return Advanced { now: self.clock.now(), fired, stopped: true };
            }
            self.clock.move_to(deadline);
            self.feed(inputs::Tick {}.into());
            fired += 1;
            self.flush().await;
        }
        self.clock.move_to(target);
        Advanced { now: target, fired, stopped: false }
    }

    /// Takes commands until every stream has written what it holds, or the peers that are left take nothing.
    async fn flush(&mut self) {
        loop {
            while let Ok(command) = self.commands.try_recv() {
                self.take_now(command);
            }
            if self.streams.values().all(|stream| stream.unwritten == 0) {
                return;
            }
            match timeout(STALL, self.commands.recv()).await {
                Ok(Some(command)) => _ = self.take_now(command),
                Ok(None) | Err(_) => return,
            }
        }
    }

    /// Ends what is still open.
    fn close(&mut self, reset: bool, message: &str) {
        if reset {
            self.feed(inputs::Reset {}.into());
        } else if self.drained.is_some() {
            // The grace is real time, also where the clock is virtual (CTL-2): let the engine see that it is over.
            let over = self.clock.now() + self.grace_us;
            self.clock.move_to(over);
            self.feed(inputs::Tick {}.into());
        }
        for (_, stream) in self.streams.drain() {
            stream.sink.end("UNAVAILABLE", message, false);
        }
        self.calls.clear();
        self.commands.close();
    }
}
