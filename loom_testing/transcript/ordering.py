"""The order of cause and effect: what makes a transcript the same however the connections raced.

A recording holds entries in the order of their arrival at the recorder. Between connections that order is a
matter of chance: whether the publisher's receipt or the subscriber's delivery was seen first says nothing. So
entries are put in an order that depends only on what caused what (see `loom_testing.transcript.causes`).
Everything that follows from an entry stands right behind it, agents by name, before the next thing that does
not depend on it.

That is what the order means, and all: of two things of which neither caused the other it does not say which
happened first. No entry is ever put before one that it was caused by, and nothing is put before what was
recorded earlier on the same call in the same direction. Where agents really race (two publishers for one
subscriber, handlers that run in parallel) runs differ, and so do their transcripts.
"""

from __future__ import annotations

import heapq
import re
from collections import defaultdict
from typing import TYPE_CHECKING

from loom_testing.transcript.causes import Causes
from loom_testing.transcript.entry import Way

if TYPE_CHECKING:
    from collections.abc import Sequence

    from loom_testing.transcript.wire import Crossing

__all__ = ["in_causal_order"]

_GENERATED = re.compile(r"[0-9a-fA-F]{8,}")


def in_causal_order(crossings: Sequence[Crossing]) -> list[Crossing]:
    """The same entries, each behind what caused it."""
    causes = Causes()
    before = [causes.of(place, crossing) for place, crossing in enumerate(crossings)]
    for place, earlier in causes.later:
        before[place].add(earlier)
    return [crossings[place] for place in _depth_first(crossings, before)]


def _depth_first(crossings: Sequence[Crossing], before: Sequence[set[int]]) -> list[int]:
    """A topological order in which what follows from the latest entry comes next."""
    after: dict[int, list[int]] = defaultdict(list)
    waiting = [len(causes) for causes in before]
    for place, causes in enumerate(before):
        for cause in causes:
            after[cause].append(place)
    position: dict[int, int] = {}
    ready = [_priority(crossings[place], place, -1) for place, count in enumerate(waiting) if not count]
    heapq.heapify(ready)
    order: list[int] = []
    while ready:
        place = heapq.heappop(ready)[-1]
        position[place] = len(order)
        order.append(place)
        for effect in after[place]:
            waiting[effect] -= 1
            if not waiting[effect]:
                latest = max(position[cause] for cause in before[effect])
                heapq.heappush(ready, _priority(crossings[effect], effect, latest))
    return order


def _priority(crossing: Crossing, place: int, latest: int) -> tuple[int, bool, str, int]:
    """Smallest first: by the latest cause; then what the bridge sent, by receivers; then as recorded."""
    if crossing.item.way is not Way.RECEIVED:
        return -latest, True, "", place
    return -latest, False, _GENERATED.sub("*", crossing.item.who), place
