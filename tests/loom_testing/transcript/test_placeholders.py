"""Placeholders: what is generated is known by its looks, and the same value is the same placeholder."""

from __future__ import annotations

import secrets
import string
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loom_testing.transcript.placeholders import Names, escape, is_placeholder, unescape


def bound(text: str) -> str:
    names = Names()
    names.identity("id", text)
    return names.text(text)


@pytest.mark.parametrize(
    "make",
    [
        lambda: uuid.uuid4().hex,
        lambda: str(uuid.uuid4()),
        lambda: str(uuid.uuid4()).upper(),
        lambda: secrets.token_hex(4),
        lambda: secrets.token_hex(16),
        lambda: f"{secrets.token_hex(8)}-17",
        lambda: "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(21)),
    ],
)
def test_generated_ids_are_bound_whole(make):
    for _ in range(200):
        assert bound(make()) == "${id:1}"


@pytest.mark.parametrize(
    "text", ["order-7", "probe", "researcher", "2026-01-02", "a.b.c", "shop:eu-west-1", "e"]
)
def test_names_that_people_give_are_kept(text: str):
    assert bound(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("worker:3f9a01bc", "worker:${id:1}"),
        ("agent.worker:3f9a01bc.replies", "agent.worker:${id:1}.replies"),
        ("test-3f9a01bc77aa", "test-${id:1}"),
    ],
)
def test_of_a_name_with_a_generated_end_only_that_is_replaced(text: str, shown: str):
    assert bound(text) == shown


def test_the_same_value_is_the_same_placeholder_everywhere():
    names = Names()
    one, two = uuid.uuid4().hex, uuid.uuid4().hex
    for value in (one, two, one):
        names.identity("event", value)
    assert names.json({one: [two, f"about {one}."]}) == {"${event:1}": ["${event:2}", "about ${event:1}."]}


def test_the_first_kind_wins():
    names = Names()
    value = uuid.uuid4().hex
    names.identity("event", value)
    names.identity("thread", value)
    assert names.text(value) == "${event:1}"


def test_numbers_are_known_by_their_kind_and_value():
    names = Names()
    numbers = [
        names.number("epoch", 7),
        names.number("epoch", 8),
        names.number("time", 7),
        names.number("epoch", 7),
    ]
    assert numbers == ["${epoch:1}", "${epoch:2}", "${time:1}", "${epoch:1}"]


def test_no_part_of_a_longer_word_is_replaced():
    names = Names({"abcd": "check"})
    assert names.text("abcd abcde xabcd abcd-1") == "${check:1} abcde xabcd ${check:1}-1"


def test_of_two_that_fit_the_longer_one_is_replaced():
    names = Names()
    names.whole("call", "6123abcd-1")
    names.whole("call", "6123abcd-12")
    assert names.text("6123abcd-12 6123abcd-1") == "${call:2} ${call:1}"


def test_only_what_is_surely_generated_is_bound_in_any_text():
    names = Names()
    text = f"order 12345678 of {uuid.uuid4()} is deadbeef"
    names.anywhere(text)
    assert names.text(text) == "order 12345678 of ${id:1} is deadbeef"


@given(st.text(alphabet="${}:$ab1 "))
def test_what_was_there_before_never_reads_as_a_placeholder(text: str):
    assert not is_placeholder(escape(text))
    assert unescape(escape(text)) == text


def test_what_is_a_placeholder():
    assert is_placeholder("${call:1}")
    assert is_placeholder("${redacted}")
    assert not is_placeholder("x${call:1}")
    assert not is_placeholder(5)
