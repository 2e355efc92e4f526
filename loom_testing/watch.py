"""Watching a namespace: the engine's trace, line by line, to whoever looks on.

A watcher never slows what it watches: lines it does not fetch in time are left out and counted. What happened
before it came is kept for it, where somebody may want to see that (`Kept`).
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from loom_testing.engine.trace import encode_step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from loom_testing.engine.inputs import Input
    from loom_testing.engine.outputs import Output

__all__ = ["Kept", "Line", "Watcher"]

MOST_LINES = 10_000
MOST_CHARACTERS = 32 * 1024 * 1024
"""What a watcher keeps until it is fetched, in lines and in characters."""
NOMINAL_BYTES = 200
"""What a step counts as besides what it carries."""


@dataclass(slots=True)
class Line:
    """One step of an engine.

    Attributes:
        namespace: where it happened.
        text: the trace line.
        skipped: how many lines were left out before this one.
    """

    namespace: str
    text: str
    skipped: int = 0


class Watcher:
    """A bounded list of lines, filled by drivers and fetched by one reader.

    Attributes:
        namespace: what to watch; empty for all.
    """

    def __init__(
        self, namespace: str = "", *, lines: int = MOST_LINES, characters: int = MOST_CHARACTERS
    ) -> None:
        self.namespace = namespace
        self._most_lines = lines
        self._most_characters = characters
        self._lines: deque[Line] = deque()
        self._characters = 0
        self._skipped = 0
        self._finished = False
        self._news = asyncio.Event()

    def tell(self, namespace: str, text: str) -> None:
        """Adds a line, or counts it where the list is full."""
        if len(self._lines) >= self._most_lines or self._characters + len(text) > self._most_characters:
            self._skipped += 1
            return
        self._lines.append(Line(namespace, text, self._skipped))
        self._skipped = 0
        self._characters += len(text)
        self._news.set()

    def miss(self, lines: int) -> None:
        """So many lines were lost before it came."""
        self._skipped += lines

    def finish(self) -> None:
        """There will be no more lines."""
        self._finished = True
        self._news.set()

    async def next(self) -> Line | None:
        """The next line; None when there will be none."""
        while not self._lines:
            if self._finished:
                return None
            self._news.clear()
            await self._news.wait()
        line = self._lines.popleft()
        self._characters -= len(line.text)
        return line


class Kept:
    """The last steps of an engine, for watchers that come later. They are written as lines only then."""

    def __init__(self, *, steps: int = MOST_LINES, size: int = MOST_CHARACTERS) -> None:
        self._most_steps = steps
        self._most_bytes = size
        self._steps: deque[tuple[int, Input, Sequence[Output], int]] = deque()
        self._bytes = 0
        self._dropped = 0

    def add(self, now: int, came_in: Input, outputs: Sequence[Output]) -> None:
        """Keeps a step, and drops the oldest where there are too many."""
        size = NOMINAL_BYTES + _carried(came_in)
        self._steps.append((now, came_in, outputs, size))
        self._bytes += size
        while len(self._steps) > self._most_steps or self._bytes > self._most_bytes:
            self._bytes -= self._steps.popleft()[3]
            self._dropped += 1

    def tell(self, namespace: str, watcher: Watcher) -> None:
        """Tells a watcher what was kept."""
        watcher.miss(self._dropped)
        for now, came_in, outputs, _ in self._steps:
            watcher.tell(namespace, encode_step(now, came_in, outputs))


def _carried(came_in: Any) -> int:
    """How many bytes an input carries; what goes out is the same bytes."""
    message = getattr(came_in, "message", None) or getattr(came_in, "request", None)
    return sum(len(getattr(message, name, None) or b"") for name in ("event", "payload", "output"))
