"""`@pytest.mark.loom(...)`: what a test says of its bridge. Light: every run reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from loom_testing.harness.errors import HarnessError
from loom_testing.harness.given import is_number

if TYPE_CHECKING:
    import pytest

    from loom_testing.harness.control import NamespaceOptions

__all__ = ["MARKER", "options_of", "said_by"]

MARKER = (
    'loom(clock="virtual", liveness=False, limits={}, leaks=False, deadline=60, faults=False, process=False)'
    ': the namespace that loom_bridge gives this test: clock="real" for one that runs by itself, "auto" for '
    "one that moves to whatever is waited for; limits by the names of loom.v1.Limits; leaks=True lets it "
    "leave agents, calls, tasks, threads or processes behind; deadline=SECONDS may be longer than "
    "--loom-deadline; faults=True puts a proxy between the bridge and the agents, process=True gives the "
    "test a bridge of its own, both of which a test that uses loom_bridge.faults or loom_bridge.process has "
    "anyway."
)
ELSEWHERE = ("deadline", "leaks", "faults", "process")
"""What is not about the namespace."""


def said_by(node: pytest.Item) -> dict[str, Any]:
    """What the test's markers say; the nearest wins.

    Raises:
        HarnessError: something is said without its name, or the deadline is none.
    """
    said: dict[str, Any] = {}
    for marker in node.iter_markers("loom"):
        if marker.args:
            raise HarnessError(f"@pytest.mark.loom takes names only: {MARKER.partition(':')[0]}")
        said = {**marker.kwargs, **said}
    deadline = said.get("deadline")
    if deadline is not None and not (is_number(deadline) and 0 < deadline < float("inf")):
        raise HarnessError(f"@pytest.mark.loom(deadline={deadline!r}): give seconds above 0")
    return said


def options_of(node: pytest.Item) -> NamespaceOptions:
    """What the test's markers say of its namespace.

    Raises:
        HarnessError: they say what there is not.
    """
    from loom_testing.harness.control import NamespaceOptions

    said = said_by(node)
    for name in ELSEWHERE:
        said.pop(name, None)
    clock = said.pop("clock", "virtual")
    liveness, limits = said.pop("liveness", False), said.pop("limits", {})
    if said or clock not in ("virtual", "real", "auto"):
        wrong = f"{next(iter(said))}=" if said else f"clock={clock!r}"
        raise HarnessError(f"@pytest.mark.loom does not take {wrong}: {MARKER.partition(':')[0]}")
    if not isinstance(limits, dict) or not all(_is_limit(*limit) for limit in limits.items()):
        raise HarnessError(
            f"@pytest.mark.loom(limits={limits!r}): give whole numbers from 0 by the limits' names, such as "
            '{"queue_events": 10}'
        )
    return NamespaceOptions(
        virtual=clock != "real", liveness=bool(liveness), limits=dict(limits), auto=clock == "auto"
    )


def _is_limit(name: object, value: object) -> bool:
    return isinstance(name, str) and is_number(value) and isinstance(value, int) and 0 <= value < 1 << 64
