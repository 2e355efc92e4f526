"""Payloads: what one side encodes, the other decodes to the same value, or hears which field is wrong."""

import contextlib
import dataclasses
import datetime
import enum
import json
import math
import uuid
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from loom.errors import DefinitionError, InvalidInput, InvalidOutput, PayloadError
from loom.payload import adapter_for, decode_into, decode_json, encode_json, encode_payload, type_name

texts = st.text(st.characters(exclude_categories=["Cs"]))
numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
json_values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)


class Mood(enum.Enum):
    GOOD = "good"
    BAD = "bad"


class Hit(BaseModel):
    title: str
    score: float = Field(default=0.0, ge=0)


class Paper(BaseModel):
    id: uuid.UUID
    made: datetime.datetime
    mood: Mood = Mood.GOOD
    hits: list[Hit] = []
    kind: Literal["a", "b"] = "a"


@dataclasses.dataclass
class Point:
    x: int
    y: int = 0
    names: list[str] = dataclasses.field(default_factory=list)


@given(json_values)
def test_every_json_value_survives(value: Any) -> None:
    data = encode_payload(value)
    assert decode_json(data) == value
    assert decode_json(encode_json(value)) == value
    if value is not None:
        assert json.loads(data) == value  # plain JSON, which any other program reads


@given(st.binary())
def test_bytes_go_as_they_are(data: bytes) -> None:
    assert encode_payload(data) == encode_payload(bytearray(data)) == encode_payload(memoryview(data)) == data
    assert decode_into(data, bytes) == data


@given(texts)
def test_text_survives(text: str) -> None:
    assert decode_into(encode_payload(text), str) == text


@given(texts.filter(lambda text: not text.startswith('"')))
def test_foreign_text_is_taken_as_it_is(text: str) -> None:
    assert decode_into(text.encode(), str) == text


@given(st.binary(max_size=40))
def test_decoding_arbitrary_bytes_gives_a_value_or_a_payload_error(data: bytes) -> None:
    for decode in (decode_json, lambda data: decode_into(data, str), lambda data: decode_into(data, object)):
        with contextlib.suppress(PayloadError):
            decode(data)


@given(
    st.builds(
        Paper,
        id=st.uuids(),
        made=st.datetimes(),
        mood=st.sampled_from(Mood),
        hits=st.lists(st.builds(Hit, title=texts, score=st.floats(0, 10)), max_size=3),
        kind=st.sampled_from(["a", "b"]),
    )
)
def test_models_survive(paper: Paper) -> None:
    assert decode_into(encode_payload(paper), Paper) == paper
    assert decode_into(encode_payload([paper]), list[Paper]) == [paper]
    assert decode_into(encode_payload({"p": paper}), dict[str, Paper]) == {"p": paper}


@given(st.builds(Point, x=st.integers(), y=st.integers(), names=st.lists(texts)))
def test_dataclasses_survive(point: Point) -> None:
    assert decode_into(encode_payload(point), Point) == point


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("hello", '"hello"'),
        (True, "true"),
        (3, "3"),
        (Mood.BAD, '"bad"'),
        (datetime.date(2026, 1, 2), '"2026-01-02"'),
        ({"when": datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC)}, '{"when":"2026-01-02T00:00:00Z"}'),
        ((1, 2), "[1,2]"),
        ({"NaN": "Infinity"}, '{"NaN":"Infinity"}'),
        (Point(1), '{"x":1,"y":0,"names":[]}'),
    ],
)
def test_how_values_look(value: object, text: str) -> None:
    assert encode_payload(value) == text.encode()


def test_nothing_is_no_bytes() -> None:
    assert encode_payload(None) == b""
    assert encode_json(None) == b"null"
    assert decode_json(b"") is None
    assert decode_json(b"null") is None
    assert decode_into(b"", type(None)) is None
    assert decode_into(b"", int | None) is None


def _endless() -> Hit:
    return Hit(title="x", score=math.inf)


def _circle() -> list[Any]:
    circle: list[Any] = []
    circle.append(circle)
    return circle


@pytest.mark.parametrize(
    "value",
    [object(), {"a": [object()]}, "\ud800", {"b": b"\xff"}, _circle(), math.nan, [-math.inf], _endless()],
)
def test_what_is_not_json_is_refused(value: object) -> None:
    with pytest.raises(PayloadError, match="cannot be written as JSON") as caught:
        encode_payload(value)
    assert caught.value.code == "INVALID_PAYLOAD"
    assert "\n" not in caught.value.message


@pytest.mark.parametrize(
    "data", [b"{", b"hello", b"NaN", b'"\xff"', b'"\\ud800"', b"[" * 100_000, b"{} {}", b"\x00"]
)
def test_what_is_not_json_is_not_read(data: bytes) -> None:
    with pytest.raises(PayloadError, match="not JSON"):
        decode_json(data)
    with pytest.raises(PayloadError, match="not JSON"):
        decode_into(data, Paper)


def test_an_error_names_the_field() -> None:
    data = b'{"id": "x", "made": "2026-01-01T00:00:00", "hits": [{"title": "t", "score": -1}, {}]}'
    with pytest.raises(
        InvalidInput, match=r"the payload does not fit Paper: field 'id': .*and 2 more"
    ) as caught:
        decode_into(data, Paper)
    assert set(caught.value.details) == {"id", "hits.0.score", "hits.1.title"}
    assert caught.value.details["hits.1.title"] == "Field required"
    assert caught.value.path == "hits.0.score"


def test_an_error_does_not_show_the_value() -> None:
    with pytest.raises(InvalidInput) as caught:
        decode_into(b'{"x": "hunter2"}', Point)
    assert "hunter2" not in caught.value.message + str(caught.value.details)


def test_the_whole_may_be_at_fault() -> None:
    with pytest.raises(InvalidInput, match="the payload does not fit Paper: Input should be") as caught:
        decode_into(b"", Paper)
    assert list(caught.value.details) == [""]
    assert caught.value.path == ""


def test_an_answer_that_does_not_fit_is_another_error() -> None:
    with pytest.raises(InvalidOutput, match="the answer of search does not fit int"):
        decode_into(b'"x"', int, error=InvalidOutput, what="the answer of search")


def test_many_faults_are_not_all_told() -> None:
    with pytest.raises(InvalidInput, match="and 99 more") as caught:
        decode_into(encode_payload(["x"] * 100), list[int])
    assert len(caught.value.details) == 20


def test_several_faults_of_one_field_stand_together() -> None:
    with pytest.raises(InvalidInput) as caught:
        decode_into(b'{"x": []}', dict[str, Annotated[int, Field(strict=True)]])
    assert list(caught.value.details) == ["x"]


def test_text_that_is_not_utf8() -> None:
    with pytest.raises(PayloadError, match="take it as bytes"):
        decode_into(b"\xff", str)


def test_an_adapter_is_made_once() -> None:
    assert adapter_for(Paper) is adapter_for(Paper)
    assert adapter_for(Literal[1]) is not adapter_for(Literal[True])
    unhashable = Annotated[int, ["a list"]]
    assert adapter_for(unhashable).validate_python("1") == 1


def test_a_type_that_cannot_be_validated() -> None:
    class Strange:
        pass

    with pytest.raises(DefinitionError, match=r"Strange cannot be validated: .*use a Pydantic model"):
        adapter_for(Strange)
    with pytest.raises(DefinitionError, match="cannot be validated"):
        adapter_for("NoSuchName")


def test_names_of_types() -> None:
    assert type_name(Paper) == "Paper"
    assert type_name(list[int]) == "list[int]"
    assert type_name(Any) == "Any"
    assert type_name(int | None) == "int | None"
