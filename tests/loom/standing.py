"""A clock that stands until the test moves it: the bridge's half of it, played without a bridge."""

from __future__ import annotations

import asyncio

from loom.clock import Clock
from loom.endpoint import Endpoint
from loom.participant import Participant
from loom.quiet import when_quiet
from loom.testing.v1 import control_pb2

MICROS = 1_000_000


class Standing:
    """An agent's clock, and who moves it."""

    def __init__(self, owner: str = "me", *, liveness: bool = False) -> None:
        self.participant = Participant(Endpoint("127.0.0.1:1"), liveness=liveness)
        self.liveness = liveness
        self.clock = Clock(owner)
        self.clock.join(self.participant)
        self.now = 0
        self.turn = 0

    def tell(self, *, fire: bool = False, report: bool = False) -> None:
        """Tells the time, as a bridge does."""
        self.turn += 1
        self.participant.heed(
            control_pb2.ParticipateResponse(
                turn=self.turn, now_us=self.now, fire=fire, report=report, liveness=self.liveness
            )
        )

    async def advance(self, seconds: float) -> int:
        """Moves the time, firing one timer after the other. Answers how many fired."""
        target = self.now + round(seconds * MICROS)
        fired = 0
        await quiet()
        while (timer := self.participant.next_timer()) is not None and timer.when <= target:
            self.now = max(self.now, timer.when)
            self.tell(fire=True)
            fired += 1
            await quiet()
        self.now = target
        self.tell()
        return fired


async def quiet() -> None:
    """Waits until nothing in the event loop is ready to run."""
    reached = asyncio.Event()
    loop = asyncio.get_running_loop()

    def look() -> None:
        when_quiet(loop, lambda is_quiet: reached.set() if is_quiet else look())

    look()
    await reached.wait()
