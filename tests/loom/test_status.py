"""The table of statuses: every one, with the bridge's address and what to do."""

import grpc
import pytest

from loom.codes import Code
from loom.errors import BridgeUnavailable, LoomError, Overloaded, ProtocolError, Superseded
from loom.status import STATUSES, error_from_status

ADDRESS = "10.1.2.3:4567"


def test_every_status_is_in_the_table():
    assert set(STATUSES) == set(grpc.StatusCode)


@pytest.mark.parametrize("status", list(grpc.StatusCode))
def test_a_status_becomes_an_error_of_loom_that_names_the_bridge(status):
    error = error_from_status(status, "", ADDRESS)
    assert isinstance(error, LoomError)
    assert not isinstance(error, grpc.RpcError)
    assert ADDRESS in error.message
    assert ": " in error.message  # what happened: what to do
    assert error.code in set(Code)


@pytest.mark.parametrize("status", [grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.OUT_OF_RANGE])
def test_both_names_of_oversize_are_one_exception(status):
    assert type(error_from_status(status, "", ADDRESS)) is Overloaded


@pytest.mark.parametrize("status", [grpc.StatusCode.UNKNOWN, grpc.StatusCode.INTERNAL])
def test_both_names_of_malformed_are_one_exception(status):
    assert type(error_from_status(status, "", ADDRESS)) is ProtocolError


def test_what_grpc_says_is_cut_to_its_cause():
    details = (
        "failed to connect to all addresses; last error: UNKNOWN: ipv4:10.1.2.3:4567: "
        "Failed to connect to remote host: connect: Connection refused (111)"
    )
    error = error_from_status(grpc.StatusCode.UNAVAILABLE, details, ADDRESS)
    assert isinstance(error, BridgeUnavailable)
    assert error.message.endswith("[Connection refused (111)]")


def test_what_a_bridge_says_is_shown_on_one_line_and_bounded():
    error = error_from_status(grpc.StatusCode.INTERNAL, "a\nb" + "c" * 1000, ADDRESS)
    assert "a b" in error.message
    assert len(error.message) < 400


def test_a_code_that_the_bridge_puts_first_says_more_than_the_status():
    error = error_from_status(grpc.StatusCode.ABORTED, "SUPERSEDED: the newest wins", ADDRESS)
    assert isinstance(error, Superseded)
    assert error.message.startswith(f"the bridge at {ADDRESS} says: the newest wins. ")
    draining = error_from_status(grpc.StatusCode.UNAVAILABLE, "DRAINING: soon", ADDRESS)
    assert (type(draining), draining.code) == (BridgeUnavailable, "DRAINING")


@pytest.mark.parametrize("details", ["NEWS: what", "SUPERSEDED", "TIMEOUT: late", "LIMIT_EXCEEDED: too many"])
def test_other_words_do_not(details):
    error = error_from_status(grpc.StatusCode.RESOURCE_EXHAUSTED, details, ADDRESS)
    assert type(error) is Overloaded
    assert details in error.message


@pytest.mark.parametrize(
    ("details", "shown"),
    [
        ("OK", "`loom doctor` says what is found)"),
        ("Stream removed (Socket closed)", "[the connection was closed]"),
        (
            "last error: UNKNOWN: Tls handshake failed: SSL_ERROR_SSL: error:1:WRONG_VERSION_NUMBER: x: OK",
            "[it did not answer in TLS: set LOOM_TLS=0 if it speaks none]",
        ),
    ],
)
def test_what_only_grpc_understands_is_said_in_plain_words(details, shown):
    assert error_from_status(grpc.StatusCode.UNAVAILABLE, details, ADDRESS).message.endswith(shown)


def test_a_stream_that_ended_under_a_write_is_no_failure_of_the_bridge():
    error = error_from_status(grpc.StatusCode.INTERNAL, "Internal error from Core", "bridge:1")
    assert type(error) is BridgeUnavailable
    assert str(error) == "the bridge at bridge:1 broke the stream off: connect again"
