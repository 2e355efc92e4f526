from typing import Any

from loom_conformance.target import Target


def test_what_goes_along_with_each_call():
    assert Target("h:1").metadata() == []
    assert Target("h:1").metadata("n") == [("loom-namespace", "n")]
    assert Target("h:1", token="t").metadata("n") == [
        ("loom-namespace", "n"),
        ("authorization", "Bearer t"),
    ]


def test_what_starts_a_bridge_is_not_shown():
    start: Any = list
    assert "list" not in repr(Target("h:1", start=start))
