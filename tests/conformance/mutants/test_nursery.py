import signal

import pytest

from loom_conformance.declared import ask
from loom_conformance.program import CannotStart
from loom_conformance.target import Target
from mutants import nursery as nurseries
from mutants.mutant import load
from mutants.nursery import Nursery
from mutants.planted import PLAIN

NAME = next(mutant.name for mutant in load() if mutant.clause == "HB-1.1")


async def test_each_bridge_has_a_process_of_its_own_and_can_be_signalled():
    async with Nursery() as nursery:
        one, other = await nursery.start(NAME), await nursery.start(NAME, PLAIN)
        assert one.pid != other.pid
        assert "control" in (await ask(Target(one.address))).features
        assert "control" not in (await ask(Target(other.address))).features
        one.signal(signal.SIGTERM)
        assert await one.wait(10) == 0
        one.signal(signal.SIGTERM)  # it has ended: nothing happens
        assert await other.wait(0) is None
    assert await other.wait(0) is not None  # it ends with the nursery


async def test_one_that_ends_at_once_says_why(monkeypatch):
    async with Nursery() as nursery:
        with pytest.raises(CannotStart, match=r"it ended; it said: (?s:.*)--no-such-flag"):
            await nursery.start(NAME, "--no-such-flag")
        planted = await nursery.start(NAME)
        await planted.close()
        assert await planted.wait(0) is not None


async def test_a_nursery_that_ends_has_no_bridges(monkeypatch):
    monkeypatch.setattr(nurseries, "COMMAND", ("-c", "print('no luck')"))
    async with Nursery() as nursery:
        with pytest.raises(CannotStart, match="the nursery ended; it said: no luck"):
            await nursery.start(NAME)
