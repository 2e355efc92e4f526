"""What a test that hangs is waiting for: where its code stands, and what the bridge holds."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from loom.errors import LoomError
from loom_testing.harness.errors import HarnessError
from loom_testing.harness.places import frames_of_task, frames_of_thread, own_frames, said_of
from loom_testing.harness.tasks import loops

if TYPE_CHECKING:
    from collections.abc import Iterator

    from loom.testing.v1 import control_pb2
    from loom_testing.harness.handle import LoomBridge

__all__ = ["explained"]

MOST_TASKS = 20
STANDS_STILL = (
    "The namespace's clock moves only when the test moves it: await loom_bridge.advance(seconds), or have it "
    'move by itself: @pytest.mark.loom(clock="auto")'
)


def explained(
    bridge: LoomBridge,
    seconds: float,
    thread: int | None,
    *,
    task: asyncio.Task[Any] | None = None,
    applied: str = "--loom-deadline",
) -> str:
    """Says what hangs.

    Args:
        bridge: the test's.
        seconds: how long it was waited for.
        thread: the number of the thread that runs the test.
        task: the task that an async test runs in.
        applied: where that many seconds were said.
    """
    parts = [
        f"the test did not end within {seconds:g} s ({applied}). It waits here:",
        *(f"  {place}" for place in _places(thread, task)),
        *_on_the_bridge(bridge),
    ]
    return "\n".join(parts)


# Where the code stands.


def _places(thread: int | None, mine: asyncio.Task[Any] | None) -> Iterator[str]:
    """Where the test stands, then its other tasks, in code that is neither a library's nor ours."""
    # A test that blocks its event loop stands in its thread: its task has no frames to look at then.
    test = own_frames(frames_of_thread(thread)) or own_frames([] if mine is None else frames_of_task(mine))
    told = {said_of(frame): None for frame in (test[:1] + test[-1:])}
    name = "" if mine is None else f"    [task {mine.get_name()}]"
    yield from (f"{line}{name}" for line in told)
    tasks = [task for loop in loops() for task in _tasks(loop) if task is not mine]
    others = [(task, own[-1]) for task in tasks if (own := own_frames(frames_of_task(task)))]
    for task, frame in others[:MOST_TASKS]:
        yield f"{said_of(frame)}    [task {task.get_name()}]"
    if len(others) > MOST_TASKS:
        yield f"and {len(others) - MOST_TASKS} tasks more"
    if not told and not others:
        yield "nowhere in the test's own code"


def _tasks(loop: asyncio.AbstractEventLoop) -> list[asyncio.Task[Any]]:
    try:
        return sorted(asyncio.all_tasks(loop), key=lambda task: task.get_name())
    except RuntimeError:  # the loop made one while they were gathered
        return []


# What the bridge holds.


def _on_the_bridge(bridge: LoomBridge) -> Iterator[str]:
    if not bridge.host.controlled:
        return
    try:
        held = bridge.space.snapshot()
    except (LoomError, HarnessError) as error:
        yield f"The bridge does not say what it holds: {error}"
        return
    empty = not held.agents and not held.calls
    yield "On the bridge there are no agents and no calls." if empty else "On the bridge:"
    for agent in held.agents.values():
        yield f"  agent {agent.agent_id!r}: {', '.join(_of_agent(agent))}"
    for call in held.calls:
        caller = call.caller or "nobody in particular"
        where = f"open at {call.provider!r}" if call.provider else "waiting for a provider"
        yield f"  call of {call.capability!r} by {caller}: {where}"
    if bridge.space.virtual and not bridge.clock.is_auto:
        yield STANDS_STILL


def _of_agent(agent: control_pb2.AgentSnapshot) -> Iterator[str]:
    yield agent.state.lower()
    if agent.queued_events:
        yield _counted(agent.queued_events, "event") + " queued"
    if agent.open_calls:
        yield _counted(agent.open_calls, "call") + " open"
    if agent.held:
        yield "its writes are held"
    if agent.paused:
        yield "not read from, since those it publishes to are full"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
