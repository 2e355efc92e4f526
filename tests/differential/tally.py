"""When a step has settled on a real bridge, known without waiting for time to pass.

Watch shows every step of the bridge's engine: what it took in, what it gave out. So it can be counted whether
what was asked for was taken, and whether what was given out has come. Only a bridge that loses something is
waited for in vain.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

from tests.differential.stream_there import StreamThere

__all__ = ["Tally"]


class Tally:
    """Counts for one namespace.

    Attributes:
        streams: the streams, by the case's numbers.
        answered: the calls whose answer came, by the case's numbers.
        news: set whenever something came.
    """

    def __init__(self) -> None:
        self.streams: dict[int, StreamThere] = {}
        self.answered: set[int] = set()
        self.news = asyncio.Event()
        self._calls: dict[int, int] = {}
        """The case's numbers of calls, by the bridge's."""
        self._stream_numbers: dict[int, int] = {}
        self._unnumbered: tuple[str, int] | None = None
        """What was begun last, and the bridge has not numbered yet."""
        self._answered_there: list[int] = []
        self._wanted: Counter[str] = Counter()
        self._taken: Counter[str] = Counter()
        self._skipped = 0

    # What is asked for.

    def begin_step(self) -> None:
        """Counts from here on."""
        self._wanted.clear()
        self._taken.clear()

    def want(self, kind: str, count: int = 1) -> None:
        """The bridge's engine is to take so many inputs of this kind in this step."""
        self._wanted[kind] += count

    def want_number(self, kind: str, number: int) -> None:
        """A stream or a call was begun under this number."""
        self._unnumbered = (kind, number)

    def refused(self, call: int) -> None:
        """A call was refused before the bridge's engine heard of it."""
        if self._unnumbered == ("call", call):
            self._unnumbered = None

    async def settle(self) -> None:
        """Waits until nothing is under way."""
        while self.unsettled():
            self.news.clear()
            await self.news.wait()

    def unsettled(self) -> str:
        """What is still under way; empty if nothing is."""
        if self._skipped:
            return f"{self._skipped} steps of the bridge were not seen"
        for kind, count in self._wanted.items():
            if self._taken[kind] < count:
                return f"{kind}: asked for {count} times, taken {self._taken[kind]} times"
        if self._unnumbered is not None:
            return f"{self._unnumbered[0]} {self._unnumbered[1]} was begun, and the bridge has not noticed"
        for number, stream in self.streams.items():
            if why := stream.unsettled():
                return f"stream {number}: {why}"
        self._answered_there = [call for call in self._answered_there if call not in self.answered]
        if self._answered_there:
            return f"call {self._answered_there[0]} was answered, and no answer came"
        return ""

    # What Watch shows.

    def hear(self, line: dict[str, Any], skipped: int) -> None:
        """Takes in a step of the bridge's engine."""
        self._skipped += skipped
        came_in = line["in"]
        kind = came_in["kind"]
        self._taken[kind] += 1
        if kind in ("open", "invoke"):
            self._take_number(came_in["stream"] if kind == "open" else came_in["call"])
        stream = self._stream(came_in)
        match kind:
            case "receive" | "half_close" if stream:
                stream.taken += 1
            case "break" if stream:
                stream.over = True
            case "writable" if stream:
                stream.written += came_in["count"]
            case _:
                pass
        for output in line["out"]:
            self._hear_output(output)
        self.news.set()

    def _take_number(self, theirs: int) -> None:
        if self._unnumbered is None:
            return  # nothing that this case began; what follows will not fit, and show it
        (kind, number), self._unnumbered = self._unnumbered, None
        if kind == "stream":
            self._stream_numbers[theirs] = number
            self.streams[number].is_known = True
        else:
            self._calls[theirs] = number

    def _stream(self, what: dict[str, Any]) -> StreamThere | None:
        number = self._stream_numbers.get(what.get("stream", 0))
        return None if number is None else self.streams[number]

    def _hear_output(self, output: dict[str, Any]) -> None:
        stream = self._stream(output)
        match output["kind"]:
            case "send" if stream:
                stream.given += 1
            case "accept" if stream:
                stream.accepted = True
            case "end" if stream:
                stream.over = True
                stream.abrupt = output.get("abrupt", False)
            case "pause_reading" if stream:
                stream.paused = True
            case "resume_reading" if stream:
                stream.paused = False
            case "answer" if output["call"] in self._calls:
                self._answered_there.append(self._calls[output["call"]])
            case _:
                pass
