"""The lane in memory: the Python engine and the Rust engine, input by input, compared to the byte."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st
from hypothesis.stateful import initialize, multiple, rule

from loom_testing.engine import Engine
from loom_testing.engine import inputs as i
from loom_testing.engine.outputs import Output
from loom_testing.engine.trace import encode_header, encode_step
from tests.differential import values
from tests.differential.divergence import Divergence, Told
from tests.differential.drawing import among
from tests.differential.machine import BridgeMachine, there_is
from tests.differential.operations import Case, Step
from tests.differential.rust import RustPipe

__all__ = ["EngineLane", "EngineMachine", "answer"]

AT_ONCE = 32
"""How many steps the Rust engine is asked about in one go."""
MOST_TICKS = 40
"""How many deadlines fire one by one in one go."""


def answer(outputs: list[Output], deadline: int | None) -> str:
    """What an engine answered, as a line: what the Rust engine's program says."""
    encoded = encode_step(0, i.Tick(), outputs)
    encoded = encoded[encoded.index('"out":') + 6 : -1]
    return f'{{"out":{encoded},"next":{"null" if deadline is None else deadline}}}'


class EngineLane:
    """Plays inputs on both engines.

    The Rust engine is asked about several steps at a time: two processes that wait for one another at each
    step would do little else.
    """

    name = "engine"

    def __init__(self, pipe: RustPipe) -> None:
        self._pipe = pipe
        self._case: Case
        self._engine: Engine
        self._asked: list[tuple[Step, str, str]] = []
        """Steps the Rust engine has not answered yet, as lines too, and what the Python engine answered."""

    def begin(self, case: Case) -> Engine:
        """Fresh engines."""
        self._case = case
        self._asked = []
        header = case.header
        self._engine = Engine(header.created, header.engine_limits(), liveness=header.liveness)
        self._pipe.begin(encode_header(header))
        return self._engine

    def play(self, step: Step) -> list[Output]:
        """Feeds both."""
        return [output for came_in in step.inputs() for output in self._feed(step.at, came_in)]

    def unread(self) -> list[int]:
        """Nothing waits here: an engine takes what it is given."""
        return []

    def end(self) -> None:
        """Compares what is left."""
        self._compare()

    def _feed(self, at: int, came_in: i.Input) -> list[Output]:
        line = encode_step(at, came_in, [])
        try:
            outputs = self._engine.handle(came_in, at)
            python = answer(outputs, self._engine.next_deadline())
        except Exception as error:  # an engine that falls over is a finding like any other
            outputs, python = [], f"fell over: {type(error).__name__}: {error}"
        self._asked.append((Step(at, came_in), line, python))
        if len(self._asked) >= AT_ONCE or python.startswith("fell"):
            self._compare()
        return outputs

    def _compare(self) -> None:
        asked, self._asked = self._asked, []
        answers = self._pipe.ask([line for _, line, _ in asked]) if asked else []
        for (step, _, python), rust in zip(asked, answers, strict=False):
            self._case.steps.append(step)
            if python != rust:
                raise Divergence(self._case, {"python": _told(python), "rust": _told(rust)})


def _told(line: str) -> Told:
    """An answer's outputs, each on a line of its own."""
    return {"answer": line.replace('},{"kind"', '},\n{"kind"').replace(',"next":', ',\n"next":').split("\n")}


class EngineMachine(BridgeMachine):
    """What may happen to an engine, also what a shell would not do."""

    @initialize(
        target=BridgeMachine.streams,
        header=values.headers(values.SMALL, {}),
        joining=st.lists(
            values.registrations(st.sampled_from(values.AGENTS)),
            max_size=4,
            unique_by=lambda one: one.agent_id,
        ),
    )
    def begin(self, header, joining):
        return multiple(*self.begin_with(header, joining))

    def number(self) -> int:
        """Numbers in no order, as a shell may choose them."""
        number = super().number()
        return number + (number * 7 % 5 % 2) * 1_000_000

    @there_is("given_out")
    @rule(stream=among("given_out"), share=st.integers(1, 4))
    def take(self, stream, share):
        """The transport took some of what it was given, or all."""
        count = -(-self.world.unwritten[stream] * min(share, 3) // 3)
        self.world.unwritten[stream] -= count
        if not self.world.unwritten[stream]:
            del self.world.unwritten[stream]
        self.do(i.Writable(stream, count))

    take_2 = take_3 = take_4 = take_5 = take_6 = take

    @rule(stream=BridgeMachine.streams, messages=values.bursts)
    def say_on_any_stream(self, stream, messages):
        """Also on one that is over."""
        self.do(i.Receive(stream, messages[0]))

    @rule(by=st.integers(0, 200_000_000))
    def deadlines_one_by_one(self, by):
        """As a driver does it; the other rules of time let them all fire at once."""
        target = self.world.now + by
        for _ in range(MOST_TICKS):
            deadline = self.world.engine.next_deadline()
            if deadline is None or deadline > target:
                break
            self.pass_time(max(0, deadline - self.world.now))

    @rule(by=st.integers(1, 2_000_000), request=values.calls)
    def late(self, by, request):
        """Timers are due when something else comes in."""
        self.do(i.Invoke(self.number(), replace(request, id="")), by)

    @rule(how=st.integers(0, 19), grace_ms=st.sampled_from([0, 100, 10_000]), agent_id=values.agents)
    def seldom(self, how, grace_ms, agent_id):
        """Little happens after a drain, and nothing is left after a reset."""
        match how:
            case 19:
                self.do(i.DrainAll(grace_ms))
            case 18:
                self.do(i.Reset())
            case _:
                self.do(i.Release(agent_id))
