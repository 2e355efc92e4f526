"""What a test says of its bridge."""

from __future__ import annotations

import pytest

from loom_testing.harness.control import NamespaceOptions
from loom_testing.harness.errors import HarnessError
from loom_testing.harness.marker import MARKER, options_of, said_by


def item(request: pytest.FixtureRequest, *markers: pytest.MarkDecorator) -> pytest.Item:
    """This test, with further markers; the first is the nearest."""
    node: pytest.Item = request.node
    for marker in reversed(markers):
        node.add_marker(marker, append=False)
    return node


def loom(**said) -> pytest.MarkDecorator:
    return pytest.mark.loom(**said)


def test_nothing_said(request):
    assert said_by(item(request)) == {}
    assert options_of(item(request)) == NamespaceOptions()


def test_the_nearest_wins(request):
    node = item(request, loom(clock="real", leaks=True), loom(clock="auto", deadline=5))
    assert said_by(node) == {"clock": "real", "leaks": True, "deadline": 5}


@pytest.mark.parametrize(
    ("said", "options"),
    [
        ({"clock": "virtual"}, NamespaceOptions()),
        ({"clock": "real"}, NamespaceOptions(virtual=False)),
        ({"clock": "auto"}, NamespaceOptions(auto=True)),
        ({"liveness": True}, NamespaceOptions(liveness=True)),
        ({"limits": {"max_agents": 2}}, NamespaceOptions(limits={"max_agents": 2})),
        ({"deadline": 5, "leaks": True, "faults": True, "process": True}, NamespaceOptions()),
    ],
)
def test_what_the_namespace_is_like(request, said, options):
    assert options_of(item(request, loom(**said))) == options


@pytest.mark.parametrize(
    ("said", "wrong"),
    [({"clock": "slow"}, "clock='slow'"), ({"fault": True}, "fault="), ({"seed": 3}, "seed=")],
)
def test_what_there_is_not(request, said, wrong):
    node = item(request, loom(**said))
    with pytest.raises(HarnessError) as caught:
        options_of(node)
    assert str(caught.value) == f"@pytest.mark.loom does not take {wrong}: {MARKER.partition(':')[0]}"


@pytest.mark.parametrize(
    "limits", [3, {"queue_events": -1}, {"queue_events": "1"}, {1: 1}, {"queue_events": True}]
)
def test_limits_that_are_none(request, limits):
    with pytest.raises(HarnessError, match="give whole numbers from 0 by the limits' names"):
        options_of(item(request, loom(limits=limits)))


@pytest.mark.parametrize("deadline", ["x", 0, -1, True, float("inf"), float("nan")])
def test_a_deadline_that_is_none(request, deadline):
    with pytest.raises(HarnessError, match="give seconds above 0"):
        said_by(item(request, loom(deadline=deadline)))


def test_something_without_its_name(request):
    node = item(request, pytest.mark.loom("real"))
    with pytest.raises(HarnessError, match=r"^@pytest\.mark\.loom takes names only: loom\(clock="):
        said_by(node)


def test_every_name_stands_in_its_text():
    form = MARKER.partition(":")[0]
    for name in ("clock", "liveness", "limits", "leaks", "deadline", "faults", "process"):
        assert f"{name}=" in form
