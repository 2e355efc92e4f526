"""The results kept for repeats of a call, bounded in time, number and bytes (ACT-8)."""

from __future__ import annotations

from loom_testing.engine.call import CallKey, KeptResult
from loom_testing.engine.core import Core
from loom_testing.engine.limits import micros
from loom_testing.engine.messages import ActionCall, ActionResult
from loom_testing.engine.text import utf8_size
from loom_testing.engine.timers import TimerKind

__all__ = ["forget_due", "keep"]


def keep(core: Core, key: CallKey, request: ActionCall, result: ActionResult) -> None:
    """Keeps a provider's own OK or ERROR; the oldest make room."""
    size = len(request.payload) + len(result.output) + _error_size(result)
    if size > core.limits.kept_result_bytes:
        return
    expires = core.now + micros(core.limits.idempotency_ms)
    content = ActionCall(capability=request.capability, version=request.version, payload=request.payload)
    core.kept[key] = KeptResult(content, result, expires, size)
    core.kept_bytes += size
    while len(core.kept) > core.limits.kept_results or core.kept_bytes > core.limits.kept_result_bytes:
        _forget_oldest(core)
    _arm(core)


def forget_due(core: Core) -> None:
    """Forgets what was kept long enough."""
    while core.kept and next(iter(core.kept.values())).expires <= core.now:
        _forget_oldest(core)
    _arm(core)


def _forget_oldest(core: Core) -> None:
    _, kept = core.kept.popitem(last=False)
    core.kept_bytes -= kept.size


def _arm(core: Core) -> None:
    if core.kept:
        core.timers.set(TimerKind.KEPT, 0, next(iter(core.kept.values())).expires)
    else:
        core.timers.cancel(TimerKind.KEPT, 0)


def _error_size(result: ActionResult) -> int:
    error = result.error
    if error is None:
        return 0
    details = sum(utf8_size(key) + utf8_size(value) for key, value in error.details.items())
    return utf8_size(error.code) + utf8_size(error.message) + details
