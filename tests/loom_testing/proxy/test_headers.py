"""What of a call's metadata the proxy reads and writes."""

from __future__ import annotations

import grpc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loom_testing.faults.verdict import Status
from loom_testing.participants import Tag
from loom_testing.proxy.headers import (
    answer_of,
    found,
    metadata_of,
    namespace_of,
    replaced,
    status_of,
    tag_of,
    trailers_of,
)

HEADERS = [(b":path", b"/x"), (b"loom-namespace", b"n"), (b"a", b"1"), (b"a", b"2")]


def test_found():
    assert found(HEADERS, b"a") == b"1"
    assert found(HEADERS, b"b") is None


def test_replaced():
    assert replaced(HEADERS, b"a", b"3") == [*HEADERS[:2], (b"a", b"3")]
    assert replaced(HEADERS, b"a", None) == HEADERS[:2]
    assert replaced(HEADERS, b"b", b"3") == [*HEADERS, (b"b", b"3")]


def test_the_namespace():
    assert namespace_of(HEADERS) == "n"
    assert namespace_of([]) == "default"
    assert namespace_of([(b"loom-namespace", b"\xff")]) == "\ufffd"


@pytest.mark.parametrize(
    ("text", "tag"),
    [(b"me/7", Tag("me", 7)), (b"me", None), (b"me/0", None), (b"\xff/1", None), (b"", None)],
)
def test_the_participant(text, tag):
    assert tag_of([(b"loom-participant", text)]) == tag


def test_nobodys_call():
    assert tag_of(HEADERS) is None


def test_metadata_is_that_of_the_parties():
    own = [(b"loom-participant", b"me/1"), (b"key-bin", b"AAE"), (b"text", b"caf\xc3\xa9 \xff")]
    assert metadata_of([*HEADERS[:2], *own]) == [("key-bin", "AAE"), ("text", "café \ufffd")]


@given(st.sampled_from([code.name for code in grpc.StatusCode]), st.text())
def test_a_status_is_read_as_it_was_written(code, message):
    try:
        message.encode()
    except UnicodeEncodeError:
        return
    trailers = trailers_of(Status(code, message))
    assert status_of(trailers) == (code, message)
    assert all(0x20 <= byte <= 0x7E for _, value in trailers for byte in value)


def test_a_percent_sign_and_a_line_are_quoted_as_grpc_wants_it():
    assert found(trailers_of(Status("INTERNAL", "50 %\n")), b"grpc-message") == b"50 %25%0A"


def test_an_answer_that_is_only_trailers():
    assert answer_of(Status("INTERNAL", "no")) == [
        (b":status", b"200"),
        (b"content-type", b"application/grpc"),
        (b"grpc-status", b"13"),
        (b"grpc-message", b"no"),
    ]


@pytest.mark.parametrize("code", [None, b"", b"seven", b"99", b"-1"])
def test_a_status_that_is_none_is_unknown(code):
    headers = [] if code is None else [(b"grpc-status", code)]
    assert status_of(headers) == ("UNKNOWN", "")
