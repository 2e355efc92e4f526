"""Watching a namespace: the engine's trace, line by line, to whoever looks on.

A watcher never slows what it watches: lines it does not fetch in time are left out and counted.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass

__all__ = ["Line", "Watcher"]

MOST_LINES = 10_000
MOST_CHARACTERS = 32 * 1024 * 1024
"""What a watcher keeps until it is fetched, in lines and in characters."""


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
