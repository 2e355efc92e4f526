"""Which participant an agent belongs to: that of its event loop and namespace.

An agent's program takes part as soon as a bridge says that the namespace's clock is a test's. A test that
runs agents in its own process gathers their participants in a `Group`: they join when the test first needs
them, so that a test which moves no time pays nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from typing import TYPE_CHECKING

from loom.participant import Participant

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from loom.endpoint import Endpoint
    from loom.participant import Member
    from loom.traffic import Traffic

__all__ = ["Group", "take_part"]


async def take_part(endpoint: Endpoint, member: Member) -> Participant:
    """An agent takes part in the clock of its namespace, by the participant of the running event loop.

    Raises:
        LoomError: the bridge does not let it.
    """
    group = _groups.get(endpoint.namespace)
    participant = _alone(endpoint) if group is None else group.participant()
    participant.enter(member)
    try:
        if group is None or group.is_eager:
            await participant.join()
    except BaseException:
        await participant.leave(member)
        raise
    return participant


class Group:
    """The participants of one test in its own process, one for each event loop.

    Attributes:
        is_eager: whether they join at once.

    Args:
        endpoint: the bridge, with nothing in between, and the test's namespace.
        liveness: whether silent peers are taken for dead there (SES-7).
    """

    def __init__(self, endpoint: Endpoint, *, liveness: bool = False) -> None:
        self.endpoint = endpoint
        self.is_eager = False
        self._liveness = liveness
        self._loops: dict[asyncio.AbstractEventLoop, Participant] = {}
        self._held: Counter[str] = Counter()
        _groups[endpoint.namespace] = self

    def close(self) -> None:
        """The test is over."""
        _groups.pop(self.endpoint.namespace, None)
        self._loops.clear()

    def participant(self) -> Participant:
        """The one of the running event loop; another where that has lost its bridge."""
        loop = asyncio.get_running_loop()
        participant = self._loops.get(loop)
        if participant is None or participant.is_lost:
            participant = Participant(self.endpoint, liveness=self._liveness, holds=self._holds)
            self._loops[loop] = participant
        return participant

    async def join(self) -> None:
        """All that are in use join.

        Raises:
            LoomError: the bridge does not let one join.
        """
        here = asyncio.get_running_loop()
        for loop, participant in self._absent():
            if loop is here:
                await participant.join()
            else:
                await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(participant.join(), loop))

    def join_from_thread(self) -> None:
        """The same, for a thread without an event loop.

        Raises:
            LoomError: the bridge does not let one join.
        """
        for loop, participant in self._absent():
            asyncio.run_coroutine_threadsafe(participant.join(), loop).result()

    @contextlib.asynccontextmanager
    async def calling(self, timeout: float) -> AsyncIterator[Traffic]:
        """A call to the bridge that the test makes by itself, and waits for so many seconds.

        Raises:
            LoomError: the bridge does not let its participant join.
        """
        participant = self.participant()
        traffic = participant.begin_call()
        timer = participant.call_in(timeout, "", lambda: None)
        try:
            if self.is_eager:
                await participant.join()
            yield traffic
        finally:
            timer.cancel()
            traffic.end()
            if not participant.is_used:
                await participant.close()

    def hold(self, what: str) -> None:
        """From now on the test itself is busy: time stands still."""
        self._held[what] += 1
        self._touch()

    def release(self, what: str) -> None:
        """It is not any more."""
        self._held[what] -= 1
        self._touch()

    def _absent(self) -> list[tuple[asyncio.AbstractEventLoop, Participant]]:
        """Those that are in use and have not joined."""
        return [
            (loop, participant)
            for loop, participant in list(self._loops.items())
            if participant.is_used and not participant.has_joined and loop.is_running()
        ]

    def _holds(self) -> list[str]:
        return [what for what, times in list(self._held.items()) if times > 0]

    def _touch(self) -> None:
        for loop, participant in list(self._loops.items()):
            with contextlib.suppress(RuntimeError):  # its loop is closed
                loop.call_soon_threadsafe(participant.touch)


def _alone(endpoint: Endpoint) -> Participant:
    """The running loop's participant in a program of its own."""
    loop = asyncio.get_running_loop()
    _programs[:] = [participant for participant in _programs if participant.is_used]
    for participant in _programs:
        if participant.loop is loop and participant.endpoint == endpoint and not participant.is_lost:
            return participant
    participant = Participant(endpoint)
    _programs.append(participant)
    return participant


_groups: dict[str, Group] = {}
_programs: list[Participant] = []
