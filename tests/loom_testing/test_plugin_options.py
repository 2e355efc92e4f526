"""How a run chooses its bridge, and what is said of a choice that cannot be had."""

from __future__ import annotations

import subprocess
import sys

import pytest

from loom_testing import FakeBridge
from loom_testing.harness.beside import Beside
from loom_testing.harness.marker import MARKER
from tests.loom_testing.plugged import Project

pytest_plugins = ["pytester"]

TESTS = """
import pytest


def test_where(loom_bridge):
    print(f"at {loom_bridge.address} in {loom_bridge.namespace}")
    with loom_bridge.sync.probe() as probe:
        assert probe.emit("a") == 0


def test_time(loom_bridge):
    loom_bridge.sync.advance(1)
"""

PLAIN = ("-p", "no:asyncio", "-p", "no:anyio")


@pytest.fixture
def project(pytester, monkeypatch):
    monkeypatch.delenv("LOOM_TEST_BRIDGE", raising=False)
    return Project(pytester, test_it=TESTS)


@pytest.fixture(params=[True, False], ids=["testing", "not-testing"])
def served(request):
    """The address of a bridge that somebody else started."""
    beside = Beside()
    bridge = FakeBridge(testing=request.param)
    beside.wait_for(bridge.start())
    yield bridge.address
    beside.wait_for(bridge.stop())
    beside.close()


def usage_error(result: pytest.RunResult) -> str:
    """The one line that a run ended with at once."""
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    lines = [line for line in result.errlines if line]
    assert len(lines) == 1, lines
    return lines[0]


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        (
            "--loom-bridge=rusty",
            "--loom-bridge is 'rusty': choose fake, memory, rust, docker, or a bridge's HOST:PORT",
        ),
        ("--loom-bridge=", "--loom-bridge is '': choose fake, memory, rust, docker, or a bridge's HOST:PORT"),
        (
            "--loom-bridge=a:0",
            "--loom-bridge is 'a:0': choose fake, memory, rust, docker, or a bridge's HOST:PORT",
        ),
        (
            "--loom-bridge=rust",
            "--loom-bridge is rust: LOOM_BRIDGE_BIN is '/nowhere', which is no program: *",
        ),
        ("--loom-bridge=docker", "--loom-bridge is docker: *"),
        ("--loom-timeout=soon", "--loom-timeout (or loom_timeout) is 'soon': give seconds above 0"),
        ("--loom-timeout=0", "--loom-timeout (or loom_timeout) is '0': give seconds above 0"),
    ],
)
def test_a_wrong_choice_ends_the_run_with_one_line(pytester, monkeypatch, argument, said):
    monkeypatch.setenv("LOOM_BRIDGE_BIN", "/nowhere")
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    # In this process: nothing is run, so nothing can disturb.
    pytester.makeini("[pytest]\n")
    result = pytester.runpytest_inprocess(*PLAIN, "-p", "no:randomly", argument)
    pytest.LineMatcher([usage_error(result)]).fnmatch_lines([f"ERROR: {said}".replace("[", "[[]")])


def test_the_option_wins_over_the_environment_and_that_over_the_file(pytester, monkeypatch):
    pytester.makeini("[pytest]\nloom_bridge = from-the-file\n")

    def said(*arguments: str) -> str:
        return usage_error(pytester.runpytest_inprocess(*PLAIN, "-p", "no:randomly", *arguments))

    monkeypatch.delenv("LOOM_TEST_BRIDGE", raising=False)
    assert said().startswith("ERROR: loom_bridge in the ini file is 'from-the-file'")
    monkeypatch.setenv("LOOM_TEST_BRIDGE", "from-the-environment")
    assert said().startswith("ERROR: LOOM_TEST_BRIDGE is 'from-the-environment'")
    assert said("--loom-bridge=option").startswith("ERROR: --loom-bridge is 'option'")


def test_nobody_at_the_address_is_said_before_any_test(project):
    result = project.run(*PLAIN, "--loom-bridge=127.0.0.1:1")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert usage_error(result).startswith("ERROR: 127.0.0.1:1: no bridge answers at 127.0.0.1:1: ")


def test_a_worker_cannot_end_the_run_there_each_test_says_it(project):
    result = project.run(*PLAIN, "-n", "1", "--loom-bridge=127.0.0.1:1")
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(["loom_bridge: no bridge answers at 127.0.0.1:1: *"])
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*During handling*")


@pytest.mark.parametrize("served", [True], indirect=True)
def test_a_bridge_of_somebody_else_serves_as_well(project, served):
    result = project.run(*PLAIN, f"--loom-bridge={served}", "-s")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines([f"*at {served} in test-*"])


@pytest.mark.parametrize("served", [False], indirect=True)
def test_without_control_only_what_needs_it_fails(project, served):
    result = project.run(*PLAIN, f"--loom-bridge={served}")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines([f"E  *the bridge at {served} was not started for testing: its clock and *"])


def test_markers_say_what_the_namespace_is_like(pytester):
    tests = """
    import pytest

    pytestmark = pytest.mark.loom(clock="real")


    def test_real(loom_bridge):
        before = loom_bridge.sync.snapshot().now
        assert loom_bridge.sync.snapshot().now > before


    @pytest.mark.loom(clock="virtual", limits={"event_bytes": 100})
    def test_nearest_wins(loom_bridge):
        loom_bridge.sync.advance(1)


    @pytest.mark.loom("real")
    def test_by_name_only(loom_bridge): ...


    @pytest.mark.loom(clock="slow")
    def test_no_such_clock(loom_bridge): ...


    @pytest.mark.loom(colour="red")
    def test_no_such_name(loom_bridge): ...


    @pytest.mark.loom(limits={"colour": 1})
    def test_no_such_limit(loom_bridge): ...
    """
    result = Project(pytester, test_marked=tests).run(*PLAIN, "-p", "no:randomly")
    result.assert_outcomes(passed=2, errors=4)
    form = MARKER.partition(":")[0]
    for line in (
        f"loom_bridge: @pytest.mark.loom takes names only: {form}",
        f"loom_bridge: @pytest.mark.loom does not take clock='slow': {form}",
        f"loom_bridge: @pytest.mark.loom does not take colour=: {form}",
        "loom_bridge: *colour*",
    ):
        result.stdout.fnmatch_lines([line])


def test_a_run_that_uses_no_bridge_loads_nothing_heavy():
    code = (
        "import sys; before = set(sys.modules); import pytest; pytests = set(sys.modules)\n"
        "import loom_testing.plugin\n"
        "print(*sorted(set(sys.modules) - pytests))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = done.stdout.split()
    assert {name.partition(".")[0] for name in loaded} <= {"loom", "loom_testing"}
    assert "loom.errors" not in loaded
