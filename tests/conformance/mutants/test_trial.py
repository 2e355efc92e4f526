import os
import sys

import pytest

from loom_conformance import expect
from loom_conformance.program import CannotStart, Program
from loom_conformance.registry import Check
from mutants.trial import declared_by_the_fake, tried
from tests.conformance.mutants.test_mutant import GOOD, changed


@pytest.fixture
async def declared():
    return await declared_by_the_fake()


async def echoes(bench):
    expect.equal((await bench.peer().heartbeat(1)).timestamp_ms, 1, "the echo")


OWN = Check("echoes", "HB-1.1", "A trial.", echoes)


async def plant(name, *flags):
    """The mutant of these tests, planted."""
    return await Program.started(
        [sys.executable, "-c", PLANT, *flags], {**os.environ, "LOOM_CLI_LIFELINE": "0"}
    )


PLANT = """
import sys
from mutants.planted import serve
from tests.conformance.mutants.test_mutant import GOOD
serve(GOOD, sys.argv[1:])
"""


async def test_a_mutant_is_killed_by_its_own_check(declared):
    trial = await tried(GOOD, [OWN], declared, {"HB-1.1": ""}, plant)
    assert (trial.killed, trial.by, trial.said) == (True, ("echoes",), "the echo: expected 1, got 0")


async def test_for_another_reason_it_is_not_killed(declared):
    trial = await tried(changed(killed_by="something else"), [OWN], declared, {"HB-1.1": ""}, plant)
    assert (trial.killed, trial.by) == (False, ())
    assert trial.said == "echoes failed the echo: expected 1, got 0"


async def test_an_error_does_not_kill(declared):
    async def breaks(bench):
        raise KeyError("expected 1, got 0")

    check = Check("breaks", "HB-1.1", "A trial.", breaks)
    trial = await tried(GOOD, [check], declared, {"HB-1.1": ""}, plant)
    assert not trial.killed
    assert "breaks error KeyError" in trial.said


async def test_the_checks_of_others_do_not_count(declared):
    other = Check("echoes", "HB-2.1", "A trial.", echoes)
    trial = await tried(GOOD, [other], declared, {"HB-2.1": ""}, plant)
    assert (trial.killed, trial.said) == (False, "HB-1.1 has no check")


async def test_one_that_keeps_the_fake_from_starting_is_not_killed(declared):
    async def broken(name, *flags):
        raise CannotStart("it ended")

    trial = await tried(GOOD, [OWN], declared, {"HB-1.1": ""}, broken)
    assert (trial.killed, trial.said) == (False, "the fake does not even start: it ended")
