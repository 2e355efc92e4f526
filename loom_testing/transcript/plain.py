"""Messages as JSON: fields by their names, defaults left out, payloads readable, what is generated bound."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.unknown_fields import UnknownFieldSet

from loom.envelope import CORRELATION_ID, REPLY_TO, SENDER, THREAD_ID, TRACEPARENT, TRACESTATE
from loom_testing.engine.limits import Limits
from loom_testing.transcript.payloads import BASE64, read_payload
from loom_testing.transcript.placeholders import Names, escape

if TYPE_CHECKING:
    from google.protobuf.message import Message

__all__ = ["PAYLOADS", "UNKNOWN", "Literal", "Reader"]

PAYLOADS = frozenset(
    {
        "loom.v1.Event.payload",
        "loom.v1.ActionCall.payload",
        "loom.v1.ActionResult.output",
        "loom.v1.ActionChunk.output",
    }
)
"""The fields that hold somebody's content."""

UNKNOWN = "$unknown"
"""Where the numbers of a message's unknown fields stand."""

IDS = {
    "loom.v1.Event.id": "event",
    "loom.v1.Event.source": "agent",
    "loom.v1.ActionCall.id": "call",
    "loom.v1.ActionCall.correlation_id": "correlation",
    "loom.v1.ActionResult.id": "call",
    "loom.v1.ActionChunk.id": "call",
    "loom.v1.ActionCredit.id": "call",
    "loom.v1.ActionCancel.id": "call",
    "loom.v1.AgentRegisterRequest.agent_id": "agent",
    "loom.v1.Ack.message_id": "agent",
    "loom.v1.Publish.topic": "topic",
    "loom.v1.Delivery.topic": "topic",
    "loom.v1.Error.ref": "id",
}
"""Texts that may be generated, by the kind of their placeholder."""
ENTRIES = {
    THREAD_ID: "thread",
    CORRELATION_ID: "correlation",
    SENDER: "agent",
    REPLY_TO: "topic",
    TRACEPARENT: "trace",
    TRACESTATE: "trace",
    "x-agent-id": "agent",
    "x-correlation-id": "correlation",
}
"""The same in metadata and headers."""
NUMBERS = {
    "loom.v1.Ack.epoch": "epoch",
    "loom.v1.Welcome.epoch": "epoch",
    "loom.v1.Ack.registration": "registration",
    "loom.v1.AgentRegisterResponse.registration": "registration",
    "loom.v1.Ack.producer": "producer",
}
"""Numbers that differ from run to run."""
BRIDGE = {"loom.v1.ServerInfo.name": "${bridge:name}", "loom.v1.ServerInfo.version": "${bridge:version}"}

DAY_S = 86_400.0
UNITS = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}
"""How many of each are a second."""
COUNTERS_END = 1_000_000_000
"""A ping's time below this is a number of the sender's own, not a time."""
_ISO = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?", re.ASCII)


class Reader:
    """Reads messages, and binds what is generated in them.

    Args:
        names: the placeholders.
        began: when the recording began; times of that day are taken for generated.
        timeouts: whether to keep the time-outs of calls.
    """

    def __init__(self, names: Names, began: datetime, *, timeouts: bool) -> None:
        self._names = names
        self._began = began.timestamp()
        self._timeouts = timeouts

    def message(self, message: Message) -> dict[str, Any]:
        """The message as JSON."""
        made: dict[str, Any] = {}
        for field, value in message.ListFields():
            made[field.name] = self._field(message, field, value)
        if message.DESCRIPTOR.full_name == "loom.v1.AgentRegisterResponse" and "limits" in made:
            made["limits"] = _other_limits(made["limits"])
            if not made["limits"]:
                del made["limits"]
        fields: Any = UnknownFieldSet(message)
        unknown = sorted({field.field_number for field in fields})
        if unknown:
            made[UNKNOWN] = unknown
        return made

    def loose(self, value: Any, name: str = "") -> Any:
        """Somebody's JSON: what is surely generated in it is bound, and times of the day."""
        if isinstance(value, dict):
            return {self.kept(key): self.loose(item, key) for key, item in value.items()}
        if isinstance(value, list):
            return [self.loose(item, name) for item in value]
        if isinstance(value, str):
            return self._loose_text(value, name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            unit = self._unit_of_now(value)
            return (
                value if unit is None else self._time(value, unit + ("f" if isinstance(value, float) else ""))
            )
        return value

    def namespace(self, value: str) -> None:
        """The namespace that a call named: one of a test's is generated."""
        self._names.identity("namespace", value)

    def entry(self, name: str, value: str) -> str:
        """A value of metadata."""
        kind = ENTRIES.get(name)
        if kind == "trace":
            self._names.whole(kind, value)
        elif kind:
            self._names.identity(kind, value)
        else:
            return str(self._loose_text(value, name))
        return self.kept(value)

    def kept(self, text: str) -> str:
        """A text that is no placeholder."""
        return escape(text)

    def _field(self, message: Message, field: FieldDescriptor, value: Any) -> Any:
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            return {self.kept(name): self.entry(name, str(value[name])) for name in sorted(value)}
        if field.is_repeated:
            return [self._one(message, field, item) for item in value]
        return self._one(message, field, value)

    def _one(self, message: Message, field: FieldDescriptor, value: Any) -> Any:
        if field.message_type is not None:
            return self.message(value)
        if field.enum_type is not None:
            known = field.enum_type.values_by_number.get(value)
            return value if known is None else known.name
        if field.full_name in PAYLOADS:
            return self._payload(value)
        if isinstance(value, str):
            return self._text(field.full_name, value)
        if isinstance(value, int) and not isinstance(value, bool):
            return self._number(message, field.full_name, value)
        return value

    def _text(self, field: str, value: str) -> str:
        if field in BRIDGE:
            return BRIDGE[field]
        kind = IDS.get(field)
        if kind:
            self._names.identity(kind, value)
        else:
            self._names.anywhere(value)
        return self.kept(value)

    def _number(self, message: Message, field: str, value: int) -> Any:
        if field in NUMBERS:
            return self._names.number(NUMBERS[field], value)
        if field == "loom.v1.Event.timestamp_ms" and self._unit_of_now(value):
            # An event has one time: two events of one millisecond are not the same in another run.
            return self._names.number("time", (getattr(message, "id", ""), value))
        if field.endswith(".timestamp_ms") and abs(value) >= COUNTERS_END:
            return self._names.number("time", value)
        if field == "loom.v1.ActionCall.timeout_ms" and not self._timeouts:
            return self._names.number("timeout", (getattr(message, "id", ""), value))
        return value

    def _payload(self, data: bytes) -> Any:
        value = read_payload(data)
        if isinstance(value, dict) and BASE64 in value and len(value) == 1:
            return value
        return self.loose(value)

    def _loose_text(self, value: str, name: str) -> Any:
        if name.lower() == "id" or name.lower().endswith("_id") or name.endswith("Id"):
            self._names.identity("id", value)
        else:
            self._names.anywhere(value)
        if _ISO.fullmatch(value) and self._is_iso_now(value):
            return self._time(value, "iso")
        return self.kept(value)

    def _time(self, value: object, unit: str) -> str:
        """The placeholder of a time in somebody's payload; it says how the time is written."""
        return f"{self._names.number('time', value)[:-1]}.{unit}}}"

    def _unit_of_now(self, value: float) -> str | None:
        """The unit in which the number is a time of this day; None where it is none."""
        near = (unit for unit, of_a_second in UNITS.items() if abs(value / of_a_second - self._began) < DAY_S)
        return next(near, None)

    def _is_iso_now(self, value: str) -> bool:
        try:
            read = datetime.fromisoformat(value.replace(",", "."))
        except ValueError:
            return False
        aware = read if read.tzinfo else read.replace(tzinfo=UTC)
        return abs(aware.timestamp() - self._began) < DAY_S


class Literal(Reader):
    """Reads messages as they are: nothing is bound, nothing escaped."""

    def __init__(self) -> None:
        super().__init__(Names(), datetime.fromtimestamp(0, UTC), timeouts=True)

    def loose(self, value: Any, name: str = "") -> Any:
        """Somebody's JSON."""
        return value

    def entry(self, name: str, value: str) -> str:
        """A value of metadata."""
        return value

    def kept(self, text: str) -> str:
        """A text."""
        return text

    def _text(self, field: str, value: str) -> str:
        return value

    def _number(self, message: Message, field: str, value: int) -> Any:
        return value


_DEFAULTS = Limits()


def _other_limits(limits: dict[str, Any]) -> dict[str, Any]:
    """The limits that are not the defaults."""
    return {name: value for name, value in limits.items() if getattr(_DEFAULTS, name, None) != value}
