"""Namespaces that are made ahead and reset together."""

from __future__ import annotations

import time as clock
from collections.abc import Callable

import pytest

from loom.errors import BridgeUnavailable
from loom_testing import FakeBridge
from loom_testing.engine.limits import Limits
from loom_testing.harness.beside import Beside
from loom_testing.harness.control import Control, NamespaceOptions
from loom_testing.harness.errors import HarnessError, NoControlError
from loom_testing.harness.spares import FRESH_S, MOST, Spares

PATIENCE = 20.0


class Asked(Control):
    """A control that notes what it is asked for: how many namespaces are made, and reset, by one call."""

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.made: list[int] = []
        self.ended: list[int] = []

    def create(self, namespace: str, *others: str, options: NamespaceOptions) -> int:
        self.made.append(1 + len(others))
        return super().create(namespace, *others, options=options)

    def reset(self, namespace: str, *others: str) -> None:
        self.ended.append(1 + len(others))
        super().reset(namespace, *others)


class OfBefore(Asked):
    """A control that speaks with a bridge which does not know that one call may name several."""

    def create(self, namespace: str, *others: str, options: NamespaceOptions) -> int:
        super().create(namespace, options=options)
        return 1

    def reset(self, namespace: str, *others: str) -> None:
        super().reset(namespace)


class Time:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def eventually(is_so: Callable[[], bool]) -> None:
    """Waits until it is so, and fails where that takes too long."""
    end = clock.monotonic() + PATIENCE
    while not is_so():
        assert clock.monotonic() < end


@pytest.fixture
def beside():
    loop = Beside()
    yield loop
    loop.close()


@pytest.fixture
def bridge(beside, request):
    bridge = FakeBridge(**getattr(request, "param", {"testing": True}))
    beside.wait_for(bridge.start())
    yield bridge
    beside.wait_for(bridge.stop())


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def control(bridge, request):
    control = getattr(request, "param", Asked)(bridge.address)
    yield control
    control.close()


@pytest.fixture
def spares(control, time):
    spares = Spares(control, lambda: False, now=time)
    yield spares
    spares.close()


@pytest.fixture
def there(bridge, beside):
    async def names() -> set[str]:
        return {driver.name for driver in bridge.namespaces}

    return lambda: beside.wait_for(names())


def test_a_run_makes_more_and_more_at_once(spares, control, there):
    taken = [spares.take() for _ in range(40)]
    assert len(set(taken)) == 40
    assert set(taken) <= there()
    spares.close()
    assert control.made == [1, 2, 4, *[MOST] * 5]
    assert there() == set(taken)  # those that nobody took are reset


def test_what_is_over_is_reset_with_others(spares, control, there):
    taken = [spares.take() for _ in range(40)]
    for name in taken[:-1]:
        spares.give_back(name)
    spares.close()
    assert control.ended[:-1] == [MOST] * 4
    assert there() == {taken[-1]}


def test_what_may_hold_something_is_reset_at_once(spares, control):
    taken = [spares.take() for _ in range(20)]
    spares.give_back(taken[0])
    assert control.ended == []
    spares.give_back(taken[1], at_once=True)
    spares.close()
    assert control.ended[0] == 2


def test_what_is_gone_already_is_fine(spares, there):
    name = spares.take()
    spares.give_back(name)
    spares.give_back(name, at_once=True)
    spares.close()
    assert there() == set()


def test_what_nobody_took_for_long_is_not_given_out(spares, time, there):
    before = [spares.take() for _ in range(4)]  # of 1, 2 and 4, of which 3 are left
    left = there() - set(before)
    time.now += FRESH_S + 1
    later = [spares.take() for _ in range(3)]
    assert not left & set(later)
    spares.close()
    assert there() == {*before, *later}


def test_what_was_just_asked_for_may_be_old_as_well(spares, time, there):
    first = spares.take()
    spares.make(NamespaceOptions())  # by now the next two are made
    time.now += FRESH_S + 1
    old = there() - {first}
    assert len(old) == 3
    assert spares.take() not in old


def test_options_are_of_one_alone(spares, control):
    real = spares.make(NamespaceOptions(virtual=False))
    with pytest.raises(HarnessError, match="runs on the real clock"):
        control.advance(real, 1)
    with pytest.raises(HarnessError, match="no_such_limit"):
        spares.make(NamespaceOptions(limits={"no_such_limit": 1}))


@pytest.mark.parametrize("bridge", [{"testing": True, "limits": Limits(namespaces=4)}], indirect=True)
def test_a_bridge_that_takes_few(spares, control, there):
    for _ in range(30):
        spares.give_back(spares.take())
    spares.close()
    assert there() == set()
    taken = [control.create(f"mine-{number}", options=NamespaceOptions()) for number in range(4)]
    assert taken == [1] * 4
    with pytest.raises(HarnessError, match="has 4 namespaces and takes 4 at the most"):
        control.create("mine-5", options=NamespaceOptions())


@pytest.mark.parametrize("bridge", [{"testing": True, "limits": Limits(namespaces=7)}], indirect=True)
def test_what_is_held_here_is_given_up_for_what_is_needed(spares, control, there):
    for _ in range(3):
        spares.give_back(spares.take())
    eventually(lambda: len(there()) == 5)  # one is over, and four are made ahead
    others = ["of-another", "of-another-too"]
    for name in others:
        control.create(name, options=NamespaceOptions())
    for _ in range(6):
        real = spares.make(NamespaceOptions(virtual=False))
        spares.give_back(real, at_once=True)
    control.reset(*others)
    assert spares.take() in there()


@pytest.mark.parametrize("bridge", [{"testing": True, "limits": Limits(namespaces=1)}], indirect=True)
def test_what_could_not_be_made_ahead_may_be_made_later(spares, control, there):
    spares.give_back(spares.take(), at_once=True)
    assert spares.take() in there()
    assert control.made[:4] == [1, 2, 1, 1]


def test_what_a_bridge_before_made_is_not_given_out(beside, time):
    bridge = FakeBridge(testing=True)
    beside.wait_for(bridge.start())
    control = Control(bridge.address)
    spares = Spares(control, lambda: False, now=time)
    for _ in range(4):  # three more are ready
        spares.take()
    spares.make(NamespaceOptions())  # they are made by now
    beside.wait_for(bridge.stop(0))
    eventually(lambda: control.losses == 1)
    again = FakeBridge(testing=True, port=int(bridge.address.rpartition(":")[2]))
    beside.wait_for(again.start())

    async def names() -> set[str]:
        return {driver.name for driver in again.namespaces}

    def takes() -> bool:
        try:
            return spares.take() in beside.wait_for(names())
        except BridgeUnavailable:  # gRPC connects again in its own time
            return False

    eventually(takes)
    assert control.losses == 1
    beside.wait_for(again.stop(0))
    eventually(lambda: control.losses == 2)  # that the bridge was back was noticed, and its end as well
    spares.close()
    control.close()


@pytest.mark.parametrize("control", [OfBefore], indirect=True)
def test_a_bridge_that_knows_of_one_at_a_time(spares, control, there):
    taken = [spares.take() for _ in range(10)]
    assert set(taken) <= there()
    for name in taken:
        spares.give_back(name)
    spares.close()
    assert there() == set()
    assert set(control.made) == {1}


@pytest.mark.parametrize("bridge", [{"testing": False}], indirect=True)
def test_without_control_there_are_none(spares):
    for _ in range(2):
        with pytest.raises(NoControlError, match="was not started for testing"):
            spares.take()


def test_nobody_is_there():
    control = Control("127.0.0.1:1")
    spares = Spares(control, lambda: True)
    with pytest.raises(BridgeUnavailable):
        spares.take()
    spares.give_back("mine", at_once=True)  # nothing can be reset there, and need not
    spares.close()
    control.close()
