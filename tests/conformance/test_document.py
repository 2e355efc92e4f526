"""The JSON result: it comes back as it was, its schema is published, and what is none is refused."""

from __future__ import annotations

import json

import pytest

from loom_conformance.document import SCHEMA, DocumentError, dump, load, schema
from loom_conformance.result import FORMAT
from tests.conformance.made import bad, good


@pytest.mark.parametrize("result", [good(), bad()], ids=["good", "bad"])
def test_a_result_comes_back_as_it_was(result):
    assert load(dump(result), "r") == result


def test_the_published_schema_is_the_one_of_the_classes():
    assert json.loads(SCHEMA.read_text(encoding="utf-8")) == schema()


def test_the_schema_says_what_each_field_is():
    told = schema()
    for name, table in told["$defs"].items():
        for field, about in table.get("properties", {}).items():
            assert about.get("description"), f"{name}.{field}"
    assert told["additionalProperties"] is False
    assert told["$defs"]["CheckResult"]["required"] == ["check", "clause", "outcome"]


def test_everything_in_a_result_is_in_the_schema():
    told = schema()
    document = json.loads(dump(bad()))
    assert set(document) == set(told["properties"])
    assert {key for clause in document["clauses"] for key in clause} == set(
        told["$defs"]["ClauseResult"]["properties"]
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "r is not JSON"),
        ("[]", "r is no conformance result: it has no format"),
        ('{"a": 1}', "it has no format"),
        (json.dumps({"format": FORMAT + 1}), f"r has format {FORMAT + 1}; this version reads {FORMAT}"),
        (json.dumps({"format": FORMAT}), "r is no conformance result: verdict: Field required"),
        (dump(good()).replace('"passed"', '"perfect"'), "clauses.0.outcome: "),
        (dump(good()).replace('"seconds"', '"secs"'), "r is no conformance result: "),
    ],
)
def test_what_is_no_result_is_refused_in_one_line(text: str, says: str):
    with pytest.raises(DocumentError) as raised:
        load(text, "r")
    assert says in str(raised.value)
    assert "\n" not in str(raised.value)
