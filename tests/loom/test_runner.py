"""Agents as a program: signals, endings, exit codes, logging."""

import asyncio
import os
import signal
import sys

import pytest

from loom.agent import Agent
from loom.context import Context
from loom.endpoint import Endpoint
from loom.errors import BridgeUnavailable, DefinitionError, Superseded
from loom.runner import run, serve
from tests.loom.conftest import settings

PROGRAM = """
import asyncio, signal
from loom import Agent, Context

me, other = Agent("me"), Agent("other")

@me.on("work")
async def work(ctx: Context) -> None:
    print("began", flush=True)
    try:
        await asyncio.sleep({seconds})
        await ctx.emit("done")
        print("done", flush=True)
    except asyncio.CancelledError:
        print("cancelled", flush=True)
        raise

from loom import run
run(me, other, grace={grace})
print("ended", flush=True)
"""


@pytest.fixture
async def program(bridge):
    """Starts the program in a process of its own; it does not outlive the test."""
    processes = []

    async def start(**values):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", PROGRAM.format(**values),
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            env={
                **os.environ,
                "LOOM_BRIDGE_ADDR": bridge.address, "LOOM_NAMESPACE": bridge.namespace, "LOOM_LOG": "info",
            },
        )  # fmt: skip
        processes.append(process)
        return process

    yield start
    for process in processes:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def line(process):
    async with asyncio.timeout(30):
        return (await process.stdout.readline()).decode().strip()


async def begin_work(bridge, process):
    """Gives the program something to do, once both of its agents are there. Answers what it logged before."""
    said = b""
    async with asyncio.timeout(30):
        while not (b"me: connected to" in said and b"other: connected to" in said):
            said += await process.stderr.readline()
    async with Agent("boss", settings=settings(bridge.endpoint)) as boss:
        assert await boss.context().emit("work") == 1
        assert await line(process) == "began"
    return said.decode()


async def end(process):
    async with asyncio.timeout(30):
        out, err = await process.communicate()
    return process.returncode, out.decode().split(), err.decode()


class Announced(Agent):
    """An agent whose start can be waited for."""

    def __init__(self, name, bridge):
        super().__init__(name, settings=settings(bridge.endpoint))
        self.started = asyncio.Event()

    async def start(self, endpoint=None):
        await super().start(endpoint)
        self.started.set()


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_stops_in_order(bridge, program, kind):
    process = await program(seconds=0.3, grace=10)
    before = await begin_work(bridge, process)
    process.send_signal(kind)
    code, out, err = await end(process)
    err = before + err
    assert (code, out) == (0, ["done", "ended"])
    assert f"INFO    loom.runtime: bridge {bridge.address}: named by LOOM_BRIDGE_ADDR" in err
    assert "Traceback" not in err


async def test_what_takes_longer_than_the_grace_is_cancelled(bridge, program):
    process = await program(seconds=60, grace=0.1)
    await begin_work(bridge, process)
    process.send_signal(signal.SIGTERM)
    assert (await end(process))[:2] == (0, ["cancelled", "ended"])


async def test_a_second_signal_stops_at_once(bridge, program):
    process = await program(seconds=60, grace=60)
    await begin_work(bridge, process)
    process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(10):
        while b"a second signal stops at once" not in await process.stderr.readline():
            pass
    process.send_signal(signal.SIGTERM)
    assert (await end(process))[:2] == (0, ["cancelled", "ended"])


async def test_a_superseded_program_ends_with_an_error(bridge, program):
    process = await program(seconds=60, grace=1)
    await begin_work(bridge, process)
    async with Agent("other", settings=settings(bridge.endpoint)):
        code, out, err = await end(process)
    assert code != 0
    assert out == ["cancelled"]
    last = err.strip().splitlines()[-1]
    assert last.startswith("loom.errors.Superseded: ")
    assert "replicas=True" in last


# Inside a program's own loop.


async def test_serving_ends_when_the_agents_are_stopped(bridge):
    me, other = Announced("me", bridge), Announced("other", bridge)
    serving = asyncio.create_task(serve(me, other))
    await asyncio.gather(me.started.wait(), other.started.wait())
    await asyncio.gather(me.stop(), other.stop())
    async with asyncio.timeout(10):
        await serving


async def test_one_that_cannot_start_ends_the_others(bridge):
    me = Agent("me", settings=settings(bridge.endpoint))
    lost = Agent("lost", settings=settings("127.0.0.1:1", connect_timeout=0.1))
    with pytest.raises(BridgeUnavailable):
        await serve(me, lost)
    assert not me.is_running
    assert not lost.is_running


async def test_one_that_is_superseded_ends_the_others(bridge):
    me, other = Announced("me", bridge), Announced("other", bridge)
    serving = asyncio.create_task(serve(me, other))
    await asyncio.gather(me.started.wait(), other.started.wait())
    async with Agent("other", settings=settings(bridge.endpoint)):
        with pytest.raises(Superseded):
            await serving
    assert not me.is_running


async def test_serving_leaves_the_signal_handlers_as_they_were(bridge):
    before = signal.getsignal(signal.SIGTERM)
    me = Announced("me", bridge)

    @me.on("stop")
    async def stop(ctx: Context) -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    serving = asyncio.create_task(serve(me))
    await me.started.wait()
    await me.context().emit("stop")
    async with asyncio.timeout(10):
        await serving
    assert signal.getsignal(signal.SIGTERM) is before
    assert not me.is_running


def test_two_agents_of_one_id_are_refused_before_anything_runs():
    first, second = Agent("me"), Agent("me")
    for agents in ((first, second), (first, Agent("other"), first)):
        with pytest.raises(DefinitionError, match="me would run twice"):
            run(*agents)
    replicas = [Agent("work", replicas=True) for _ in range(2)]
    with pytest.raises(DefinitionError, match="me would run twice"):
        run(*replicas, first, second)


def test_running_nobody_is_an_error():
    with pytest.raises(DefinitionError, match="there is no agent to run"):
        run()


def test_run_raises_without_the_loops_inner_life():
    me = Agent("me", endpoint=Endpoint("127.0.0.1:1"), settings=settings("127.0.0.1:1", connect_timeout=0.1))
    with pytest.raises(BridgeUnavailable) as caught:
        me.run()
    files = [str(entry.path) for entry in caught.traceback]
    assert files[-1].endswith("runner.py")
    assert not any("asyncio" in file for file in files)
