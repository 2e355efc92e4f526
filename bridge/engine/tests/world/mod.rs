//! A small world around one engine: clients as lists of what they were sent, time as a number.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use loom_engine::inputs::{Input, Invoke, Open, Receive, Register, Tick, Writable};
use loom_engine::messages::{Ack, ActionCall, ActionResult, ClientMessage, Publish, ServerMessage};
use loom_engine::outputs::{Output, RegisterReply};
use loom_engine::{Engine, Limits};

pub const START: u64 = 1_700_000_000_000_000;
pub const SECOND: u64 = 1_000_000;

/// An encoded event of an id of one letter.
pub fn event(id: &str) -> Bytes {
    Bytes::from([b"\x0a\x01", id.as_bytes()].concat())
}

pub struct World {
    pub engine: Engine,
    pub now: u64,
    /// Whether everything that is sent is reported as written at once.
    pub writes: bool,
    pub paused: BTreeSet<u64>,
    sent: Vec<(u64, ServerMessage)>,
    ended: BTreeMap<u64, String>,
    answers: BTreeMap<u64, ActionResult>,
    registered: Option<RegisterReply>,
    last: u64,
}

impl Default for World {
    fn default() -> Self {
        Self::with(Limits::default())
    }
}

impl World {
    pub fn with(limits: Limits) -> Self {
        Self {
            engine: Engine::new(START, limits, false),
            now: START,
            writes: true,
            paused: BTreeSet::new(),
            sent: Vec::new(),
            ended: BTreeMap::new(),
            answers: BTreeMap::new(),
            registered: None,
            last: 0,
        }
    }

    pub fn handle(&mut self, came_in: impl Into<Input>) -> Vec<Output> {
        let outputs = self.engine.handle(came_in, self.now);
        let mut written: BTreeMap<u64, u32> = BTreeMap::new();
        for output in outputs.clone() {
            match output {
                Output::Send(send) => {
                    *written.entry(send.stream).or_default() += 1;
                    self.sent.push((send.stream, send.message));
                }
                Output::End(end) => _ = self.ended.insert(end.stream, end.status.into_owned()),
                Output::PauseReading(pause) => assert!(self.paused.insert(pause.stream)),
                Output::ResumeReading(resume) => assert!(self.paused.remove(&resume.stream)),
                Output::Answer(answer) => {
                    assert!(self.answers.insert(answer.call, answer.result).is_none(), "answered twice");
                }
                Output::RegisterReply(reply) => self.registered = Some(reply),
                _ => {}
            }
        }
        if self.writes {
            for (stream, count) in written {
                self.handle(Writable { stream, count });
            }
        }
        outputs
    }

    pub fn handle_message(&mut self, stream: u64, message: ClientMessage) -> Vec<Output> {
        self.handle(Receive { stream, message })
    }

    pub fn say(&mut self, stream: u64, message: impl Into<ClientMessage>) {
        self.handle_message(stream, message.into());
    }

    /// Moves time, deadline by deadline.
    pub fn wait(&mut self, seconds: u64) {
        let target = self.now + seconds * SECOND;
        while let Some(deadline) = self.engine.next_deadline().filter(|deadline| *deadline <= target) {
            self.now = self.now.max(deadline);
            self.handle(Tick {});
        }
        self.now = target;
    }

    /// A registration with every feature, its call numbered afresh.
    pub fn agent(&self, agent_id: &str) -> Register {
        let features = loom_engine::limits::FEATURES.map(String::from).to_vec();
        Register { agent_id: agent_id.into(), features, ..Register::default() }
    }

    pub fn register(&mut self, request: Register) -> RegisterReply {
        let call = self.number();
        self.handle(Register { call, ..request });
        self.registered.take().expect("a registration is answered at once")
    }

    pub fn open_stream(&mut self) -> u64 {
        let stream = self.number();
        self.handle(Open { stream });
        stream
    }

    pub fn open(&mut self, agent_id: &str) -> u64 {
        let stream = self.open_stream();
        self.say(stream, Ack { message_id: agent_id.into(), ..Ack::default() });
        stream
    }

    pub fn join(&mut self, agent_id: &str, topics: &[&str]) -> u64 {
        let subscribed_topics = topics.iter().map(|topic| (*topic).to_owned()).collect();
        let reply = self.register(Register { subscribed_topics, ..self.agent(agent_id) });
        assert_eq!(reply.error_code, "");
        self.open(agent_id)
    }

    pub fn publish(&mut self, stream: u64, topic: &str, event: Bytes) {
        self.say(stream, Publish { topic: topic.into(), event: Some(event), ..Publish::default() });
    }

    pub fn wrote(&mut self, stream: u64, count: u32) {
        self.handle(Writable { stream, count });
    }

    pub fn call(&mut self, request: ActionCall) -> u64 {
        let call = self.number();
        self.handle(Invoke { call, request });
        call
    }

    /// What a stream was sent since the last time that anything was asked for.
    pub fn sent(&mut self, stream: u64) -> Vec<ServerMessage> {
        let to_it = self.sent.iter().filter(|(to, _)| *to == stream);
        to_it.map(|(_, message)| message.clone()).collect()
    }

    /// The calls that a stream was given since the last time.
    pub fn calls(&mut self, stream: u64) -> Vec<ActionCall> {
        let mut calls = Vec::new();
        self.sent.retain(|(to, message)| match message {
            ServerMessage::ActionCall(call) if *to == stream => {
                calls.push((**call).clone());
                false
            }
            _ => true,
        });
        calls
    }

    /// The streams to which events were delivered since the last time, in order.
    pub fn deliveries(&mut self) -> Vec<u64> {
        let sent = std::mem::take(&mut self.sent);
        let delivered = sent.into_iter().filter(|(_, message)| matches!(message, ServerMessage::Delivery(_)));
        delivered.map(|(stream, _)| stream).collect()
    }

    /// The status with which a stream ended, if it did.
    pub fn ended(&self, stream: u64) -> Option<String> {
        self.ended.get(&stream).cloned()
    }

    /// The result of a call, if it has one.
    pub fn answer(&self, call: u64) -> Option<ActionResult> {
        self.answers.get(&call).cloned()
    }

    fn number(&mut self) -> u64 {
        self.last += 1;
        self.last
    }
}
