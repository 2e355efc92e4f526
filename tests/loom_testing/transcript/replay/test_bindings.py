"""What placeholders stand for in a replay."""

from __future__ import annotations

from datetime import datetime

import pytest

from loom_testing.transcript.replay.bindings import UNSET, Bindings, Misfit


def test_a_placeholder_fits_anything_once_and_then_only_that():
    bindings = Bindings()
    assert bindings.misfits({"id": "${event:1}"}, {"id": "abc"}) == []
    assert bindings.misfits("${event:1}", "abc") == []
    assert bindings.misfits("${event:1}", "other") == [Misfit("", "${event:1}", "other")]


def test_two_placeholders_never_stand_for_the_same():
    bindings = Bindings()
    assert bindings.misfits(["${event:1}", "${event:2}"], ["a", "a"]) == [Misfit("[1]", "${event:2}", "a")]
    assert bindings.misfits(["${event:1}", "${call:1}"], ["a", "a"]) == []


def test_what_does_not_fit_binds_nothing():
    bindings = Bindings()
    assert bindings.misfits({"id": "${event:1}", "n": 1}, {"id": "abc", "n": 2}) != []
    assert bindings.misfits("${event:1}", "other") == []


def test_learning_takes_what_fits():
    bindings = Bindings()
    bindings.learn({"id": "${event:1}", "n": 1}, {"id": "abc", "n": 2})
    assert bindings.value("${event:1}") == "abc"


def test_placeholders_within_texts():
    bindings = Bindings()
    assert bindings.misfits("agent.w:${agent:1}.replies", "agent.w:3f9a.replies") == []
    assert bindings.text("agent.w:${agent:1}.replies") == "agent.w:3f9a.replies"
    assert bindings.misfits("w:${agent:2}", "x:1") == [Misfit("", "w:${agent:2}", "x:1")]
    assert bindings.misfits("w:${agent:2}", 5) != []


@pytest.mark.parametrize(
    "recorded", ["${redacted}", "${time:1}", "${time:1.iso}", "${timeout:1}", "${bridge:name}"]
)
def test_what_nobody_can_know_fits_always(recorded: str):
    bindings = Bindings()
    assert bindings.misfits([recorded, recorded], [1, {"other": 2}]) == []


@pytest.mark.parametrize(
    ("recorded", "came", "path", "said"),
    [
        ({"a": {"b": [1, 2]}}, {"a": {"b": [1, 3]}}, "a.b[1]", (2, 3)),
        ({"a": 1}, {}, "a", (1, UNSET)),
        ({}, {"a": 1}, "a", (UNSET, 1)),
        ([1], [1, 2], "[1]", (UNSET, 2)),
        ([1, 2], [1], "[1]", (2, UNSET)),
        (1, True, "", (1, True)),
        (1, 1.0, "", (1, 1.0)),
        ("x", None, "", ("x", None)),
        ("${event:1}", {"a": 1}, "", ("${event:1}", {"a": 1})),
    ],
)
def test_where_two_differ(recorded: object, came: object, path: str, said: tuple[object, object]):
    assert Bindings().misfits(recorded, came) == [Misfit(path, *said)]


def test_names_may_be_placeholders():
    bindings = Bindings()
    assert bindings.misfits({"${id:1}": 1, "b": 2}, {"xyz": 1, "b": 2}) == []
    assert bindings.value({"${id:1}": 3}) == {"xyz": 3}


def test_what_only_looks_like_a_placeholder():
    bindings = Bindings()
    assert bindings.misfits("costs $${call:1}", "costs ${call:1}") == []
    assert bindings.value("costs $${call:1}") == "costs ${call:1}"


@pytest.mark.parametrize(
    "kind", ["event", "call", "id", "correlation", "thread", "agent", "namespace", "topic"]
)
def test_fresh_values_are_kept(kind: str):
    bindings = Bindings()
    assert bindings.value(f"${{{kind}:1}}") == bindings.value([f"${{{kind}:1}}"])[0]
    assert bindings.value(f"${{{kind}:1}}") != bindings.value(f"${{{kind}:2}}")


def test_fresh_values_of_their_kind():
    bindings = Bindings()
    assert bindings.value("${epoch:1}") == 0
    assert bindings.value("${producer:1}") > 0
    assert bindings.value("${timeout:1}") == 30_000
    assert bindings.value("${redacted}") == "redacted"
    assert len(bindings.value("${trace:1}").split("-")) == 4
    bindings.bind("epoch:1", 7)
    assert bindings.value("${epoch:1}") == 7


def test_times_are_written_as_they_were():
    bindings = Bindings()
    now = bindings.value("${time:1.s}")
    assert isinstance(now, int)
    assert isinstance(bindings.value("${time:1.sf}"), float)
    assert bindings.value("${time:1.ms}") // 1000 - now <= 1
    assert bindings.value("${time:1}") // 1000 - now <= 1
    assert bindings.value("${time:1.us}") // 10**6 - now <= 1
    assert bindings.value("${time:1.nsf}") // 10**9 - now <= 1
    assert abs(datetime.fromisoformat(bindings.value("${time:1.iso}")).timestamp() - now) <= 2
