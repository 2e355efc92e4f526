"""A test that passes and leaves something behind fails, and says which."""

from __future__ import annotations

import pytest

from tests.loom_testing.plugged import Project

pytest_plugins = ["pytester"]

LEAKS = '''
import asyncio, os, subprocess, sys, threading

import pytest

from greeter import agent
from loom import Agent
from loom_testing.harness import leaks

leaks.PATIENCE_S = 30


@pytest.fixture
def never(monkeypatch):
    """What is left will never end: no use waiting for it."""
    monkeypatch.setattr(leaks, "PATIENCE_S", 0.05)


@pytest.fixture(scope="module", autouse=True)
def tidy():
    yield
    test_process_and_its_agent.kept.kill()
    test_process_and_its_agent.kept.wait()


async def test_agent(loom_bridge):
    await Agent("forgotten").start(loom_bridge.endpoint)


def test_agent_in_a_plain_test(loom_bridge):
    loom_bridge.sync.run(Agent("forgotten")).__enter__()


def test_process_and_its_agent(never, loom_bridge):
    code = "import greeter; print(flush=True); greeter.agent.run()"
    test_process_and_its_agent.kept = subprocess.Popen([sys.executable, "-c", code])
    while "greeter" not in loom_bridge.sync.snapshot().agents:
        pass


async def test_task(loom_bridge):
    async def poll():
        await asyncio.Event().wait()

    test_task.kept = asyncio.create_task(poll(), name="poller")


def test_thread(never, loom_bridge):
    threading.Thread(target=threading.Event().wait, name="worker", daemon=True).start()


@pytest.mark.loom(leaks=True)
def test_that_may(loom_bridge):
    threading.Thread(target=threading.Event().wait, name="worker", daemon=True).start()


async def test_that_fails_already(loom_bridge):
    await Agent("forgotten").start(loom_bridge.endpoint)
    assert not "a reason of its own"


async def test_that_is_clean(loom_bridge):
    async with loom_bridge.run(agent), loom_bridge.probe() as probe:
        await probe.emit("visitor.arrived", {"name": "Ada"})
        await probe.expect("visitor.greeted")


@pytest.fixture
async def running(loom_bridge):
    async with loom_bridge.run(agent):
        yield


async def test_whose_fixture_is_clean(loom_bridge, running):
    assert await loom_bridge.call("text.length", text="abc") == 3
'''


AUTO = ("-o", "asyncio_mode=auto", "-o", "asyncio_default_fixture_loop_scope=function")


@pytest.mark.parametrize("mode", [AUTO, ("-p", "no:asyncio")], ids=["asyncio", "own"])
def test_what_is_left_is_named(pytester: pytest.Pytester, mode: tuple[str, ...]):
    tests = LEAKS if mode[0] == "-o" else LEAKS.partition("@pytest.fixture\nasync")[0]
    result = Project(pytester, test_leaks=tests).run("-p", "no:randomly", *mode)
    clean = 2 if mode[0] == "-o" else 1
    result.assert_outcomes(passed=6 + clean, failed=1, errors=5)
    lines = [line.strip() for line in result.outlines if line.startswith("  - ")]
    shown = [line.partition(":")[0].partition(" (")[0].partition(" at ")[0] for line in lines]
    assert shown == [
        "- agent 'forgotten' is still connected",
        "- agent 'forgotten' is still connected",
        "- agent 'greeter' is still connected",
        shown[3],
        "- task 'poller', test_task.<locals>.poll()",
        "- thread 'worker'",
    ]
    assert shown[3].startswith("- process ")
    result.stdout.fnmatch_lines(["*a reason of its own*"])


ENDED = """
import pytest

from loom import Agent
from loom_testing.harness.errors import HarnessError

kept = []


@pytest.mark.parametrize("turn", range(3))
@pytest.mark.loom(leaks=True)
async def test_that_may(loom_bridge, turn):
    await Agent("forgotten").start(loom_bridge.endpoint)
    kept.append(loom_bridge.namespace)


async def test_whether_it_is_ended(loom_bridge):
    while kept:  # it may be under way
        try:
            loom_bridge.host.control.snapshot(kept[0])
        except HarnessError:
            kept.pop(0)
"""


def test_what_may_be_left_ends_with_its_test(pytester: pytest.Pytester):
    Project(pytester, test_ended=ENDED).run("-p", "no:randomly", *AUTO).assert_outcomes(passed=4)


SHARED = """
import asyncio

import pytest

from loom import Agent

shop, asker = Agent("shop"), Agent("asker")


@shop.capability("shop.buy")
async def buy() -> int:
    await asyncio.Event().wait()


@pytest.mark.parametrize("by", ["nobody", "asker"])
async def test_open_call(loom_bridge, by):
    await shop.start(loom_bridge.endpoint)
    await asker.start(loom_bridge.endpoint)
    call = asker.context().tool if by == "asker" else loom_bridge.call
    test_open_call.kept = asyncio.create_task(call("shop.buy"))
    while not (await loom_bridge.snapshot()).calls:
        pass


async def test_that_fails(loom_bridge):
    await shop.start(loom_bridge.endpoint)
    assert not "its reason"


async def test_that_runs_the_same_agents(loom_bridge):
    async with loom_bridge.run(shop, asker):
        pass
"""


def test_open_calls_and_tasks_are_named_beside_their_agents(pytester: pytest.Pytester):
    result = Project(pytester, test_shared=SHARED).run("-p", "no:randomly", *AUTO)
    result.assert_outcomes(passed=3, failed=1, errors=2)
    said = "\n".join(line for line in result.outlines if line.startswith("  - "))
    for part in ("task '", "LoomBridge.call()", "Context.tool()", "by nobody in", "by asker, open at 'shop'"):
        assert part in said, said
    assert said.count("agent 'shop' is still connected") == 2, said
