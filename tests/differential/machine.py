"""What may happen to a bridge, as a Hypothesis state machine: the rules that both lanes share.

A rule draws what it needs and does one operation, or a few that belong together. It plays them through its
lane, which compares what came of them. What it may pick (an open stream, a call that was given out) it reads
from the `World`; what only has to have been there once comes from a bundle.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar, Protocol

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, precondition, rule

from loom_testing.engine import Engine
from loom_testing.engine import inputs as i
from loom_testing.engine import messages as m
from loom_testing.engine import outputs as o
from loom_testing.engine.trace import Header
from tests.differential import values
from tests.differential.drawing import among, seldom
from tests.differential.operations import Burst, Case, Operation, Step
from tests.differential.world import World

__all__ = ["BridgeMachine", "Lane", "there_is"]


class Lane(Protocol):
    """What plays operations on both bridges and compares what comes of them."""

    name: str

    def begin(self, case: Case) -> Engine:
        """A fresh namespace on both; gives the Python engine that leads."""

    def play(self, step: Step) -> list[o.Output]:
        """Plays a step; what the leading engine answered.

        Raises:
            Divergence: not all observed the same.
        """

    def unread(self) -> list[int]:
        """The streams on which something waits to be read, since the engine reads them no further for now."""

    def end(self) -> None:
        """Ends the namespace; raises as `play` does."""


def there_is(what: str) -> Callable[[Any], Any]:
    """The rule needs one of these."""
    return precondition(lambda machine: bool(getattr(machine.world, what)))


MOMENTS = st.sampled_from([1, 500, 2_000])


class BridgeMachine(RuleBasedStateMachine):
    """The rules of both lanes; a lane's own machine begins the case and adds what only it can do."""

    lane: ClassVar[Lane]
    streams = Bundle("streams")

    def __init__(self) -> None:
        super().__init__()
        self.case: Case | None = None
        self.failed = False
        self.world: World
        self._numbers = itertools.count(1)

    def begin_with(self, header: Header, joining: list[i.Register]) -> list[int]:
        """A fresh namespace, and agents that join; gives the numbers of their streams."""
        self.case = Case(self.lane.name, header)
        self.world = World(self.lane.begin(self.case), header.created)
        return [self.join(registration) for registration in joining]

    def teardown(self) -> None:
        if self.case is not None:
            self.lane.end()

    # Doing.

    def do(self, does: Operation, after: int = 0) -> None:
        """One operation, so many microseconds after the last."""
        self.world.now += after
        try:
            outputs = self.lane.play(Step(self.world.now, does))
        except BaseException:
            self.failed = True
            raise
        self.world.see(outputs)

    def number(self) -> int:
        """A number that was not used before."""
        return next(self._numbers)

    def join(self, registration: i.Register) -> int:
        """An agent registers and opens its stream."""
        stream = self.number()
        self.do(replace(registration, call=self.number()))
        self.do(i.Open(stream))
        self.do(i.Receive(stream, m.Ack(registration.agent_id)))
        return stream

    # Agents and their streams.

    @rule(registration=values.registrations(st.one_of(among("agents", values.AGENTS), values.agents)))
    def register(self, registration):
        self.do(replace(registration, call=self.number()))

    @rule(target=streams, registration=values.registrations(st.sampled_from(values.AGENTS)))
    def join_anew(self, registration):
        return self.join(registration)

    @rule(target=streams)
    def open(self):
        stream = self.number()
        self.do(i.Open(stream))
        return stream

    @there_is("awaiting")
    @rule(
        stream=among("awaiting"),
        agent_id=st.one_of(
            *[among("alone", values.AGENTS)] * 6, among("agents", values.AGENTS), values.agents
        ),
        registration=seldom(None, ["some"], often=8),
        producer=st.sampled_from([0, 1, 2, 1 << 63]),
        first=seldom(None, [m.Ping(1), m.Ack(), m.Unknown(), m.Goodbye()], often=12),
    )
    def handshake(self, stream, agent_id, registration, producer, first):
        known = self.world.registrations
        number = known[producer % len(known)] if registration else 0
        self.do(i.Receive(stream, first or m.Ack(agent_id, 0, 0, [], number, producer)))

    @rule(
        stream=consumes(streams),
        how=st.sampled_from(["break", "break", "close", "goodbye", "disconnect"]),
        goodbye=st.sampled_from(["", "bye"]),
    )
    def lose(self, stream, how, goodbye):
        """The end of a stream that was opened at some time, whatever it is now."""
        match how:
            case "goodbye" if stream in self.world.open:
                self.do(i.Receive(stream, m.Goodbye(goodbye)))
            case "close" if stream in self.world.heard:
                self.world.silent.add(stream)
                self.do(i.HalfClose(stream))
            case "disconnect":
                found = self.world.engine._core.streams.get(stream)
                self.do(i.Disconnect(found.agent_id if found else "nobody"))
            case _:
                self.do(i.Break(stream))
                self.world.forget_stream(stream)

    # What they say.

    @there_is("open")
    @rule(stream=among("open"), message=st.one_of(values.published, values.published, values.confirmed))
    def publish(self, stream, message):
        self.do(i.Receive(stream, message))

    @there_is("open")
    @rule(stream=among("open"), messages=values.bursts)
    def burst(self, stream, messages):
        self.do(Burst(stream, messages))

    @there_is("open")
    @rule(
        stream=among("open"),
        message=st.one_of(values.changes, values.pings, values.changes, values.odd_messages),
    )
    def say(self, stream, message):
        self.do(i.Receive(stream, message))

    # Calls.

    @rule(
        request=st.one_of(values.calls, values.calls, among("calls", values.A_CALL)),
        name=st.one_of(st.none(), among("offered", [None]), among("offered", [None])),
    )
    def invoke(self, request, name):
        call = self.number()
        request = replace(request, capability=name or request.capability)
        self.world.callers.append(call)
        self.world.calls.append(request)
        self.do(i.Invoke(call, request))

    @there_is("given")
    @rule(
        given=among("given"),
        result=values.results,
        call_id=seldom(None, ["", "nonsense", "x" * 300, 'é"'], often=25),
        again=seldom(False, [True], often=12),
    )
    def answer(self, given, result, call_id, again):
        stream, own_id = given
        if not again:
            self.world.given.remove(given)
        self._answer(stream, replace(result, id=own_id if call_id is None else call_id))

    @there_is("given")
    @there_is("open")
    @rule(stream=among("open"), given=among("given"), result=values.results)
    def answer_for_another(self, stream, given, result):
        self._answer(stream, replace(result, id=given[1]))

    def _answer(self, stream: int, result: m.ActionResult) -> None:
        if stream in self.world.heard:
            self.do(i.Receive(stream, result))

    @there_is("callers")
    @rule(call=among("callers"))
    def abandon(self, call):
        self.world.callers.remove(call)
        self.do(i.Abandon(call))

    # What a test does, and who only looks on.

    @there_is("agents")
    @rule(agent_id=st.one_of(among("agents", values.AGENTS), values.agents))
    def hold(self, agent_id):
        self.do(i.Hold(agent_id))

    @there_is("held")
    @rule(agent_id=among("held"))
    def release(self, agent_id):
        self.do(i.Release(agent_id))

    @rule(
        what=st.sampled_from([i.Snapshot, i.ListCapabilities, i.Heartbeat]),
        number=st.sampled_from([0, -1, 2**63 - 1]),
    )
    def ask(self, what, number):
        call = self.number()
        self.do(i.Heartbeat(call, number) if what is i.Heartbeat else what(call))

    # Time.

    @rule(beside=st.sampled_from([0, 0, -1, 1]))
    def to_the_next_deadline(self, beside):
        deadline = self.world.engine.next_deadline()
        self.pass_time(max(0, deadline - self.world.now + beside) if deadline else 0)

    @rule(by=st.one_of(MOMENTS, MOMENTS, st.integers(0, 200_000), st.integers(0, 20_000_000)))
    def time_passes(self, by):
        self.pass_time(by)

    def pass_time(self, by: int) -> None:
        """So many microseconds in which nothing else happens."""
        self.do(i.Tick(), by)

    # How often: a rule that stands here three times is drawn three times as often.

    publish_2 = publish_3 = publish_4 = publish_5 = publish_6 = publish
    answer_2 = answer_3 = answer_4 = answer
    invoke_2 = invoke_3 = invoke
    handshake_2 = handshake_3 = handshake
    join_anew_2 = join_anew
    burst_2 = burst_3 = burst
    say_2 = say
    hold_2 = hold
