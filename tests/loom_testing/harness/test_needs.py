"""What a test's bridge must be able to do, found in the test's own code."""

from __future__ import annotations

import functools
from types import SimpleNamespace
from typing import Any

import pytest

from loom_testing.harness.needs import FAULTS, PROCESS, used_by

loom_bridge: Any = SimpleNamespace()
"""What the functions below speak of; none of them is called."""
BOTH = {FAULTS, PROCESS}


class Item:
    """A test, its class, and its fixtures."""

    def __init__(self, function: Any, cls: type | None = None, **fixtures: Any) -> None:
        self.function = function
        self.cls = cls
        definitions = {name: [SimpleNamespace(func=fixture)] for name, fixture in fixtures.items()}
        self._fixtureinfo = SimpleNamespace(name2fixturedefs=definitions)


def used(function: Any, **fixtures: Any) -> set[str]:
    return used_by(Item(function, **fixtures))


def plain(loom_bridge):
    loom_bridge.run()
    return loom_bridge.snapshot()


def injecting(loom_bridge):
    with loom_bridge.faults.drop():
        pass


def killing(loom_bridge):
    loom_bridge.process.kill()


async def both(loom_bridge):
    bridge = loom_bridge.sync
    bridge.faults.drop()
    await loom_bridge.process.kill()


def in_sync(loom_bridge):
    loom_bridge.sync.faults.drop()


def of_a_member(self):
    self.bridge.faults.drop()


def in_a_function_of_it(loom_bridge):
    def inner():
        return [loom_bridge.faults.drop() for _ in range(3)]

    return inner


def in_another_function(loom_bridge):
    return injecting(loom_bridge)


def round_and_round(loom_bridge):
    round_and_round(loom_bridge)
    killing(loom_bridge)


def of_something_else(result):
    result.faults.clear()
    result.process()
    return result.bridge


def under_another_name(loom_bridge):
    other = loom_bridge
    other.run()
    other.process.kill()
    return other.faults


def under_a_name_of_sync(loom_bridge):
    b = loom_bridge.sync
    return b.faults


def under_a_name_that_is_another_by_now(loom_bridge, result):
    b = loom_bridge
    b.run()
    b = result
    return b.faults


def under_any_name(anything):
    anything.faults.script("faults.toml")


@pytest.mark.parametrize(
    ("function", "found"),
    [
        (plain, set()),
        (injecting, {FAULTS}),
        (killing, {PROCESS}),
        (both, BOTH),
        (in_sync, {FAULTS}),
        (of_a_member, {FAULTS}),
        (in_a_function_of_it, {FAULTS}),
        (in_another_function, {FAULTS}),
        (round_and_round, {PROCESS}),
        (of_something_else, set()),
        (under_another_name, BOTH),
        (under_a_name_of_sync, {FAULTS}),
        (under_a_name_that_is_another_by_now, set()),
        (under_any_name, {FAULTS}),
        (len, set()),
    ],
)
def test_what_its_code_takes_of_a_bridge(function, found):
    assert used(function) == found


def test_methods():
    class Tests:
        def one(self, loom_bridge):
            loom_bridge.faults.drop()

        @staticmethod
        def two(loom_bridge):
            loom_bridge.process.kill()

        @classmethod
        def three(cls, loom_bridge):
            loom_bridge.process.kill()

    assert used(Tests().one) == {FAULTS}
    assert used(Tests.two) == used(Tests.three) == {PROCESS}


def test_methods_of_its_class_that_it_calls():
    class Tests:
        def one(self, loom_bridge):
            self.helper(loom_bridge)

        def helper(self, it):
            it.faults.drop()

        def two(self, loom_bridge):
            self.still(loom_bridge)

        @staticmethod
        def still(bridge):
            bridge.process.kill()

        def three(self, loom_bridge):
            return self.looked_at

        @property
        def looked_at(self):
            raise AssertionError

    assert used_by(Item(Tests().one, Tests)) == {FAULTS}
    assert used_by(Item(Tests().two, Tests)) == {PROCESS}
    assert used_by(Item(Tests().three, Tests)) == set()


def test_what_is_wrapped_is_looked_into():
    @pytest.mark.parametrize("x", [1])
    def marked(loom_bridge, x):
        loom_bridge.faults.drop()

    @functools.wraps(marked)
    def wrapper(*args):
        return marked(*args)

    assert used(wrapper) == {FAULTS}


def test_its_fixtures():
    assert used(plain, stormy=injecting, other=killing) == BOTH


def test_the_fixtures_of_this_project_say_nothing():
    def ours(loom_bridge):
        loom_bridge.faults.drop()

    ours.__module__ = "loom_testing.plugin"
    assert used(plain, loom_bridge=ours) == set()


def test_a_function_with_very_many_names():
    """Then instructions are longer, and come in two parts."""
    many = "\n".join(f"    loom_bridge.name_{number}" for number in range(400))
    names: dict[str, Any] = {}
    exec(f"def long(loom_bridge):\n{many}\n    loom_bridge.faults.drop()\n", names)
    assert used(names["long"]) == {FAULTS}


def test_functions_of_other_modules_are_not_followed():
    names: dict[str, Any] = {"__name__": "elsewhere"}
    exec("def far(loom_bridge):\n    loom_bridge.faults.drop()\n", names)
    here: dict[str, Any] = {"far": names["far"], "__name__": "here"}
    exec("def near(loom_bridge):\n    far(loom_bridge)\n", here)
    assert used(here["near"]) == set()
