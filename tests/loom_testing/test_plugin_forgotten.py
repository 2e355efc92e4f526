"""A test that forgets to wait fails, and says for what."""

from __future__ import annotations

import pytest

from tests.loom_testing.plugged import Project

pytest_plugins = ["pytester"]

TESTS = """
import pytest

from greeter import agent
from loom import Agent

pytestmark = pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")


async def test_expectation(loom_bridge):
    async with loom_bridge.probe() as probe:
        probe.expect("never.comes")


def test_plain(loom_bridge):
    loom_bridge.call("nobody")


async def test_truth(loom_bridge):
    assert loom_bridge.call("text.length", text="a coroutine is true")


async def test_handler(loom_bridge):
    echo = Agent("echo")

    @echo.on("said")
    async def say(ctx):
        ctx.emit("said.again")

    async with loom_bridge.run(echo), loom_bridge.probe() as probe:
        await probe.emit("said")
        await loom_bridge.settle()


async def test_run(loom_bridge):
    loom_bridge.run(agent)


async def test_probe(loom_bridge):
    loom_bridge.probe("watcher")


async def test_stub(loom_bridge):
    loom_bridge.stub_capability("llm.complete").returns(3)


def test_plain_stub(loom_bridge):
    loom_bridge.sync.stub_capability("llm.complete").returns(3)


@pytest.mark.loom(leaks=True)
async def test_that_may(loom_bridge):
    loom_bridge.run(agent)


async def test_that_fails_already(loom_bridge):
    loom_bridge.run(agent)
    assert not "a reason of its own"
"""


def test_what_nobody_waited_for_is_named(pytester: pytest.Pytester):
    result = Project(pytester, test_forgotten=TESTS).run("-p", "no:randomly", "-p", "no:asyncio")
    result.assert_outcomes(passed=1, failed=9)
    result.stdout.fnmatch_lines(
        [
            'test_forgotten.py:*: nobody waited for `probe.expect("never.comes")`: write `await` *',
            'test_forgotten.py:*: nobody waited for `loom_bridge.call("nobody")`: * use loom_bridge.sync',
            "test_forgotten.py:*: nobody waited for `assert loom_bridge.call(*",
            'test_forgotten.py:*: nobody waited for `ctx.emit("said.again")`: *',
            "loom_bridge.run(greeter) did nothing: write `async with loom_bridge.run(greeter):`*",
            "loom_bridge.probe('watcher') did nothing: write `async with loom_bridge.probe('watcher'):`*",
            "loom_bridge.stub_capability('llm.complete') did nothing: *",
            "loom_bridge.stub_capability('llm.complete') did nothing: * loom_bridge.sync",
            "*a reason of its own*",
        ]
    )
