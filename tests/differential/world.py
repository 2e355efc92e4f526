"""What a machine knows of the bridge that it drives, so that most of what it does makes sense."""

from __future__ import annotations

from collections.abc import Sequence

from loom_testing.engine import Engine
from loom_testing.engine import messages as m
from loom_testing.engine import outputs as o
from loom_testing.engine.states import StreamState

__all__ = ["World"]

RECENT = 20


class World:
    """Read from the Python engine that leads each lane, and from what it answers.

    Attributes:
        engine: the engine.
        now: the time of the last step, microseconds.
        silent: the numbers of the streams whose client will say nothing more.
        heard: the numbers of the streams that the engine knows and whose client may say something.
        open: those of them whose handshake was accepted.
        read: those of them that the engine reads.
        awaiting: those whose handshake is awaited.
        offered: the capabilities that somebody offers.
        held: the agents whose streams are held.
        alone: the registered agents without a stream.
        agents: all registered agents.
        given: calls that a stream was given and has not answered: its number, and the bridge's id of the
            call.
        callers: calls that wait for their answer.
        calls: what was called lately, so that it can be called again.
        registrations: the numbers that were given out.
        given_out: the streams that were given messages which their transport has not taken.
        unwritten: how many messages each stream was given that its transport has not taken.
    """

    def __init__(self, engine: Engine, now: int) -> None:
        self.engine = engine
        self.now = now
        self.silent: set[int] = set()
        self.heard: list[int] = []
        self.open: list[int] = []
        self.read: list[int] = []
        self.awaiting: list[int] = []
        self.offered: list[str] = []
        self.held: list[str] = []
        self.alone: list[str] = []
        self.agents: list[str] = []
        self.given: list[tuple[int, str]] = []
        self.callers: list[int] = []
        self.calls: list[m.ActionCall] = []
        self.registrations: list[int] = [0]
        self.unwritten: dict[int, int] = {}
        self.given_out: list[int] = []

    def see(self, outputs: Sequence[o.Output]) -> None:
        """Takes in what a step led to."""
        for output in outputs:
            match output:
                case o.Send(stream, message):
                    self.unwritten[stream] = self.unwritten.get(stream, 0) + 1
                    if isinstance(message, m.ActionCall):
                        self.given.append((stream, message.id))
                case o.RegisterReply(registration=registration) if registration:
                    self.registrations.append(registration)
                case o.Answer(call) if call in self.callers:
                    self.callers.remove(call)
                case _:
                    pass
        self._look()

    def forget_stream(self, stream: int) -> None:
        """The client broke it."""
        self.unwritten.pop(stream, None)

    def paused(self, stream: int) -> bool:
        """Whether the engine reads this stream no further for now."""
        found = self.engine._core.streams.get(stream)
        return found is not None and found.paused

    def keep_from_racing(self, unread: Sequence[int]) -> None:
        """Only these streams are said something on that are read, or on which something waits already."""
        self.heard = [stream for stream in self.heard if not self.paused(stream) or unread == [stream]]
        self.open = [stream for stream in self.open if stream in self.heard]
        self.awaiting = [stream for stream in self.awaiting if stream in self.heard]
        self.read = [stream for stream in self.read if stream in self.heard]

    def _look(self) -> None:
        core = self.engine._core
        self.heard = [number for number in core.streams if number not in self.silent]
        states = {number: core.streams[number].state for number in self.heard}
        self.open = [number for number, state in states.items() if state is StreamState.OPEN]
        self.read = [number for number in self.open if not core.streams[number].paused]
        self.awaiting = [number for number, state in states.items() if state is StreamState.AWAITING]
        self.offered = list(core.providers)
        self.held = [stream.agent_id for stream in core.streams.values() if stream.held]
        self.agents = list(core.agents)
        self.alone = [agent.agent_id for agent in core.agents.values() if agent.stream is None]
        self.unwritten = {stream: count for stream, count in self.unwritten.items() if stream in core.streams}
        self.given_out = list(self.unwritten)
        del self.given[:-RECENT], self.calls[:-RECENT]
