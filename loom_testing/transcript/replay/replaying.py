"""Replaying: an agent is driven by what others sent when the transcript was recorded.

    await replay(transcript, agent, loom_bridge)

The others are played on a real bridge: they register, publish, answer and call again, in the recorded order,
and the clock moves where it was moved. What the agent does is seen in the bridge's trace, and compared: what
it hears and offers, what it publishes, calls and answers. The first difference ends the replay.

What the SDK does by itself (handshakes, pings, receipts) is not compared.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from loom.channel import open_channel
from loom_testing.harness.errors import HarnessError
from loom_testing.transcript.entry import Entry, Kind, Way
from loom_testing.transcript.replay.bindings import Bindings, without
from loom_testing.transcript.replay.difference import ReplayError
from loom_testing.transcript.replay.observed import Observed, acts, told
from loom_testing.transcript.replay.others import SIGN_OF_LIFE_S, Missing, Others
from loom_testing.transcript.replay.script import Script
from loom_testing.transcript.shown import show_text
from loom_testing.transcript.tap import Tap
from loom_testing.transcript.tapping import tapped

if TYPE_CHECKING:
    from collections.abc import Awaitable, Collection

    from loom.agent import Agent
    from loom_testing.harness.handle import LoomBridge
    from loom_testing.transcript.entry import Transcript
    from loom_testing.transcript.replay.bindings import Misfit

__all__ = ["Replayed", "replay"]

PATIENCE_S = 5.0
UNCOMPARED = {"RegisterAgent": ("features",), "EventStream": ("pub_seq", "confirm")}
"""What the SDK says by itself in a message of the agent."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """A replay without a difference.

    Attributes:
        agent: the lane that the agent played.
        compared: how many of its messages were compared.
        entries: how many entries the transcript has.
    """

    agent: str
    compared: int
    entries: int


async def replay(
    transcript: Transcript,
    agent: Agent,
    bridge: LoomBridge,
    *,
    role: str | None = None,
    ignore: Collection[str] = (),
    any_order: bool = False,
    timeout: float = PATIENCE_S,
) -> Replayed:
    """Drives an agent by a transcript, and compares what it does.

    Args:
        transcript: what was recorded.
        agent: the agent; not running.
        bridge: a namespace with nothing in it. Its clock must be virtual if the recording's was.
        role: which of the recorded agents it plays; None finds it by its id.
        ignore: names in payloads whose values are not compared, such as durations that the agent measures.
        any_order: whether it may do things in another order, as agents with parallel handlers do.
        timeout: seconds of real time to wait for each thing.

    Raises:
        ReplayError: it did something else; the text says what.
        TranscriptError: the transcript cannot be replayed: nobody in it is this agent, or it holds what no
            bridge can repeat.
        NoControlError: the bridge was not started for testing.
        LoomError: the agent could not start.
    """
    script = Script.of(transcript, agent, role)
    async with open_channel(bridge.endpoint) as channel:
        observed = Observed(agent.id)
        tap = Tap(script.transcript.about, virtual=transcript.virtual)
        tap.recorder.tell = observed.see
        tap.heard = observed.heard
        async with tapped(channel, bridge.namespace, tap):
            bindings = script.bindings()
            alive = None if transcript.virtual else SIGN_OF_LIFE_S
            others = Others(channel, bridge.namespace, bindings, timeout, alive=alive)
            ignored = frozenset(ignore)
            run = _Run(script, agent, bridge, observed, others, bindings, tap, ignored, any_order, timeout)
            try:
                return await run.done()
            finally:
                await others.close()
                await run.close()


@dataclass
class _Run:
    """One replay, entry by entry."""

    script: Script
    agent: Agent
    bridge: LoomBridge
    observed: Observed
    others: Others
    bindings: Bindings
    tap: Tap
    ignored: frozenset[str]
    any_order: bool
    timeout: float

    def __post_init__(self) -> None:
        self._place = 0
        self._compared = 0
        self._life: asyncio.Future[None] | None = None
        self._is_leaving = False
        self._numbers = itertools.count(1)

    async def done(self) -> Replayed:
        for place, entry in enumerate(self.script.transcript.entries):
            self._place = place
            await self._step(entry)
        await self._see_nothing_more()
        return Replayed(self.script.role, self._compared, len(self.script.transcript.entries))

    async def close(self) -> None:
        """Ends the agent, whatever it is doing."""
        if self._life is not None:
            self._life.cancel()
            await asyncio.gather(self._life, return_exceptions=True)
        with contextlib.suppress(Exception):
            await self.agent.stop(0)

    async def _step(self, entry: Entry) -> None:
        match entry.kind:
            case Kind.NOTE:
                return
            case Kind.TIME:
                await self.bridge.advance(float(entry.name))
            case Kind.FAULT:
                await self._fault(entry)
            case _ if entry.who == self.script.role:
                await self._of_agent(entry)
            case _ if entry.way is Way.SENT:
                await self.others.send(entry)
            case _:
                await self._of_others(entry)

    async def _fault(self, entry: Entry) -> None:
        """What the testing control did, it does again; what was lost on the way is not sent."""
        if entry.way is Way.BESIDE:
            agent_id = self.bindings.text(entry.who)
            await self.script.control(entry.name)(self.bridge, agent_id)

    async def _of_others(self, entry: Entry) -> None:
        try:
            await self.others.expect(entry)
        except Missing:
            what = (
                f"{entry.name or entry.kind} of {show_text(entry.who)} did not come within {self.timeout:g} s"
            )
            raise self._difference(what, entry) from None

    async def _of_agent(self, entry: Entry) -> None:
        if self._place in self.script.starts:
            await self._begin(self._start(), leaving=False)
        elif self._place in self.script.stops:
            await self._begin(self.agent.stop(), leaving=True)
        if self._place in self.script.starts or acts(entry):
            await self._compare(entry)
        elif told(entry):
            await self._receive(entry)
        elif entry.kind is Kind.STATUS and entry.rpc == "EventStream" and self._is_leaving:
            await self._end_life()

    async def _begin(self, work: Awaitable[None], *, leaving: bool) -> None:
        """One thing at a time: a start or a stop that is still going on ends first."""
        await self._end_life()
        self._is_leaving = leaving
        self._life = asyncio.ensure_future(work)

    async def _end_life(self) -> None:
        if self._life is not None:
            await self._life

    async def _start(self) -> None:
        await self.agent.start(self.bridge.endpoint)

    async def _compare(self, recorded: Entry) -> None:
        came = await self._watched(self.observed.first(lambda one: self._may_be(recorded, one), self.timeout))
        if came is None:
            pending = next((one for one in self.observed.open if _is_same_kind(recorded, one)), None)
            raise self._difference(
                f"{self.script.name} did not do this within {self.timeout:g} s", recorded, pending
            )
        misfits = self._misfits(recorded, came)
        if misfits:
            raise self._difference(f"{self.script.name} did something else", recorded, came, misfits)
        self._compared += 1

    def _may_be(self, recorded: Entry, came: Entry) -> bool:
        """Whether this is what to compare with: the agent's next, or, in any order, one that fits."""
        if not _is_same_kind(recorded, came):
            return False
        return not self.any_order or not self._misfits(recorded, came)

    def _misfits(self, recorded: Entry, came: Entry) -> list[Misfit]:
        if recorded.name != came.name:
            return self.bindings.misfits({"message": recorded.name}, {"message": came.name})
        one, other = (without(self.ignored, _compared(entry)) for entry in (recorded, came))
        return self.bindings.misfits(one, other)

    async def _receive(self, recorded: Entry) -> None:
        """The agent hears what it heard: only then what it does next is awaited."""

        def fits(one: Entry) -> bool:
            is_it = (one.kind, one.name, one.rpc, one.way) == wanted
            return is_it and not self.bindings.misfits(body, one.body or {})

        wanted = recorded.kind, recorded.name, recorded.rpc, recorded.way
        body = {} if recorded.kind is Kind.HEADERS else recorded.body or {}

        came = await self._watched(self.observed.first(fits, self.timeout))
        if came is None:
            raise self._difference(
                f"this did not reach {self.script.name} within {self.timeout:g} s", recorded
            )

    async def _watched(self, waiting: Any) -> Entry | None:
        """Waits, unless the agent fails to start or stop meanwhile."""
        task: asyncio.Task[Entry | None] = asyncio.ensure_future(waiting)
        waits: set[asyncio.Future[Any]] = {task}
        if self._life is not None and not self._life.done():
            waits.add(self._life)
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        if self._life is not None and self._life.done() and self._life.exception() is not None:
            task.cancel()
            await self._life
        return await task

    async def _see_nothing_more(self) -> None:
        """Everything that the agent did was recorded as well."""
        await self._end_life()
        number = -next(self._numbers)
        await self.others.heartbeat(number)
        if not await self.observed.fence(number, self.timeout):
            raise HarnessError(
                f"the bridge at {self.bridge.address} did not tell within {self.timeout:g} s what came last"
            )
        more = next((entry for entry in self.observed.open if acts(entry)), None)
        if more is not None:
            self._place = -1
            raise self._difference(f"{self.script.name} did more than was recorded", None, more)

    def _difference(
        self,
        what: str,
        recorded: Entry | None,
        came: Entry | None = None,
        misfits: list[Misfit] | None = None,
    ) -> ReplayError:
        total = len(self.script.transcript.entries)
        where = f" (entry {self._place + 1} of {total})" if recorded is not None else ""
        return ReplayError(
            f"{what}{where}",
            place=self._place + 1,
            recorded=recorded,
            came=came,
            misfits=misfits or [],
            happened=self.tap.recorder.transcript(),
        )


def _is_same_kind(recorded: Entry, came: Entry) -> bool:
    return (
        came.way is Way.SENT and came.rpc == recorded.rpc and (acts(came) or recorded.rpc == "RegisterAgent")
    )


def _compared(entry: Entry) -> dict[str, Any]:
    """The body without what the SDK says by itself."""
    left_out = UNCOMPARED.get(entry.rpc, ())
    return {name: value for name, value in (entry.body or {}).items() if name not in left_out}
