"""A bridge that was named."""

from loom.config import Settings
from loom.endpoint import TLS, Endpoint
from loom.runtime.named import find


def test_nothing_named_is_nothing_found():
    assert find(Settings(), None) is None


def test_an_address_given_by_the_program_keeps_what_else_is_set():
    named = Settings(endpoint=Endpoint("set:1", "space", "token", TLS()))
    assert find(named, "given:2").endpoint == Endpoint("given:2", "space", "token", TLS())
    assert find(Settings(namespace="space"), "given:2").endpoint == Endpoint("given:2", "space")


def test_the_reason_says_where_it_was_named():
    assert find(Settings(endpoint=Endpoint("h:1"), reason="because"), None).reason == "because"
    assert find(Settings(), Endpoint("h:1")).reason == "given by the program"
