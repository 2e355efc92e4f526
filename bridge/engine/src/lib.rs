//! The protocol as a pure state machine: the heart of the Rust bridge, and the twin of the Python engine in
//! `loom_testing/engine`.
//!
//! One engine is one namespace. A message comes in with the time, outputs go out; nothing here does I/O, reads
//! a clock, draws a random number or awaits. So a trace of inputs replays exactly, time can be virtual, and
//! what is true of this crate is true of every bridge that replays its traces.
//!
//! Layout, from the border to the core; each module has its twin of the same name:
//!
//! * [`inputs`], [`outputs`], [`messages`]: what crosses the border, as data. [`trace`]: the same as lines of
//!   JSON.
//! * [`engine`]: [`Engine::handle`], which finds the function for each input and timer.
//! * `registration`, `sessions`, `subscriptions`: who is there and what they hear.
//! * `publish`, `router`, `flow`, `outbox`: from an event to the copies in its receivers' queues.
//! * `calls`, `results`: from a call to its one end.
//! * `drain`, `snapshot`: stopping, and looking inside.
//! * [`states`], [`timers`], [`counters`], [`limits`], [`topics`], [`event`], [`text`], [`codes`]: tables and
//!   rules the others use.
//! * `core`, `agent`, `stream`, `call`: the state itself.
//! * `lane`, `names`, `slots`: what Python brings along and Rust does not.

mod agent;
mod call;
mod calls;
pub mod codes;
mod core;
pub mod counters;
mod drain;
pub mod engine;
pub mod event;
mod flow;
pub mod inputs;
mod lane;
pub mod limits;
pub mod messages;
mod names;
mod outbox;
pub mod outputs;
mod publish;
mod registration;
mod results;
mod router;
mod sessions;
mod slots;
mod snapshot;
pub mod states;
mod stream;
mod subscriptions;
pub mod text;
pub mod timers;
pub mod topics;
pub mod trace;

pub use engine::Engine;
pub use limits::Limits;
