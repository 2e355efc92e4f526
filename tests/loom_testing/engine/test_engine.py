"""The engine's one door: time, order, and being idle."""

from __future__ import annotations

from loom_testing.engine import Engine
from loom_testing.engine import inputs as i
from loom_testing.engine import messages as m
from loom_testing.engine import outputs as o
from loom_testing.engine.engine import _of_agent, _on_stream, _stream_gone
from loom_testing.engine.stream import Stream
from loom_testing.engine.timers import TimerKind
from tests.loom_testing.engine.world import START, World


def test_what_is_due_fires_before_the_input_is_taken() -> None:
    engine = Engine(START)
    engine.handle(i.Register(1, "a"), START)
    engine.handle(i.Open(2), START)
    outputs = engine.handle(i.Receive(2, m.Ack("a")), START + 31_000_000)
    assert [type(output) for output in outputs] == [o.End]
    assert outputs[0].status == "DEADLINE_EXCEEDED"
    assert engine.is_idle


def test_time_never_goes_back() -> None:
    engine = Engine(START)
    engine.handle(i.Tick(), START + 5)
    engine.handle(i.Tick(), START + 3)
    assert engine.now == START + 5


def test_a_tick_without_a_deadline_does_nothing(world: World) -> None:
    assert world.engine.next_deadline() is None
    assert world.do(i.Tick()) == []


def test_the_next_deadline_is_the_earliest(world: World) -> None:
    world.register("a")
    assert world.engine.next_deadline() == START + 30_000_000
    world.open_stream()
    assert world.engine.next_deadline() == START + 10_000_000


def test_idle_means_that_nobody_can_come_back(world: World) -> None:
    assert world.engine.is_idle
    agent = world.join("a", capabilities=[m.Capability("c")])
    assert not world.engine.is_idle
    world.invoke("c", "id", "caller")
    world.say(agent, m.ActionResult(agent.take(m.ActionCall)[0].id, 0))
    world.do(i.Break(agent.number))
    assert not world.engine.is_idle, "a result is kept for its repeats"
    world.wait(120)
    assert world.engine.is_idle


def test_two_engines_share_nothing() -> None:
    one, two = Engine(START), Engine(START)
    one.handle(i.Register(1, "a"), START)
    assert not one.is_idle
    assert two.is_idle


def test_what_is_about_a_stream_is_done_to_it_while_it_is_there(world: World) -> None:
    """The three ways to a stream: by its number, by its agent's id, by its timer."""
    core, agent = world.engine._core, world.join("a")
    world.register("b")
    done: list[tuple[object, int]] = []

    def act(core: object, stream: Stream) -> None:
        done.append((core, stream.number))

    _stream_gone(act)(core, i.Break(agent.number))
    _of_agent(act)(core, i.Hold("a"))
    _on_stream(act)(core, (TimerKind.SLOW, agent.number))
    assert done == [(core, agent.number)] * 3
    _stream_gone(act)(core, i.Break(99))
    _of_agent(act)(core, i.Hold("b"))
    _of_agent(act)(core, i.Hold("nobody"))
    assert len(done) == 3


def test_silence_is_death_unless_said_otherwise() -> None:
    """SES-7."""
    engine = Engine(START)
    engine.handle(i.Register(1, "a", features=["session"]), START)
    engine.handle(i.Open(2), START)
    engine.handle(i.Receive(2, m.Ack("a")), START)
    assert engine.next_deadline() == START + 9_000_000
