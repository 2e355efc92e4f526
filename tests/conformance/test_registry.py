import inspect

import pytest

from loom_conformance import registry
from loom_conformance.registry import check, load


@pytest.fixture
def empty(monkeypatch):
    monkeypatch.setattr(registry, "_CHECKS", {})


def test_a_check_is_registered_under_its_name(empty):
    @check("PUB-1.1", needs=["session"], clock="real", limits={"event_bytes": 3})
    async def something_is_tried(bench):
        """Says what
        it tries."""

    made = registry._CHECKS["something_is_tried"]
    assert made.body is something_is_tried
    assert (made.clause, made.summary, made.clock) == ("PUB-1.1", "Says what it tries.", "real")
    assert made.needs == ("control", "session")
    assert made.limits == {"event_bytes": 3}


def test_two_checks_cannot_share_a_name(empty):
    async def body(bench):
        """Tries."""

    check("PUB-1.1")(body)
    with pytest.raises(ValueError, match=r"two checks are named body, of PUB-1\.1 and PUB-1\.2"):
        check("PUB-1.2")(body)


def test_a_check_says_what_it_tries(empty):
    async def body(bench): ...

    with pytest.raises(ValueError, match="docstring"):
        check("PUB-1.1")(body)


def test_every_check_of_the_suite_is_found_and_can_be_awaited():
    checks = load()
    assert len(checks) > 100
    assert all(inspect.iscoroutinefunction(item.body) for item in checks)
    assert load() == checks
