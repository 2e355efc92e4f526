"""What a probe is told to expect, as arguments and as steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from loom_testing.harness.errors import HarnessError
from loom_testing.harness.expected import UNSET, Expected

if TYPE_CHECKING:
    from loom.event import Event

__all__ = ["Step", "expected_event", "expected_step"]

Step = str | tuple[str, Any] | Mapping[str, Any]
"""A topic; a topic and a payload; or the arguments of `Probe.expect` by name."""


def expected_step(step: Step) -> Expected:
    """One step of `Probe.expect_in_order`.

    Raises:
        HarnessError: it is none.
        DefinitionError: its topic is malformed.
    """
    if isinstance(step, str):
        return Expected(step)
    if isinstance(step, tuple) and len(step) == 2 and isinstance(step[0], str):
        return Expected(step[0], payload=step[1])
    if isinstance(step, Mapping):
        unknown = sorted(set(step) - {"topic", "payload", "type", "sender", "where"})
        if not unknown:
            return Expected(**step)
        raise HarnessError(
            f"a step has no {unknown[0]!r}: it takes topic, payload, type, sender and where; a field of the "
            f"payload goes under payload, as in {{'payload': {{{unknown[0]!r}: ...}}}}"
        )
    raise HarnessError(
        f"{step!r} is no step: give a topic, a (topic, payload), or expect's arguments in a dict"
    )


def expected_event(
    topic: str,
    payload: Any,
    type: str | None,
    sender: str | None,
    where: Callable[[Event], object] | None,
    fields: dict[str, Any],
) -> Expected:
    """What the arguments of `Probe.expect` ask for.

    Raises:
        HarnessError: fields were added to a payload that takes none, or `where` is no function.
        DefinitionError: the topic is malformed.
    """
    if fields and payload is not UNSET:
        if not isinstance(payload, dict):
            raise HarnessError(
                f"fields ({', '.join(fields)}) cannot be added to a {payload.__class__.__name__}: "
                "expect a dict as payload, or fields only"
            )
        fields = {**payload, **fields}
    if where is not None and not callable(where):
        raise HarnessError(
            f"where={where!r} is no function: give one that takes the event and answers yes or no"
        )
    return Expected(topic, type, sender, fields or payload, where)
