"""clauses.toml is read strictly: a slip never makes a clause vanish."""

from __future__ import annotations

import pytest

from loom_conformance.clauses import AREAS, ClausesError, find, load, read

GOOD = """
[[clause]]
id = "HB-1.1"
level = "MUST"
since = 1
feature = ""
text = "It echoes."
reason = "It must."

[[clause]]
id = "PUB-1.2"
level = "SHOULD"
since = 1
feature = "confirm"
text = "It counts `matched`."
reason = "So."
planned = true
"""


def test_clauses_are_read_in_order():
    first, second = read(GOOD, "f")
    assert (first.id, first.area, first.group, first.planned) == ("HB-1.1", "HB", "HB-1", False)
    assert (second.level, second.feature, second.planned, second.place[1:]) == (
        "SHOULD",
        "confirm",
        True,
        (1, 2),
    )


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('id = "HB-1.1"', 'id = "HB-1"', "f, clause HB-1: the id must be AREA-n.m"),
        ('id = "HB-1.1"', 'id = "XX-1.1"', "with one of the areas"),
        ('id = "HB-1.1"', 'id = "HB-1.01"', "the id must be AREA-n.m"),
        ('level = "MUST"', 'level = "must"', "HB-1.1: level is 'must'; there are MUST, SHOULD, MAY"),
        ('since = 1\nfeature = ""', 'since = 0\nfeature = ""', "since is a version"),
        ('since = 1\nfeature = ""', 'since = true\nfeature = ""', "since is True, which is not of type int"),
        ('feature = "confirm"', 'feature = "confrim"', "PUB-1.2: feature is 'confrim'; there are session"),
        ('text = "It echoes."', 'text = "It echoes"', "text must be whole sentences"),
        ('text = "It echoes."', 'text = "It  echoes."', "text must be whole sentences"),
        ('reason = "It must."', "", "HB-1.1: it lacks 'reason'"),
        ('reason = "It must."', 'reason = "It must."\nowner = "me"', "it has no key 'owner'"),
        ('id = "HB-1.1"', "", "f, clause number 1: it lacks 'id'"),
        ("planned = true", 'planned = "yes"', "planned is 'yes', which is not of type bool"),
        ('id = "PUB-1.2"', 'id = "HB-1.1"', "clause HB-1.1: it stands after HB-1.1"),
        ('id = "HB-1.1"', 'id = "PUB-1.3"', "clause PUB-1.2: it stands after PUB-1.3; clauses stand by area"),
        ('id = "HB-1.1"', 'id = "ACT-1.1"', "clause PUB-1.2: it stands after ACT-1.1"),
        ('"It counts `matched`."', '"It echoes."', "clause PUB-1.2: HB-1.1 says the same"),
        ('[[clause]]\nid = "HB', '[[klause]]\nid = "HB', "nothing else"),
        ("level =", "level", "f: "),
    ],
)
def test_a_slip_is_an_error_that_names_its_place(old: str, new: str, says: str):
    assert old in GOOD
    with pytest.raises(ClausesError) as raised:
        read(GOOD.replace(old, new, 1), "f")
    assert says in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_file_without_clauses_is_none():
    with pytest.raises(ClausesError, match="nothing else"):
        read("", "f")


def test_the_numbers_of_clauses_are_compared_as_numbers():
    assert [clause.id for clause in read(GOOD.replace("HB-1.1", "PUB-1.1").replace("1.2", "1.10"), "f")] == [
        "PUB-1.1",
        "PUB-1.10",
    ]


def test_the_suite_has_its_own():
    clauses = load()
    assert find().name == "clauses.toml"
    assert {clause.area for clause in clauses} <= set(AREAS)
    assert len(clauses) > 100
    assert all(
        clause.planned for clause in clauses if clause.feature in {"resume", "batch", "flow", "stream"}
    )
