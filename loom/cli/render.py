"""What `loom dev` shows: activities as lines for people. Pure: activities in, styled text out."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from loom_testing.activity import (
    Activity,
    AgentChanged,
    AgentJoined,
    AgentLeft,
    AgentRefused,
    BridgeDraining,
    CallEnded,
    CallStarted,
    EventDelivered,
    EventPublished,
    NamespaceReset,
    PublisherResumed,
    PublisherSlowed,
    Refused,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from loom_testing.totals import Totals

__all__ = ["Renderer", "duration", "summary"]

COLOURS = {
    "joined": "green",
    "changed": "green",
    "left": "yellow",
    "event": "cyan",
    "reply": "cyan",
    "call": "blue",
    "refused": "red",
    "slowed": "yellow",
    "resumed": "green",
    "bridge": "magenta",
}
WIDEST_NAMES = 36
NAMES_SHOWN = 3
PAYLOAD_SHOWN = 160
_UNHEARD = {0: "nobody", None: "nobody yet"}


class Renderer:
    """Keeps the columns aligned from line to line.

    Args:
        payloads: whether to show payloads under their line.
    """

    def __init__(self, *, payloads: bool = False) -> None:
        self.payloads = payloads
        self._names = 12

    def lines(self, activities: Sequence[Activity], namespace: str = "default") -> list[str]:
        """The lines for what one step brought. An event and its first deliveries are one line."""
        shown: list[str] = []
        receivers = [each.to for each in activities if isinstance(each, EventDelivered)]
        published = any(isinstance(each, EventPublished) for each in activities)
        for activity in activities:
            if isinstance(activity, CallStarted) or (published and isinstance(activity, EventDelivered)):
                continue
            if isinstance(activity, AgentChanged) and not (activity.subscriptions or activity.capabilities):
                continue  # it is about to leave, and the next line says so
            shown += self._line(activity, receivers, namespace)
        return shown

    def running(self, call: CallStarted, now_us: int, namespace: str = "default") -> str:
        """The line for a call that is still open after a while."""
        who = _arrow(call.caller or "anonymous", "…")
        waited = f"still open after {duration(now_us - call.at)}"
        return self._row(now_us, "call", who, _topic(call.capability), _dim(waited), namespace)

    def _line(self, activity: Activity, receivers: list[str], namespace: str) -> list[str]:
        word, who, what, more = self._cells(activity, receivers)
        row = self._row(activity.at, word, who, what, more, namespace)
        payload = getattr(activity, "payload", b"") if self.payloads else b""
        return [row, _payload_line(payload)] if payload else [row]

    def _cells(self, activity: Activity, receivers: list[str]) -> tuple[str, str, str, str]:
        """Word, who, what, and what more there is to say."""
        match activity:
            case AgentJoined():
                return "joined", _name(activity.agent), _interests(activity), ""
            case AgentChanged():
                return "changed", _name(activity.agent), _interests(activity), ""
            case AgentRefused():
                return "refused", _name(activity.agent), _bad(activity.code), _clean(activity.message)
            case AgentLeft():
                said = _dim(activity.reason) if activity.orderly else _bad(activity.reason)
                return "left", _name(activity.agent), said, ""
            case EventPublished():
                return self._event(activity, receivers)
            case EventDelivered():
                waited = "" if activity.waited_us is None else f"waited {duration(activity.waited_us)}"
                who = _arrow(activity.sender, _clean(activity.to))
                return "event", who, _topic(activity.topic, activity.event_type), _dim(waited)
            case CallEnded():
                return self._call(activity)
            case Refused():
                return "refused", _name(activity.agent), _bad(activity.code), _clean(activity.message)
            case PublisherSlowed():
                return "slowed", _name(activity.agent), "its subscribers do not keep up; it waits", ""
            case PublisherResumed():
                return "resumed", _name(activity.agent), "its subscribers caught up", ""
            case BridgeDraining():
                return "bridge", "", "is stopping: it finishes what is open", ""
            case NamespaceReset():
                return "bridge", "", "a test reset the namespace", ""
            case CallStarted():
                return "call", _arrow(activity.caller, "…"), _topic(activity.capability), ""

    def _event(self, event: EventPublished, receivers: list[str]) -> tuple[str, str, str, str]:
        word, more = "event", ""
        if event.answered_us is not None:
            word, more = "reply", _dim(f"after {duration(event.answered_us)}")
        if receivers:
            to = _several(receivers)
        else:
            to = click.style(_UNHEARD.get(event.matched, "queued"), fg="yellow")
        return word, _arrow(event.sender, to), _topic(event.topic, event.event_type), more

    def _call(self, call: CallEnded) -> tuple[str, str, str, str]:
        who = _arrow(call.caller or "anonymous", _clean(call.provider) or "nobody")
        at_once = not call.provider and (call.took_us or 0) < 1000
        took = "" if call.took_us is None or at_once else duration(call.took_us)
        if call.status == "OK":
            return "call", who, _topic(call.capability), f"{click.style('ok', fg='green')} {_dim(took)}"
        problem = f"{_bad(call.code or call.status)} {_dim(took)}".rstrip()
        return "call", who, _topic(call.capability), f"{problem}  {_clean(call.message)}"

    def _row(self, at: int, word: str, who: str, what: str, more: str, namespace: str) -> str:
        self._names = min(max(self._names, _width(who)), WIDEST_NAMES)
        time = datetime.fromtimestamp(at / 1_000_000).astimezone()
        cells = [
            _dim(f"{time:%H:%M:%S}.{time.microsecond // 1000:03d}"),
            click.style(word.ljust(7), fg=COLOURS[word]),
            who + " " * (self._names - _width(who)),
            what,
            more,
            "" if namespace == "default" else _dim(f"[{namespace}]"),
        ]
        return "  ".join(cell for cell in cells if cell.strip() or cell is cells[2]).rstrip()


def duration(micros: int) -> str:
    """A duration with three digits at the most, in the unit that suits it."""
    if micros < 1_000_000:
        millis = micros / 1000
        return f"{millis:.2f} ms" if millis < 10 else f"{millis:.0f} ms"
    seconds = micros / 1_000_000
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{int(seconds // 60)} min {int(seconds % 60)} s"


def summary(totals: Totals) -> str:
    """The totals in one line."""
    parts = [
        _count(len(totals.agents), "agent"),
        _count(totals.events, "event"),
        _count(totals.calls, "call"),
    ]
    half, most = totals.percentile_us(50), totals.percentile_us(99)
    if half is not None and most is not None:
        parts[-1] += f" (p50 {duration(half)}, p99 {duration(most)})"
    if totals.failed_calls:
        parts.append(_bad(f"{_count(totals.failed_calls, 'call')} failed"))
    if totals.refusals:
        parts.append(_bad(f"{totals.refusals} refused"))
    return ", ".join(parts)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _interests(agent: AgentJoined | AgentChanged) -> str:
    parts = []
    if agent.subscriptions:
        parts.append(f"{_dim('hears')} {_several(agent.subscriptions, shown=6)}")
    if agent.capabilities:
        parts.append(f"{_dim('offers')} {_several(agent.capabilities, shown=6)}")
    return "  ".join(parts) or _dim("hears and offers nothing")


def _several(names: Sequence[str], shown: int = NAMES_SHOWN) -> str:
    names = [_clean(name) for name in names]
    if len(names) <= shown + 1:
        return ", ".join(names)
    return f"{', '.join(names[:shown])} and {len(names) - shown} more"


def _arrow(sender: str, receivers: str) -> str:
    return f"{_name(sender)} {_dim('→')} {receivers or '?'}"


def _name(agent: str) -> str:
    return click.style(_clean(agent) or "?", bold=True)


def _topic(topic: str, event_type: str = "") -> str:
    topic = _clean(topic)
    return f"{topic} {_dim(event_type)}" if event_type and event_type != topic else topic


def _payload_line(payload: bytes) -> str:
    text = " ".join(payload.decode("utf-8", "replace").split())
    cut = text if len(text) <= PAYLOAD_SHOWN else f"{text[:PAYLOAD_SHOWN]}… ({len(payload)} bytes)"
    return _dim(" " * 14 + cut)


def _bad(text: str) -> str:
    return click.style(_clean(text), fg="red")


def _dim(text: str) -> str:
    return click.style(_clean(text), dim=True) if text else ""


def _clean(text: str) -> str:
    """What agents say is theirs, the terminal is not: no control character of theirs reaches it."""
    return "".join(sign if sign.isprintable() else "·" for sign in text)


def _width(text: str) -> int:
    return len(click.unstyle(text))
