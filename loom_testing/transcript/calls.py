"""Which entries belong to one RPC, where the recorder was not told."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from loom_testing.transcript.entry import Kind, Way
from loom_testing.transcript.wire import method_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from loom_testing.transcript.recorder import Recorded

__all__ = ["with_calls"]

STREAMS = frozenset({"EventStream", "ForwardActionStream"})
ENDS = frozenset({Kind.STATUS, Kind.RESET})


def with_calls(recorded: Iterable[Recorded]) -> Iterator[Recorded]:
    """The same entries; those that named no call are given a number below 0.

    A unary method is answered in the order of its requests. A stream goes on until it is ended.
    """
    guesses: dict[tuple[str, str], _Guess] = {}
    for item in recorded:
        if not item.rpc or item.call:
            yield item
            continue
        guess = guesses.setdefault((item.who, item.rpc), _Guess())
        is_stream = method_of(item.rpc) in STREAMS
        yield replace(item, call=guess.of_stream(item) if is_stream else guess.of_unary(item))


@dataclass(slots=True)
class _Guess:
    """The calls of one agent and method. Numbers go down from -1."""

    last: int = 0
    waiting: list[int] = field(default_factory=list)
    announced: bool = False
    answered: int = 0
    ended: bool = True

    def of_stream(self, item: Recorded) -> int:
        if self.ended:
            self.last -= 1
        self.ended = item.kind in ENDS
        return self.last

    def of_unary(self, item: Recorded) -> int:
        if item.way is Way.SENT and item.kind not in ENDS:
            return self._asked(item)
        if item.kind in ENDS and self.answered:
            call, self.answered = self.answered, 0
            return call
        call = self.waiting[0] if self.waiting else self.last or -1
        if item.kind is Kind.MESSAGE or item.kind in ENDS:
            self.waiting = self.waiting[1:]
            self.answered = call if item.kind is Kind.MESSAGE else 0
        return call

    def _asked(self, item: Recorded) -> int:
        """Metadata and half-close belong to the request beside them."""
        if item.kind is Kind.HALF_CLOSE:
            return self.last or -1
        if not self.announced:
            self.last -= 1
            self.waiting.append(self.last)
        self.announced = item.kind is Kind.HEADERS
        return self.last
