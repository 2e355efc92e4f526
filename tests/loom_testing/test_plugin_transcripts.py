"""What the plugin does with transcripts: pictures of failed tests, --loom-record, loom_snapshot."""

from __future__ import annotations

import pytest

from loom_testing.transcript import load
from tests.loom_testing.plugged import Project

pytest_plugins = ["pytester"]

NO_ASYNCIO = ("-p", "no:asyncio", "-p", "no:randomly")
TESTS = """
import asyncio
import greeter

async def visit(loom_bridge):
    async with loom_bridge.run(greeter.agent), loom_bridge.probe() as probe:
        await probe.emit("visitor.arrived", {"name": "Ada"})
        await probe.expect("visitor.greeted")

async def test_fails(loom_bridge):
    await visit(loom_bridge)
    assert False

async def test_is_kept(loom_bridge, loom_snapshot):
    await visit(loom_bridge)
    assert await loom_bridge.transcript() == loom_snapshot

def test_without_a_bridge():
    assert False
"""


@pytest.fixture
def project(pytester: pytest.Pytester) -> Project:
    return Project(pytester, test_greeter=TESTS)


def test_a_failed_test_shows_what_crossed_the_bridge(project: Project):
    result = project.run(*NO_ASYNCIO, "-k", "fails or without", "--loom-record", "kept")
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(
        ["*Loom transcript*", "*greeter*bridge*probe*", '*publish visitor.arrived → 1  {name: "Ada"}']
    )
    assert result.stdout.str().count("Loom transcript") == 1
    (path,) = (project.pytester.path / "kept").iterdir()
    assert load(path).about == "test_greeter.py::test_fails"


def test_a_transcript_is_kept_compared_and_renewed(project: Project):
    project.run(*NO_ASYNCIO, "-k", "kept", "--snapshot-update").assert_outcomes(passed=1)
    (path,) = (project.pytester.path / "__snapshots__" / "test_greeter").iterdir()
    path.write_text(path.read_text().replace("Hello, Ada!", "Hello, Bob!"))
    result = project.run(*NO_ASYNCIO, "-k", "kept")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(['*event.payload.text: expected "Hello, Bob!", got "Hello, Ada!"*'])


def test_without_syrupy_it_says_what_to_install(project: Project):
    project.pytester.makepyfile(syrupy="raise ModuleNotFoundError(name='syrupy')")
    result = project.run(*NO_ASYNCIO, "-k", "kept", "-p", "no:syrupy")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(['*loom_snapshot needs syrupy: pip install "loom-py?snapshots?"*'])
