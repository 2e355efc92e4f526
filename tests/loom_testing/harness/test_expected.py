"""Which events a probe's expectation fits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import Enum
from unittest.mock import ANY

import pytest
from pydantic import BaseModel

from loom.errors import DefinitionError, PayloadError
from loom_testing.harness.errors import HarnessError
from loom_testing.harness.expected import UNSET, Expected, Misfit
from loom_testing.harness.steps import expected_event
from tests.loom_testing.harness.agents import event


class Colour(Enum):
    RED = "red"


class Hit(BaseModel):
    title: str
    score: float = 0.5


@dataclass
class Seat:
    row: int
    day: date


def paths(expected: Expected, payload) -> list[str]:
    return [misfit.path for misfit in expected.misfits(event("a.b", payload))]


@pytest.mark.parametrize(
    ("expected", "fits"),
    [
        (Expected(), True),
        (Expected("a.b"), True),
        (Expected("a.*"), True),
        (Expected("a.c"), False),
        (Expected(type="a.b"), True),
        (Expected(type="other"), False),
        (Expected(sender="writer"), True),
        (Expected(sender="reader"), False),
        (Expected(where=lambda event: event.topic.endswith("b")), True),
        (Expected(where=lambda event: False), False),
    ],
)
def test_what_is_not_said_fits_anything(expected, fits):
    assert (expected.misfits(event("a.b", {"n": 1})) == []) is fits


@pytest.mark.parametrize(
    ("wanted", "got"),
    [
        ({}, {"n": 1}),
        ({"n": 1}, {"n": 1, "m": 2}),
        ({"deep": {"n": 1}}, {"deep": {"n": 1, "m": 2}}),
        ({"list": [{"n": 1}]}, {"list": [{"n": 1, "m": 2}]}),
        ({"n": ANY}, {"n": {"any": "thing"}}),
        ({"n": pytest.approx(0.3)}, {"n": 0.1 + 0.2}),
        ({"n": 1}, {"n": 1.0}),
        ([1, 2], [1, 2]),
        ((1, 2), [1, 2]),
        ("text", "text"),
        (None, None),
        (Hit(title="x"), {"title": "x", "score": 0.5}),
        (Seat(3, date(2026, 1, 2)), {"row": 3, "day": "2026-01-02"}),
        ({"hit": Hit(title="x")}, {"hit": {"title": "x", "score": 0.5}}),
        ({"colour": Colour.RED}, {"colour": "red"}),
        (b"\xff\x00", b"\xff\x00"),
    ],
)
def test_a_payload_that_fits(wanted, got):
    assert paths(Expected(payload=wanted), got) == []


@pytest.mark.parametrize(
    ("wanted", "got", "path"),
    [
        ({"n": 1}, {"m": 1}, "payload.n"),
        ({"deep": {"n": 1}}, {"deep": {"n": 2}}, "payload.deep.n"),
        ({"list": [1, {"n": 1}]}, {"list": [1, {"n": 2}]}, "payload.list[1].n"),
        ({"list": [1]}, {"list": [1, 2]}, "payload.list[1]"),
        ({"list": [1, ANY]}, {"list": [1]}, "payload.list[1]"),
        ({"list": [1, {"n": 1}]}, {"list": [1]}, "payload.list[1]"),
        ({"n": 1}, {"n": True}, "payload.n"),
        ({"n": 1}, [1], "payload"),
        ({"n": 1}, None, "payload"),
        (None, {"n": 1}, "payload"),
        ("text", b"text", "payload"),
    ],
)
def test_a_payload_that_does_not_fit_says_where(wanted, got, path):
    assert paths(Expected(payload=wanted), got) == [path]


def test_what_is_missing_is_not_the_same_as_null():
    (misfit,) = Expected(payload={"n": None}).misfits(event("a.b", {}))
    assert misfit == Misfit("payload.n", None, UNSET)


def test_the_predicate_is_asked_only_when_all_else_fits():
    expected = Expected("a.c", where=lambda event: pytest.fail("it was asked"))
    assert [misfit.path for misfit in expected.misfits(event("a.b"))] == ["topic"]


def test_a_matcher_may_stand_in_a_dataclass():
    expected = Expected(payload={"seats": [Seat(ANY, date(2026, 1, 2))]})
    assert paths(expected, {"seats": [{"row": 7, "day": "2026-01-02"}]}) == []
    assert paths(expected, {"seats": [{"row": 7, "day": "2026-01-03"}]}) == ["payload.seats[0].day"]


def test_what_can_neither_be_sent_nor_compared_is_refused():
    with pytest.raises(PayloadError):
        Expected(payload=Hit.model_construct(title=object()))


def test_a_predicate_that_raises_is_told_with_the_event():
    expected = Expected(where=lambda found: found.json()["no such"])
    with pytest.raises(HarnessError, match=r"where= raised KeyError: 'no such'; for the event a\.b {'x': 1}"):
        expected.misfits(event("a.b", {"x": 1}))


def test_a_predicate_is_a_function():
    with pytest.raises(HarnessError, match="where='x' is no function"):
        expected_event(">", UNSET, None, None, "x", {})  # type: ignore[arg-type]  # as users do


def test_a_malformed_topic_is_refused():
    with pytest.raises(DefinitionError, match=r"'a\.\.b' is not a topic to expect"):
        Expected("a..b")


def test_it_says_in_one_line_what_it_looks_for():
    expected = Expected("a.*", "t", "writer", {"n": 1}, lambda event: True)
    assert str(expected) == "a.*, type='t', sender='writer', payload {'n': 1}, where(...)"
    assert str(Expected()) == ">"
