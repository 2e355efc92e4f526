"""The blocking client of the testing control."""

from __future__ import annotations

import pytest

from loom.errors import BridgeUnavailable
from loom_testing import FakeBridge
from loom_testing.harness.beside import Beside
from loom_testing.harness.control import Control, NamespaceOptions
from loom_testing.harness.errors import HarnessError, NoControlError


@pytest.fixture
def beside():
    loop = Beside()
    yield loop
    loop.close()


@pytest.fixture
def control(beside, request):
    bridge = FakeBridge(testing=getattr(request, "param", True))
    beside.wait_for(bridge.start())
    control = Control(bridge.address)
    yield control
    control.close()
    beside.wait_for(bridge.stop())


def test_a_namespace_from_its_beginning_to_its_end(control):
    control.create("mine", options=NamespaceOptions())
    snapshot = control.snapshot("mine")
    assert (snapshot.agents, snapshot.calls, snapshot.counters) == ({}, [], {})
    assert control.advance("mine", 0.5) == 0
    assert control.snapshot("mine").now == pytest.approx(snapshot.now + 0.5)
    control.reset("mine")
    with pytest.raises(HarnessError, match='there is no namespace "mine"'):
        control.snapshot("mine")
    control.reset("mine")


@pytest.mark.parametrize(
    ("use", "said"),
    [
        (lambda control: control.create("a..b", options=NamespaceOptions()), 'namespace "a..b"'),
        (lambda control: control.advance("mine", 400 * 86_400), "at most a year"),
        (lambda control: control.advance("nobody", 1), 'there is no namespace "nobody"'),
        (lambda control: control.disconnect("mine", "ghost"), 'has no agent "ghost"'),
    ],
)
def test_what_is_refused_says_why(control, use, said):
    control.create("mine", options=NamespaceOptions())
    with pytest.raises(HarnessError) as caught:
        use(control)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("control", [False], indirect=True)
def test_a_bridge_that_was_not_started_for_testing(control):
    for use in (
        lambda: control.create("mine", options=NamespaceOptions()),
        lambda: control.advance("mine", 1),
        lambda: control.snapshot("mine"),
        lambda: control.disconnect("mine", "agent"),
    ):
        with pytest.raises(
            NoControlError, match="was not started for testing: its clock and state are out of"
        ):
            use()
    control.reset("mine")


def test_nobody_is_there():
    control = Control("127.0.0.1:1")
    for use in (lambda: control.snapshot("mine"), lambda: control.reset("mine")):
        with pytest.raises(BridgeUnavailable):
            use()
    control.close()
