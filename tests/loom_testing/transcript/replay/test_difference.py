"""How a difference reads."""

from __future__ import annotations

from loom_testing.transcript import Entry, Kind, Way
from loom_testing.transcript.replay import ReplayError
from loom_testing.transcript.replay.bindings import UNSET, Misfit
from tests.loom_testing.transcript.story import order


def publish(total: float) -> Entry:
    body = {"topic": "orders.priced", "event": {"payload": {"total": total}}}
    return Entry("shop", Way.SENT, Kind.MESSAGE, "publish", "EventStream", 1, body)


def test_a_report_shows_what_was_recorded_what_came_and_what_had_happened():
    error = ReplayError(
        "shop did something else (entry 3 of 9)",
        place=3,
        recorded=publish(12.5),
        came=publish(25.0),
        misfits=[Misfit("event.payload.total", 12.5, 25.0), Misfit("tags", UNSET, ["x"])],
        happened=order().transcript(),
    )
    lines = str(error).splitlines()
    assert lines[:6] == [
        "shop did something else (entry 3 of 9)",
        "  recorded publish orders.priced  {total: 12.5}",
        "  now      publish orders.priced  {total: 25.0}",
        "    event.payload.total: recorded 12.5, now 25.0",
        '    tags: recorded nothing, now ["x"]',
        "  what had happened:",
    ]
    assert "leaves  stopped" in lines[-2]


def test_a_report_of_little():
    assert str(ReplayError("shop did not do this", recorded=Entry("a", Way.SENT, Kind.RESET, rpc="X"))) == (
        "shop did not do this\n  recorded X given up"
    )


def test_many_differences_are_counted():
    misfits = [Misfit(f"f{number}", 1, 2) for number in range(20)]
    assert str(ReplayError("x", misfits=misfits)).splitlines()[-1] == "    and 8 more differences"


def test_no_line_is_longer_than_asked_for():
    error = ReplayError(
        "x", recorded=publish(1), misfits=[Misfit("f", "y" * 500, 2)], happened=order().transcript()
    )
    assert max(map(len, error.report(width=80).splitlines())) <= 110
    assert "\x1b[" in error.report(colour=True)


def test_a_report_as_data():
    error = ReplayError(
        "x", place=3, recorded=publish(1), misfits=[Misfit("a", 1, UNSET), Misfit("b", UNSET, 2)]
    )
    assert error.as_json() == {
        "summary": "x",
        "entry": 3,
        "recorded": publish(1).body,
        "came": None,
        "differences": [{"path": "a", "recorded": 1}, {"path": "b", "came": 2}],
    }
