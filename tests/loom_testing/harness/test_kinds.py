"""Which bridges there are to choose from."""

from __future__ import annotations

import pytest

from loom_testing.harness.errors import BridgeChoiceError
from loom_testing.harness.kinds import KINDS, Kind, choose


class LaunchedError(Exception):
    """Raised by a kind's `launch`, to see that it was called."""


def launch():
    raise LaunchedError


def unwanted():
    pytest.fail("it was launched")


def test_the_kinds_are_those_of_the_option():
    assert list(KINDS) == ["fake", "memory", "rust", "docker"]


def test_a_kind_that_cannot_be_had_says_why(monkeypatch):
    monkeypatch.setitem(KINDS, "rust", Kind("rust", unwanted, lambda: "there is none here: build one"))
    with pytest.raises(BridgeChoiceError) as caught:
        choose("rust", "LOOM_TEST_BRIDGE")
    assert str(caught.value) == "LOOM_TEST_BRIDGE is rust: there is none here: build one"


def test_a_kind_that_can_be_had_is_launched_when_it_is_opened(monkeypatch):
    done = []
    monkeypatch.setitem(KINDS, "rust", Kind("rust", launch, prepare=lambda: done.append("prepared")))
    choice = choose("rust", "--loom-bridge")
    assert choice.text == "rust"
    assert done == []
    choice.prepare()
    assert done == ["prepared"]
    with pytest.raises(LaunchedError):
        choice.open()


@pytest.mark.parametrize(
    "text",
    ["", "fakes", "Fake", ":50051", "localhost:", "localhost:0", "localhost:65536", "localhost:x", "a:٣"],
)
def test_what_is_neither_a_kind_nor_an_address_is_refused(text):
    with pytest.raises(BridgeChoiceError) as caught:
        choose(text, "--loom-bridge")
    assert str(caught.value) == (
        f"--loom-bridge is {text!r}: choose fake, memory, rust, docker, or a bridge's HOST:PORT"
    )


@pytest.mark.parametrize("text", ["localhost:50051", "[::1]:1", "bridge.example.org:65535"])
def test_an_address_is_connected_to(text):
    host = choose(text, "--loom-bridge").open()
    assert host.address == text
    host.close()
