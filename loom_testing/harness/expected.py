"""What a probe is asked to find: which events fit, and what is wrong with those that do not.

A payload is compared as plain data (JSON). A mapping asks for at least its own entries, also deep inside;
everything else must be equal. Any object with an `__eq__` of its own works as a matcher: `unittest.mock.ANY`,
`pytest.approx(...)`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from itertools import zip_longest
from pathlib import PurePath
from typing import TYPE_CHECKING, Any
from uuid import UUID

from loom.errors import DefinitionError, PayloadError
from loom.payload import decode_json, encode_json
from loom.topics import matches, pattern_problem
from loom_testing.harness.errors import HarnessError

if TYPE_CHECKING:
    from loom.event import Event

__all__ = ["UNSET", "Expected", "Misfit", "differences", "payload_of", "plain"]

UNSET: Any = type("Unset", (), {"__repr__": lambda self: "UNSET"})()
"""Stands for a payload that was not asked about; None asks for no payload at all."""

TOPIC, TYPE, SENDER, PAYLOAD, WHERE = "topic", "type", "sender", "payload", "where"

_WEIGHTS = {TOPIC: 1_000, TYPE: 100, SENDER: 100, WHERE: 10}
"""How far off a misfit makes an event; a field of the payload counts 1."""


@dataclass(frozen=True, slots=True)
class Misfit:
    """One thing about an event that is not as expected.

    Attributes:
        path: what: `topic`, `type`, or a place in the payload such as `payload.hits[0].title`.
        wanted: what was expected there; `UNSET` where nothing was.
        got: what stands there; `UNSET` where nothing does.
    """

    path: str
    wanted: Any
    got: Any

    @property
    def weight(self) -> int:
        """How far off it makes the event."""
        return _WEIGHTS.get(self.path, 1)


@dataclass(frozen=True, slots=True)
class Expected:
    """An event that is looked for.

    Attributes:
        topic: a pattern (PUB-2).
        type: the event's type; None for any.
        sender: the agent that published it; None for any.
        payload: its payload; `UNSET` for any.
        where: says of an event that fits in all else whether it is the one; None for any.

    Raises:
        DefinitionError: the topic is malformed.
    """

    topic: str = ">"
    type: str | None = None
    sender: str | None = None
    payload: Any = UNSET
    where: Callable[[Event], object] | None = field(default=None)

    def __post_init__(self) -> None:
        problem = pattern_problem(self.topic)
        if problem:
            raise DefinitionError(f"{self.topic[:80]!r} is not a topic to expect: {problem}")
        if self.payload is not UNSET:
            object.__setattr__(self, "payload", plain(self.payload))

    def misfits(self, event: Event) -> list[Misfit]:
        """What about the event is not as expected; nothing where it fits.

        Raises:
            HarnessError: `where` raised.
        """
        found = []
        if not matches(self.topic, event.topic):
            found.append(Misfit(TOPIC, self.topic, event.topic))
        if self.type is not None and self.type != event.type:
            found.append(Misfit(TYPE, self.type, event.type))
        if self.sender is not None and self.sender != event.sender:
            found.append(Misfit(SENDER, self.sender, event.sender))
        if self.payload is not UNSET:
            found += differences(self.payload, payload_of(event), PAYLOAD)
        if not found and self.where is not None and not self._is_the_one(self.where, event):
            found.append(Misfit(WHERE, getattr(self.where, "__name__", repr(self.where)), event))
        return found

    def _is_the_one(self, where: Callable[[Event], object], event: Event) -> bool:
        try:
            return bool(where(event))
        except Exception as error:
            shown = f"{event.topic} {payload_of(event)!r}"
            raise HarnessError(
                f"where= raised {type(error).__name__}: {error}; for the event {shown}"
            ) from error

    def __str__(self) -> str:
        said = [self.topic]
        said += [f"type={self.type!r}"] if self.type is not None else []
        said += [f"sender={self.sender!r}"] if self.sender is not None else []
        said += [f"payload {self.payload!r}"] if self.payload is not UNSET else []
        said += ["where(...)"] if self.where is not None else []
        return ", ".join(said)


def payload_of(event: Event) -> Any:
    """An event's payload as plain data; its bytes where it is not JSON."""
    try:
        return event.json()
    except PayloadError:
        return event.payload


def plain(value: Any) -> Any:
    """Models, dataclasses and the like as the JSON they are sent as; matchers and bytes stay as they are."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if not _is_data(value):
        return value
    try:
        return decode_json(encode_json(value))
    except PayloadError:
        if not is_dataclass(value):
            raise
        # It cannot be sent: there is a matcher in it.
        return {item.name: plain(getattr(value, item.name)) for item in fields(value)}


def _is_data(value: Any) -> bool:
    """Whether it is something that is sent as JSON; all else is a matcher."""
    return (
        hasattr(value, "__pydantic_serializer__")
        or is_dataclass(value)
        or isinstance(value, Enum | set | frozenset | date | time | timedelta | Decimal | UUID | PurePath)
    )


def differences(wanted: Any, got: Any, path: str) -> list[Misfit]:
    """What in some plain data is not as wanted; `path` names the place where they stand."""
    if isinstance(wanted, Mapping) and isinstance(got, Mapping):
        found = []
        for key, item in wanted.items():
            place = f"{path}.{key}"
            found += differences(item, got[key], place) if key in got else [Misfit(place, item, UNSET)]
        return found
    if isinstance(wanted, list) and isinstance(got, list):
        return [
            misfit
            for index, (item, other) in enumerate(zip_longest(wanted, got, fillvalue=UNSET))
            for misfit in differences(item, other, f"{path}[{index}]")
        ]
    if wanted is UNSET or got is UNSET:
        return [Misfit(path, wanted, got)]  # not even a matcher for anything fits nothing
    # JSON knows no difference between 1 and 1.0, but one between 1 and true.
    same = bool(wanted == got) and not _is_mixed(wanted, got)
    return [] if same else [Misfit(path, wanted, got)]


def _is_mixed(wanted: Any, got: Any) -> bool:
    return (
        isinstance(wanted, bool) != isinstance(got, bool)
        and isinstance(wanted, int | float)
        and isinstance(got, int | float)
    )
