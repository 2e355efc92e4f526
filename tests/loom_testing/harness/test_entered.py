"""What is made for an `async with`: entered, or told of."""

from __future__ import annotations

import gc

import pytest

from loom import Agent
from loom_testing.harness.entered import Entered
from loom_testing.harness.errors import WrongPlaceError
from loom_testing.harness.forgotten import Forgotten

AGENT = Agent("shop")


class Broken(Entered):
    """Something that cannot be made."""

    def __init__(self) -> None:
        raise LookupError("no")
        self._awaits_entering("it")


def made(bridge, name):
    """One of each, as a test makes it."""
    return {
        "run": lambda: bridge.run(AGENT),
        "probe": lambda: bridge.probe("p"),
        "stub_capability": lambda: bridge.stub_capability("c").returns(3),
        "clock.auto": bridge.clock.auto,
    }[name]()


@pytest.mark.parametrize("name", ["run", "probe", "stub_capability", "clock.auto"])
async def test_what_is_entered_is_not_told_of(loom_bridge, name):
    with Forgotten() as forgotten:
        async with made(loom_bridge, name):
            pass
    assert forgotten.noted == []


@pytest.mark.loom(leaks=True)
@pytest.mark.parametrize("name", ["run", "probe", "stub_capability", "clock.auto"])
def test_what_is_never_entered_is_told_of(loom_bridge, name):
    for bridge in (loom_bridge, loom_bridge.sync):
        with Forgotten() as forgotten:
            kept = made(bridge, name)
        assert kept
        (line,) = forgotten.noted
        assert line.startswith(f"loom_bridge.{name}(")
        assert "did nothing: write `async with loom_bridge." in line


@pytest.mark.loom(leaks=True)
@pytest.mark.parametrize("name", ["run", "probe", "stub_capability", "clock.auto"])
def test_what_was_made_for_another_test_is_that_ones_business(loom_bridge, name):
    with Forgotten() as other:
        left = [made(loom_bridge, name), made(loom_bridge.sync, name)]
    with Forgotten() as forgotten:
        left.clear()
        gc.collect()
    assert (len(other.noted), forgotten.noted) == (2, [])


@pytest.mark.parametrize("name", ["run", "probe", "stub_capability", "clock.auto"])
async def test_a_plain_with_says_what_to_write(loom_bridge, name):
    said = (
        rf"^loom_bridge\.{name}\(.*\) needs `async with`; in a plain test: with loom_bridge\.sync\.{name}\("
    )
    with Forgotten() as forgotten, pytest.raises(WrongPlaceError, match=said), made(loom_bridge, name):
        pass
    assert forgotten.noted == []


def test_what_could_not_be_made_is_not_told_of():
    with Forgotten() as forgotten, pytest.raises(LookupError):
        Broken()
    assert forgotten.noted == []
