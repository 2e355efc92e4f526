//! One namespace on the shell's side: a task that owns the engine, its clock and its timer.
//!
//! Everything reaches the engine through one channel of commands, and what the engine answers is carried out before
//! the next command is taken: messages go into the streams' out-lists, replies wake the calls that wait for
//! them. The channel is bounded by its users: a stream has at most one message under way, a call one command.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use loom_engine::engine::Engine;
use loom_engine::inputs::{self, Input};
use loom_engine::limits::Limits;
use loom_engine::messages::ClientMessage;
use loom_engine::outputs::Output;
use loom_engine::trace::{self, Step};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};

use crate::advance::Stopped;
use crate::clock::Clock;
use crate::handle::{Command, Handle};
use crate::namespaces::Namespaces;
use crate::participants::{Participants, Tag, Traffic};
use crate::sink::Sink;
use crate::watch::{Kept, Watcher};

/// How many commands are taken in one go.
const BURST: usize = 256;

/// Begins a namespace.
pub fn start(
    name: &str,
    clock: Clock,
    limits: Limits,
    liveness: bool,
    kept: Option<Kept>,
    watchers: Vec<Watcher>,
    namespaces: Arc<Namespaces>,
) -> Arc<Handle> {
    let (commands, receiver) = mpsc::unbounded_channel();
    let handle = Arc::new(Handle::new(name, limits.clone(), clock.is_virtual(), commands));
    let driver = Driver {
        name: name.to_owned(),
        engine: Engine::new(clock.now(), limits, liveness),
        clock,
        commands: receiver,
        put_off: VecDeque::new(),
        jumps: Vec::new(),
        participants: Participants::new(liveness),
        streams: HashMap::new(),
        calls: HashMap::new(),
        drained: None,
        grace_us: 0,
        kept,
        watchers,
        touched: Instant::now(),
        namespaces,
    };
    tokio::spawn(driver.run());
    handle
}

/// A stream that is open.
pub struct Stream {
    sink: Sink,
    /// Messages given to the sink that the transport has not taken yet.
    pub unwritten: u64,
    /// What is counted of it.
    pub traffic: Traffic,
    /// Which participant's it is.
    pub tag: Option<Tag>,
}

/// What owns one engine.
pub struct Driver {
    name: String,
    /// The engine.
    pub engine: Engine,
    /// Where its time comes from.
    pub clock: Clock,
    /// What the shell says.
    pub commands: mpsc::UnboundedReceiver<Command>,
    /// Advances that wait until all that came with them has been taken, and those before them are through.
    put_off: VecDeque<Command>,
    /// Who waits for the clock to go to what is awaited.
    pub jumps: Vec<oneshot::Sender<Result<u64, Stopped>>>,
    /// Who takes part in the clock.
    pub participants: Participants,
    /// The open streams, by number.
    pub streams: HashMap<u64, Stream>,
    calls: HashMap<u64, (oneshot::Sender<Output>, Option<Tag>)>,
    drained: Option<oneshot::Sender<()>>,
    grace_us: u64,
    /// The last steps, where they are kept.
    kept: Option<Kept>,
    watchers: Vec<Watcher>,
    touched: Instant,
    namespaces: Arc<Namespaces>,
}

impl Driver {
    async fn run(mut self) {
        let mut burst = Vec::with_capacity(BURST);
        loop {
            self.move_clock().await;
            let wake = self.wake();
            tokio::select! {
                biased;
                count = self.commands.recv_many(&mut burst, BURST) => {
                    if count == 0 {
                        return;
                    }
                    for command in burst.drain(..) {
                        if !self.take(command) {
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
        !self.streams.is_empty() || !self.calls.is_empty() || !self.participants.is_empty()
    }

    /// Moves the clock for who asked for it. Only between bursts: what is left in one might be what the clock waits
    /// for, and meanwhile nothing is taken but from the channel.
    async fn move_clock(&mut self) {
        loop {
            while let Some(Command::Advance { by, patience, reply }) = self.put_off.pop_front() {
                let advanced = self.advance(by, patience).await;
                _ = reply.send(advanced);
            }
            if !self.jumps.is_empty() {
                self.consider_jump().await;
            }
            if self.put_off.is_empty() {
                return;
            }
        }
    }

    /// Takes a command, but puts off what takes its time; answers false when the namespace has ended.
    pub fn take(&mut self, command: Command) -> bool {
        match command {
            Command::Open { stream, sink, tag } => {
                self.touched = Instant::now();
                if let Some(tag) = &tag {
                    self.participants.began(tag, Some(stream));
                }
                let opened = Stream { sink, unwritten: 0, traffic: Traffic::default(), tag };
                self.streams.insert(stream, opened);
                self.feed(inputs::Open { stream }.into());
            }
            Command::Receive { stream, message, done } => {
                if let Some(open) = self.streams.get_mut(&stream) {
                    open.traffic.received += 1;
                    if let ClientMessage::Ack(ack) = &message
                        && open.traffic.agent.is_empty()
                    {
                        open.traffic.agent.clone_from(&ack.message_id);
                    }
                }
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
                    self.forget_call(abandon.call);
                }
                self.feed(came_in);
            }
            Command::Leave { stream } => {
                self.touched = Instant::now();
                if self.forget(stream).is_some() {
                    self.feed(inputs::Break { stream }.into());
                }
            }
            Command::Fail { stream, status } => {
                if let Some(failed) = self.forget(stream) {
                    failed.sink.end_with(status, false);
                    self.feed(inputs::Break { stream }.into());
                }
            }
            Command::Ask { call, came_in, reply, tag } => {
                self.touched = Instant::now();
                if let Some(tag) = &tag {
                    self.participants.began(tag, None);
                }
                self.calls.insert(call, (reply, tag));
                self.feed(came_in);
            }
            Command::Watch(mut watcher) => {
                if let (true, Some(kept)) = (watcher.kept, &self.kept) {
                    kept.tell(&self.name, &mut watcher);
                }
                self.watchers.push(watcher);
            }
            Command::Drain { grace_ms, reply } => {
                self.drained = Some(reply);
                self.grace_us = grace_ms * 1000;
                self.feed(inputs::DrainAll { grace_ms }.into());
            }
            Command::Close { reset, message } => {
                self.close(reset, message);
                return false;
            }
            Command::Jump { reply } => {
                self.participants.watch(self.clock.now());
                self.jumps.push(reply);
            }
            Command::Reconsider => {}
            Command::Join { participant, seat, teller } => {
                self.participants.join(&participant, seat, teller, self.clock.now());
            }
            Command::Report { seat, report } => self.participants.reported(seat, report),
            Command::Depart { seat, status } => {
                self.touched = Instant::now();
                self.participants.leave(seat, status);
            }
            advance @ Command::Advance { .. } => self.put_off.push_back(advance),
        }
        true
    }

    fn forget(&mut self, stream: u64) -> Option<Stream> {
        let gone = self.streams.remove(&stream)?;
        if let Some(tag) = &gone.tag {
            self.participants.ended(tag);
        }
        Some(gone)
    }

    fn forget_call(&mut self, call: u64) -> Option<oneshot::Sender<Output>> {
        let (reply, tag) = self.calls.remove(&call)?;
        if let Some(tag) = &tag {
            self.participants.ended(tag);
        }
        Some(reply)
    }

    /// Lets the engine handle an input, and does what it says.
    pub fn feed(&mut self, came_in: Input) {
        let now = self.clock.now();
        self.watchers.retain(Watcher::is_open);
        let watched = (self.kept.is_some() || !self.watchers.is_empty()).then(|| came_in.clone());
        let outputs = self.engine.handle(came_in, now);
        if let Some(came_in) = watched {
            let step = Step { at: now, input: came_in, outputs: outputs.clone() };
            let line = trace::encode_step(&step);
            for watcher in &mut self.watchers {
                watcher.tell(&self.name, &line);
            }
            if let Some(kept) = &mut self.kept {
                kept.add(line);
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
                    stream.traffic.sent += 1;
                    stream.sink.send(send.message);
                }
            }
            Output::Accept(accept) => {
                if let Some(stream) = self.streams.get(&accept.stream) {
                    stream.sink.accept();
                }
            }
            Output::End(end) => {
                if let Some(stream) = self.forget(end.stream) {
                    stream.sink.end(&end.status, &end.message, end.abrupt);
                }
            }
            Output::PauseReading(pause) => {
                if let Some(stream) = self.streams.get_mut(&pause.stream) {
                    stream.traffic.paused = true;
                    stream.sink.pause(true);
                }
            }
            Output::ResumeReading(resume) => {
                if let Some(stream) = self.streams.get_mut(&resume.stream) {
                    stream.traffic.paused = false;
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
        if let Some(waiting) = self.forget_call(call) {
            _ = waiting.send(output);
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
        self.participants.close(message);
        self.jumps.clear();
        for (_, stream) in self.streams.drain() {
            stream.sink.end("UNAVAILABLE", message, false);
        }
        self.calls.clear();
        self.commands.close();
    }
}
