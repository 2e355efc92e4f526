//! The results kept for repeats of a call, bounded in time, number and bytes (ACT-8).

use std::sync::Arc;

use crate::call::{CallKey, KeptResult};
use crate::core::Core;
use crate::limits::micros;
use crate::messages::{ActionCall, ActionResult};
use crate::text::utf8_size;
use crate::timers::TimerKind;

/// Keeps a provider's own OK or ERROR; the oldest make room.
pub fn keep(core: &mut Core, key: CallKey, request: ActionCall, result: ActionResult) {
    let size = request.payload.len() + result.output.len() + error_size(&result);
    if size as u64 > core.limits.kept_result_bytes {
        return;
    }
    let expires = core.now + micros(core.limits.idempotency_ms);
    core.kept_order.push_back(key.clone());
    core.kept.insert(key, KeptResult { request, result, expires, size });
    core.kept_bytes += size;
    while core.kept.len() as u64 > core.limits.kept_results
        || core.kept_bytes as u64 > core.limits.kept_result_bytes
    {
        forget_oldest(core);
    }
    arm(core);
}

/// What of a call is kept: what `same_content` looks at.
pub fn content(call: &ActionCall) -> ActionCall {
    ActionCall {
        capability: Arc::clone(&call.capability),
        version: call.version.clone(),
        payload: call.payload.clone(),
        ..ActionCall::default()
    }
}

/// Forgets what was kept long enough.
pub fn forget_due(core: &mut Core) {
    while oldest_expires(core).is_some_and(|expires| expires <= core.now) {
        forget_oldest(core);
    }
    arm(core);
}

fn oldest_expires(core: &Core) -> Option<u64> {
    core.kept_order.front().map(|key| core.kept[key].expires)
}

fn forget_oldest(core: &mut Core) {
    let oldest = core.kept_order.pop_front().and_then(|key| core.kept.remove(&key));
    core.kept_bytes -= oldest.map_or(0, |kept| kept.size);
}

fn arm(core: &mut Core) {
    match oldest_expires(core) {
        Some(expires) => core.timers.set(TimerKind::Kept, 0, expires),
        None => core.timers.cancel(TimerKind::Kept, 0),
    }
}

fn error_size(result: &ActionResult) -> usize {
    let Some(error) = &result.error else { return 0 };
    let details = error.details.iter().map(|(key, value)| utf8_size(key) + utf8_size(value));
    utf8_size(&error.code) + utf8_size(&error.message) + details.sum::<usize>()
}
