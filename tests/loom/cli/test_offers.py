"""What can be called, told in one line."""

from __future__ import annotations

from loom.cli.offers import find_offer, nearest, schema_of, signature
from loom.v1.action_pb2 import CapabilityDescriptor

OFFERS = [
    CapabilityDescriptor(name="web.search", version="1.0", metadata={"input_schema": '{"type": "object"}'}),
    CapabilityDescriptor(name="web.search", version="2.0", metadata={"input_schema": "{"}),
    CapabilityDescriptor(name="sum", metadata={"input_schema": "[]"}),
]


def test_an_offer_by_name_and_version() -> None:
    assert find_offer(OFFERS, "web.search") is OFFERS[0]
    assert find_offer(OFFERS, "web.search", "2.0") is OFFERS[1]
    assert find_offer(OFFERS, "web.search", "3.0") is None


def test_a_schema_that_is_none_is_empty() -> None:
    assert schema_of(OFFERS[0]) == {"type": "object"}
    assert [schema_of(each) for each in (OFFERS[1], OFFERS[2], None)] == [{}, {}, {}]
    assert schema_of(OFFERS[0], "output_schema") == {}
    assert schema_of(CapabilityDescriptor(name="deep", metadata={"input_schema": "[" * 100_000})) == {}


def test_the_nearest_name() -> None:
    assert nearest(OFFERS, "web.serch") == "web.search"
    assert nearest(OFFERS, "quite.else") is None


def test_signatures() -> None:
    schema = {"properties": {"a": {}, "b": {"default": "x"}, "c": {"default": None}}, "required": ["a"]}
    assert signature(schema) == 'a b="x" [c]'
    assert signature({}) == ""
