"""A script of faults."""

from __future__ import annotations

import pytest

from loom_testing.faults import FaultError, Faults, Rules, UnfiredError
from tests.loom_testing.faults.messages import delivery, publish

TEXT = """
seed = 7

[[fault]]
do = "drop"
kind = "publish"
topic = "order.*"
nth = 2

[[fault]]
do = "delay"
seconds = 1.5
direction = "to_agent"
probability = 0.9
optional = true
"""


@pytest.fixture
def faults():
    return Faults(Rules())


def test_a_file(faults, tmp_path):
    path = tmp_path / "faults.toml"
    path.write_text(TEXT, encoding="utf-8")
    for source in path, str(path):
        script = faults.script(source)
        assert [str(fault) for fault in script.faults] == [
            "drop(kind='publish', topic='order.*', nth=2)",
            "delay(1.5, direction='to_agent', probability=0.9)",
        ]
        assert faults.seed == 7


def test_they_are_in_force_inside_their_with(faults):
    with faults.script(
        {"fault": [{"do": "drop", "nth": 2}, {"do": "duplicate", "kind": "delivery"}]}
    ) as script:
        assert faults.rules.in_force == script.faults
        assert faults.rules.judge(delivery()).copies == 2
        assert faults.rules.judge(publish()).copies == 0
    assert faults.rules.in_force == []


def test_the_first_that_never_fired_says_so_when_all_have_ended(faults):
    script = faults.script(
        {"fault": [{"do": "drop", "kind": kind} for kind in ("publish", "delivery", "ack")]}
    )
    with pytest.raises(UnfiredError, match=r"drop\(kind='delivery'\) never fired"), script:
        faults.rules.judge(publish())
    assert faults.rules.in_force == []


def test_a_test_that_fails_is_not_told_of_them(faults):
    with pytest.raises(KeyError), faults.script({"fault": [{"do": "drop"}]}):
        raise KeyError


def test_all_are_in_force_or_none(faults):
    script = faults.script({"fault": [{"do": "duplicate"}, {"do": "drop"}]})
    with pytest.raises(FaultError, match="contradicts"):
        script.start()
    assert faults.rules.in_force == []


def test_what_each_takes_first_has_a_name(faults):
    script = faults.script(
        {
            "fault": [
                {"do": "delay", "seconds": 2},
                {"do": "duplicate", "copies": 3},
                {"do": "reorder", "by": 2},
                {"do": "corrupt", "how": "garbage"},
                {"do": "slow", "bytes_per_second": 10},
                {"do": "fail", "status": "INTERNAL", "message": "no"},
                {"do": "fail", "message": "only this"},
                {"do": "disconnect", "when": "after", "kind": "publish"},
                {"do": "stall", "agent": "a"},
                {"do": "refuse", "message": "closed", "times": 1},
            ]
        }
    )
    effects = [str(fault.effect) for fault in script.faults]
    assert effects == [
        "Delay(seconds=2)",
        "Duplicate(copies=3)",
        "Reorder(by=2)",
        "Corrupt(how='garbage')",
        "Slow(bytes_per_second=10)",
        "Fail(status='INTERNAL', message='no', word='failed')",
        "Fail(status='UNAVAILABLE', message='only this', word='failed')",
        "Disconnect(when='after')",
        "Stall()",
        "Fail(status='UNAVAILABLE', message='closed', word='refused')",
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({}, r"the script has no fault: write \[\[fault\]\] and under it do = 'drop'"),
        ({"fault": {"do": "drop"}}, "has no fault"),
        ({"faults": []}, "the script has 'faults', and knows only seed and"),
        ({"fault": ["drop"]}, r"the script, fault 1: write it as a table, \[\[fault\]\]"),
        ({"fault": [{"do": "drop"}, {}]}, "the script, fault 2 has no do: write do = drop, delay"),
        ({"fault": [{"do": "melt"}]}, "fault 1 does 'melt': write do = drop"),
        ({"fault": [{"do": "rules"}]}, "fault 1 does 'rules'"),
        ({"fault": [{"do": ["drop"]}]}, r"fault 1 does \['drop'\]"),
        ({"fault": [{"do": "delay"}]}, r"fault 1: delay needs seconds = \.\.\."),
        ({"fault": [{"do": "delay", "seconds": 0}]}, r"fault 1: delay\(0\): give seconds"),
        (
            {"fault": [{"do": "drop", "wher": "x"}]},
            r"fault 1: drop\(wher=\.\.\.\): a fault has no 'wher', but agent",
        ),
        ({"fault": [{"do": "drop", "nth": 0}]}, "fault 1: nth=0: give a number from 1 on"),
        ({"fault": [{"do": "drop", "topic": ""}]}, "fault 1: topic='': say which"),
        (
            {"fault": [{"do": "drop", "seconds": 1}]},
            "a fault has no 'seconds'",
        ),
        ({"fault": [{"do": "drop", "self": 1}]}, "fault 1: drop does not take that"),
        ({"fault": [{"do": "drop", "where": "x"}]}, "fault 1: where= is for tests, a file has no functions"),
        ({"fault": [{"do": "drop", "kind": "letter"}]}, "fault 1: kind='letter': there is"),
        ({"fault": [{"do": "drop", "times": 0}]}, r"fault 1: drop\(times=0\) never fires"),
        ({"seed": "7", "fault": [{"do": "drop"}]}, "seed = '7' is no whole number"),
        ({"seed": True, "fault": [{"do": "drop"}]}, "seed = True is no whole number"),
    ],
)
def test_what_cannot_be_is_refused_and_says_where(faults, content, said):
    with pytest.raises(FaultError, match=said):
        faults.script(content)


def test_what_names_no_file(faults):
    with pytest.raises(FaultError, match=r"script\(3\): name a file of faults"):
        faults.script(3)


def test_a_file_that_is_not_there(faults, tmp_path):
    with pytest.raises(
        FaultError, match=r"none\.toml cannot be read \(No such file.*\): name a file of faults"
    ):
        faults.script(tmp_path / "none.toml")


@pytest.mark.parametrize("data", [b"do = ", b"\xff\xfe"])
def test_a_file_that_is_no_toml(faults, tmp_path, data):
    path = tmp_path / "faults.toml"
    path.write_bytes(data)
    with pytest.raises(FaultError, match=r"faults\.toml is no TOML: "):
        faults.script(path)
