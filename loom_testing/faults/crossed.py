"""`Crossed`: what has crossed, for whoever wonders why a fault did not fire."""

from __future__ import annotations

from collections import Counter
from difflib import get_close_matches
from typing import TYPE_CHECKING

from loom.topics import matches

if TYPE_CHECKING:
    from collections.abc import Iterable

    from loom_testing.faults.message import WireMessage
    from loom_testing.faults.which import Which

__all__ = ["Crossed"]

NAMES = ("agent", "topic", "type", "capability")
"""What tells messages apart by names that a test's author may get wrong."""
MOST_KEPT = 1_000
MOST_NAMED = 6
CLOSE = 0.6


class Crossed:
    """Counts of what crossed, by agent, kind and name."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()
        self._named: dict[tuple[str, str], dict[str, None]] = {}
        self._seen: dict[str, dict[str, None]] = {name: {} for name in NAMES}

    def count(self, message: WireMessage) -> None:
        """One more has crossed."""
        key = message.agent, message.kind or message.rpc
        self._counts[key] += 1
        _keep(self._named.setdefault(key, {}), message.topic or message.capability)
        for name, seen in self._seen.items():
            _keep(seen, getattr(message, name))

    def told(self) -> str:
        """What crossed: a line for each agent, with the topics and capabilities of each kind."""
        if not self._counts:
            return "No message has crossed: did the agents connect to this bridge?"
        by_agent: dict[str, list[str]] = {}
        for (agent, kind), count in sorted(self._counts.items()):
            names = _listed(self._named[agent, kind])
            by_agent.setdefault(agent, []).append(f"{count} {kind}{names}")
        lines = [f"  {agent or '(nobody)'}: {', '.join(kinds)}" for agent, kinds in by_agent.items()]
        return "\n".join(["What crossed:", *lines])

    def nearest(self, which: Which) -> str:
        """The name that crossed and comes nearest to one that was asked for and never did; empty for none."""
        for name, seen in self._seen.items():
            asked = getattr(which, name)
            if not asked or any(_is_meant(name, asked, found) for found in list(seen)):
                continue
            if close := get_close_matches(asked, list(seen), 1, CLOSE):
                return f"the nearest {name} is {close[0]}, not {asked}"
        return ""


def _is_meant(name: str, asked: str, found: str) -> bool:
    return matches(asked, found) if name == "topic" else asked == found


def _keep(names: dict[str, None], name: str) -> None:
    if name and len(names) < MOST_KEPT:
        names[name] = None


def _listed(names: Iterable[str]) -> str:
    listed = sorted(names)
    more = [f"{len(listed) - MOST_NAMED} more"] if len(listed) > MOST_NAMED else []
    return f" ({', '.join([*listed[:MOST_NAMED], *more])})" if listed else ""
