"""What a test gives: refused where it cannot be what is meant, before anything is done with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from loom_testing.harness.errors import HarnessError, speaks_for_itself

__all__ = ["check_agent_id", "check_capability", "check_offers", "check_seconds", "is_number"]

__tracebackhide__ = speaks_for_itself

TEXT = "write a text"


def is_number(value: object) -> bool:
    """Whether it is a number, and no truth value."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def check_seconds(value: Any, what: str) -> None:
    """Refuses what is no number of seconds from 0 on.

    Raises:
        HarnessError: it is none.
    """
    if not is_number(value) or not 0 <= value < float("inf"):
        raise HarnessError(f"{what}={value!r:.80}: give seconds from 0 on")


def check_agent_id(value: Any, what: str) -> None:
    """Refuses what is no agent id.

    Raises:
        HarnessError: it is none.
    """
    from loom.topics import agent_id_problem  # a run without a bridge needs none of it

    problem = agent_id_problem(value) if isinstance(value, str) else TEXT
    if problem:
        raise HarnessError(f"{what}({value!r:.80}) is no agent id: {problem}")


def check_capability(value: Any, what: str) -> None:
    """Refuses what is no name of a capability.

    Raises:
        HarnessError: it is none.
    """
    from loom.topics import topic_problem  # as above

    problem = topic_problem(value) if isinstance(value, str) else TEXT
    if problem:
        raise HarnessError(f"{what}({value!r:.80}) is no capability: {problem}")


def check_offers(value: Any) -> None:
    """Refuses what does not say which answer each capability gives.

    Raises:
        HarnessError: it does not.
    """
    if value is not None and not isinstance(value, Mapping):
        raise HarnessError(f"offers={value!r:.80}: give each capability its answer, as in {{'ask': 3}}")
    for name in value or ():
        check_capability(name, "offers")
