"""The run behind `loom dev`: a bridge and agents as processes, and the bridge's trace followed to its end."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import time
from typing import TYPE_CHECKING, cast

import grpc.aio

from loom.channel import open_channel
from loom.cli.bridges import local_bridge, place_of_the_local_bridge, start_bridge
from loom.cli.exits import Exit, Failure
from loom.cli.processes import Child
from loom.endpoint import Endpoint
from loom.testing.v1 import control_pb2, control_pb2_grpc

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

    from loom.cli.bridges import Bridge
    from loom.cli.view import View
    from loom.runtime.programs import Program

__all__ = ["watch"]

AGENT_GRACE = 10.0
"""Seconds that agents may take to end."""
BRIDGE_GRACE = 10.0
"""Seconds that the bridge may take to end."""
LAST_GRACE = 3.0
"""Seconds that it may take where everything must end at once: enough to remove a container."""
LAST_LINES = 5.0
"""Seconds to wait for the bridge's last lines."""
GLANCE = 1.0
"""Seconds between two looks for calls that take long."""


async def watch(targets: Sequence[str], program: Program, port: int, view: View, *, reload: bool) -> Exit:
    """Runs until a signal, or until the bridge ends.

    Raises:
        Failure: the bridge could not start, or ended by itself.
    """
    started = time.monotonic()
    with _signals() as stop:
        place = await place_of_the_local_bridge()
        bridge = await start_bridge(program, port)
        try:
            with local_bridge(bridge.address, place):
                view.started(program, bridge.address, found_by_itself=place is not None)
                return await _run(targets, bridge, view, stop, reload=reload)
        finally:
            await bridge.process.stop(LAST_GRACE)
            view.ended(time.monotonic() - started)


async def _run(
    targets: Sequence[str],
    bridge: Bridge,
    view: View,
    stop: asyncio.Future[signal.Signals],
    *,
    reload: bool,
) -> Exit:
    async with open_channel(Endpoint(bridge.address)) as channel:
        control = cast("control_pb2_grpc.ControlAsyncStub", control_pb2_grpc.ControlStub(channel))
        steps = control.Watch(control_pb2.WatchRequest())
        await steps.initial_metadata()  # nothing is missed from here on
        following = asyncio.create_task(_follow(steps, view))
        glancing = asyncio.create_task(_glance(view))
        try:
            async with _agents(targets, bridge.address, view, stop, reload=reload):
                await asyncio.wait((stop, following), return_when=asyncio.FIRST_COMPLETED)
                view.stopping()
            if not stop.done():
                raise Failure("the bridge ended by itself; see what it said above, and start again")
            await bridge.process.stop(BRIDGE_GRACE)
            await asyncio.wait({following}, timeout=LAST_LINES)
        finally:
            glancing.cancel()
            following.cancel()
            await asyncio.gather(glancing, following, return_exceptions=True)
    return Exit.INTERRUPTED if stop.result() == signal.SIGINT else Exit.OK


async def _follow(
    steps: grpc.aio.UnaryStreamCall[control_pb2.WatchRequest, control_pb2.WatchResponse], view: View
) -> None:
    """Shows each step until the bridge ends."""
    with contextlib.suppress(grpc.aio.AioRpcError):
        async for response in steps:
            view.happened(response)


async def _glance(view: View) -> None:
    while True:
        await asyncio.sleep(GLANCE)
        view.still_open(time.time_ns() // 1000)


@contextlib.asynccontextmanager
async def _agents(
    targets: Sequence[str], address: str, view: View, stop: asyncio.Future[signal.Signals], *, reload: bool
) -> AsyncIterator[None]:
    """The agents' processes, for as long as it is entered."""
    children: list[Child] = []
    showing: list[asyncio.Task[None]] = []
    try:
        for target in targets:
            options = ["--reload"] if reload else []
            arguments = ["-m", "loom.cli", "run", "--bridge", address, *options, "--", target]
            child = await Child.start(target, [sys.executable, *arguments], merged=True)
            children.append(child)
            showing.append(asyncio.create_task(_show(child, view, stop)))
        yield
    finally:
        try:
            await asyncio.gather(*(child.stop(AGENT_GRACE) for child in children))
            await asyncio.gather(*showing)
        finally:
            await asyncio.gather(*(child.kill() for child in children))


async def _show(child: Child, view: View, stop: asyncio.Future[signal.Signals]) -> None:
    code = await child.forward(lambda line: view.said(child.name, line))
    if code != Exit.OK and not stop.done():
        view.note(f"{child.name} ended with exit code {code}; the bridge goes on")


@contextlib.contextmanager
def _signals() -> Iterator[asyncio.Future[signal.Signals]]:
    """The first SIGINT or SIGTERM, as a future; a second one ends everything at once."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    stop: asyncio.Future[signal.Signals] = loop.create_future()

    def told(number: int) -> None:
        if not stop.done():
            stop.set_result(signal.Signals(number))
        elif task is not None:
            task.cancel()

    before = {
        number: signal.signal(number, lambda came, _: loop.call_soon_threadsafe(told, came))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
