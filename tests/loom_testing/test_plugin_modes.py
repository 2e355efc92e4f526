"""The fixtures in users' projects: with each way to run async tests, or none; in parallel; when things break.

Every project runs with --strict-markers, --strict-config and all warnings as errors.
"""

from __future__ import annotations

from tests.loom_testing.plugged import Project

pytest_plugins = ["pytester"]

NO_ANYIO = ("-p", "no:anyio")
NO_ASYNCIO = ("-p", "no:asyncio")
STRICT = "asyncio_mode = strict\nasyncio_default_fixture_loop_scope = function\n"
AUTO = "asyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n"

ASYNC_TESTS = """
import pytest
from greeter import agent

MARKS


FIXTURE
async def greeted(loom_bridge):
    async with loom_bridge.run(agent), loom_bridge.probe() as probe:
        yield probe


async def test_a_whole_test(loom_bridge):
    async with loom_bridge.run(agent), loom_bridge.probe() as probe:
        await probe.emit("visitor.arrived", {"name": "Ada"})
        await probe.expect("visitor.greeted", text="Hello, Ada!")
        assert await loom_bridge.call("text.length", text="abc") == 3
        await loom_bridge.advance(30)


async def test_an_async_fixture(greeted):
    assert await greeted.emit("visitor.arrived", {"name": "Ada"}) == 1
    await greeted.expect("visitor.greeted")


async def test_agents_made_for_it(loom_bridge, loom_agent):
    echo = loom_agent("echo", max_parallel=1)

    @echo.capability("text.echo")
    def say(text: str) -> str:
        return text

    async with echo:
        assert await loom_bridge.call("text.echo", text="hello") == "hello"
"""

SYNC_TESTS = """
from greeter import agent


def test_a_plain_test(loom_bridge):
    bridge = loom_bridge.sync
    with bridge.run(agent), bridge.probe() as probe:
        probe.emit("visitor.arrived", {"name": "Ada"})
        probe.expect("visitor.greeted", text="Hello, Ada!")
        assert bridge.call("text.length", text="abc") == 3
        bridge.advance(30)


def test_agents_made_for_it(loom_bridge, loom_agent):
    with loom_bridge.sync.run(loom_agent("echo")):
        assert list(loom_bridge.sync.snapshot().agents) == ["echo"]
"""


def async_tests(marks: str = "", fixture: str = "@pytest.fixture") -> str:
    return ASYNC_TESTS.replace("MARKS", marks).replace("FIXTURE", fixture)


def test_pytest_asyncio_strict_beside_plain_tests(pytester):
    tests = async_tests("import pytest_asyncio\npytestmark = pytest.mark.asyncio", "@pytest_asyncio.fixture")
    project = Project(pytester, STRICT, test_async=tests, test_plain=SYNC_TESTS)
    project.run().assert_outcomes(passed=5)


def test_pytest_asyncio_auto(pytester):
    project = Project(pytester, AUTO, test_async=async_tests())
    project.run(*NO_ANYIO).assert_outcomes(passed=3)


def test_anyio_on_asyncio(pytester):
    marks = 'pytestmark = pytest.mark.anyio\n\n\n@pytest.fixture\ndef anyio_backend():\n    return "asyncio"'
    project = Project(pytester, test_async=async_tests(marks))
    project.run(*NO_ASYNCIO).assert_outcomes(passed=3)


def test_anyio_on_trio_is_told_what_to_do(pytester):
    marks = 'pytestmark = pytest.mark.anyio\n\n\n@pytest.fixture\ndef anyio_backend():\n    return "trio"'
    project = Project(pytester, test_async=async_tests(marks))
    result = project.run(*NO_ASYNCIO, "-k", "whole")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*needs asyncio's event loop*with anyio choose its asyncio backend"])


def test_neither_is_installed(pytester):
    project = Project(pytester, test_plain=SYNC_TESTS)
    project.run(*NO_ASYNCIO, *NO_ANYIO).assert_outcomes(passed=2)


def test_in_parallel_each_worker_has_a_bridge_and_each_test_a_namespace(pytester):
    tests = """
    import os
    from pathlib import Path

    import pytest
    from greeter import agent


    @pytest.mark.parametrize("number", range(12))
    async def test_alone(loom_bridge, number, worker_id):
        Path(f"{worker_id}-{number}").write_text(f"{loom_bridge.address} {loom_bridge.namespace}")
        async with loom_bridge.run(agent), loom_bridge.probe() as probe:
            assert list((await loom_bridge.snapshot()).agents) == ["greeter", "probe"]
            assert await probe.emit("visitor.arrived", {"name": str(number)}) == 1
            await probe.expect("visitor.greeted", text=f"Hello, {number}!")
            assert len(probe.events) == 1
    """
    project = Project(pytester, AUTO, test_alone=tests)
    project.run("-n", "2").assert_outcomes(passed=12)
    written = [path.read_text().split() for path in pytester.path.glob("gw*-*")]
    assert len({address for address, _ in written}) == 2
    assert len({namespace for _, namespace in written}) == 12


def test_a_miss_shows_the_tests_own_line_and_the_difference(pytester):
    tests = """
    from greeter import agent


    async def test_miss(loom_bridge):
        async with loom_bridge.run(agent), loom_bridge.probe() as probe:
            await probe.emit("visitor.arrived", {"name": "Ada"})
            await probe.expect("visitor.greeted", text="Hello, Bob!")
    """
    result = Project(pytester, AUTO, test_miss=tests).run("--loom-timeout=0.3")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            '>           await probe.expect("visitor.greeted", text="Hello, Bob!")',
            "E  *probe expected visitor.greeted, payload {'text': 'Hello, Bob!'}, and no such * within 0.3 s",
            "E  *nearest: visitor.greeted from greeter: {'text': 'Hello, Ada!'}",
            "E  *payload.text  expected 'Hello, Bob!', got 'Hello, Ada!'",
            "test_miss.py:7: ExpectationError",
            "*- Loom bridge log -*",
            "* greeter joined",
        ]
    )
    result.stdout.no_fnmatch_line("*harness*wait_for*")


def test_a_bridge_that_dies_fails_its_test_and_no_other(pytester):
    tests = """
    import os
    import signal

    from greeter import agent


    async def test_1_before(loom_bridge):
        assert (await loom_bridge.snapshot()).agents == {}


    async def test_2_dying(loom_bridge):
        async with loom_bridge.run(agent), loom_bridge.probe() as probe:
            os.kill(loom_bridge.host.pid, signal.SIGKILL)
            await probe.expect("never", timeout=60)


    def test_3_unnoticed(loom_bridge):
        os.kill(loom_bridge.host.pid, signal.SIGKILL)
        loom_bridge.host.wait_for_death(20)


    async def test_4_after(loom_bridge):
        assert (await loom_bridge.snapshot()).agents == {}
    """
    result = Project(pytester, AUTO, test_dying=tests).run("-p", "no:randomly")
    result.assert_outcomes(passed=3, failed=1, errors=2)
    result.stdout.fnmatch_lines(
        [
            "*ERROR at teardown of test_2_dying*",
            "the bridge died (killed by signal 9); the end of its log:",
            "* greeter joined",
            "*ERROR at teardown of test_3_unnoticed*",
            "E  *BridgeDiedError: the bridge died (killed by signal 9); the end of its log:",
        ]
    )


def test_what_a_test_leaves_behind_ends_with_it(pytester):
    tests = """
    import pytest

    kept = []


    @pytest.mark.loom(leaks=True)
    async def test_1_leaves(loom_bridge):
        probe = loom_bridge.probe()
        kept.append(await probe.__aenter__())
        kept.append(loom_bridge)


    async def test_2_next(loom_bridge):
        assert (await loom_bridge.snapshot()).agents == {}
        assert kept[1].namespace != loom_bridge.namespace
    """
    project = Project(pytester, AUTO, test_left=tests)
    project.run("-p", "no:randomly").assert_outcomes(passed=2)
