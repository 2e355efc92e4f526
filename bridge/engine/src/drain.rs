//! Stopping without breaking anything: no new work, open calls finish, streams are flushed (LIM-3).

use crate::codes::Code;
use crate::core::Core;
use crate::flow;
use crate::limits::{Feature, micros};
use crate::messages::Drain;
use crate::outputs::Drained;
use crate::sessions::{self, Cut};
use crate::states::StreamState;
use crate::timers::TimerKind;

/// Refuses new work from here on and tells the sessions.
pub fn begin(core: &mut Core, grace_ms: u64) {
    if core.draining {
        return;
    }
    core.draining = true;
    core.timers.set(TimerKind::Drain, 0, core.now.saturating_add(micros(grace_ms)));
    for slot in core.streams_in_order() {
        let stream = &core.streams[slot];
        if stream.state == StreamState::Awaiting {
            sessions::refuse(core, slot, "UNAVAILABLE", Code::Draining, "");
        } else if stream.state == StreamState::Open && stream.features.has(Feature::Drain) {
            flow::reply(core, slot, Drain { grace_ms });
        }
    }
}

/// The grace has passed: what is still open is cut.
pub fn grace_over(core: &mut Core) {
    for slot in core.streams_in_order() {
        sessions::cut(core, slot, "UNAVAILABLE", Code::Draining, Cut::Told);
    }
}

/// Once no call is open, ends the streams; once no stream is left, says so.
pub fn proceed(core: &mut Core) {
    if !core.draining || !core.calls.is_empty() {
        return;
    }
    for slot in core.streams_in_order() {
        if core.streams[slot].state == StreamState::Open {
            sessions::leave(core, slot, "UNAVAILABLE", Some(Code::Draining));
        }
    }
    if core.streams.is_empty() && !core.drained {
        core.drained = true;
        core.timers.cancel(TimerKind::Drain, 0);
        core.emit(Drained {});
    }
}
