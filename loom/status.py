"""The table that turns every gRPC status into an error of Loom's own tree.

Only `loom.client` and `loom.sync` use it: nothing above them knows gRPC. Where two gRPC stacks name one
failure differently (oversize: RESOURCE_EXHAUSTED or OUT_OF_RANGE; malformed: UNKNOWN or INTERNAL), both
names stand for the same exception.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import grpc

from loom.codes import Code
from loom.errors import (
    BridgeError,
    BridgeUnavailable,
    CallCancelled,
    CapabilityNotFound,
    DeadlineExceeded,
    Overloaded,
    PermissionDenied,
    ProtocolError,
    RegistrationRefused,
    Unauthenticated,
    error_from_code,
)

if TYPE_CHECKING:
    from loom.errors import LoomError

__all__ = ["STATUSES", "Failed", "Meaning", "error_from_rpc", "error_from_status"]


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a status means to an agent; `{address}` in the sentence is the bridge's."""

    error: type[LoomError]
    code: Code
    sentence: str


class Failed(Protocol):
    """What both of gRPC's Python stacks offer of a failed call."""

    def code(self) -> grpc.StatusCode:
        """How it ended."""

    def details(self) -> str | None:
        """What the other side said about it."""


_STRANGER = "the server at {address} answers in a way no Loom bridge does: check the address and its version"
_TOO_MUCH = "more than the bridge at {address} takes: send less at a time, or try again later"
_GARBLED = "the bridge at {address} could not read the message, or failed over it: look into its log"
_GONE = (
    "no bridge answers at {address}: check the address, or start a bridge (`loom doctor` says what is found)"
)

STATUSES: dict[grpc.StatusCode, Meaning] = {
    grpc.StatusCode.OK: Meaning(
        BridgeUnavailable, Code.BRIDGE_UNAVAILABLE, "the bridge at {address} ended the stream: connect again"
    ),
    grpc.StatusCode.CANCELLED: Meaning(
        CallCancelled, Code.CANCELLED, "the call to {address} was given up: call again if it is still wanted"
    ),
    grpc.StatusCode.UNKNOWN: Meaning(ProtocolError, Code.INVALID_MESSAGE, _GARBLED),
    grpc.StatusCode.INVALID_ARGUMENT: Meaning(
        ProtocolError,
        Code.INVALID_MESSAGE,
        "the bridge at {address} refused the message: check the SDK's and the bridge's versions",
    ),
    grpc.StatusCode.DEADLINE_EXCEEDED: Meaning(
        DeadlineExceeded,
        Code.TIMEOUT,
        "the bridge at {address} did not answer in time: give it more time, or see whether it is frozen",
    ),
    grpc.StatusCode.NOT_FOUND: Meaning(
        CapabilityNotFound,
        Code.NOT_FOUND,
        "the bridge at {address} knows no such thing: check the name (`loom capabilities` lists them)",
    ),
    grpc.StatusCode.ALREADY_EXISTS: Meaning(
        RegistrationRefused, Code.INVALID_AGENT_ID, "the id is taken at {address}: choose another agent id"
    ),
    grpc.StatusCode.PERMISSION_DENIED: Meaning(
        PermissionDenied,
        Code.PERMISSION_DENIED,
        "the token does not allow this at {address}: ask for one that does",
    ),
    grpc.StatusCode.RESOURCE_EXHAUSTED: Meaning(Overloaded, Code.LIMIT_EXCEEDED, _TOO_MUCH),
    grpc.StatusCode.FAILED_PRECONDITION: Meaning(
        BridgeUnavailable,
        Code.NOT_REGISTERED,
        "the bridge at {address} does not know this agent: register again",
    ),
    grpc.StatusCode.ABORTED: Meaning(
        BridgeUnavailable,
        Code.BRIDGE_UNAVAILABLE,
        "the bridge at {address} broke the stream off: connect again",
    ),
    grpc.StatusCode.OUT_OF_RANGE: Meaning(Overloaded, Code.LIMIT_EXCEEDED, _TOO_MUCH),
    grpc.StatusCode.UNIMPLEMENTED: Meaning(ProtocolError, Code.INVALID_MESSAGE, _STRANGER),
    grpc.StatusCode.INTERNAL: Meaning(ProtocolError, Code.INVALID_MESSAGE, _GARBLED),
    grpc.StatusCode.UNAVAILABLE: Meaning(BridgeUnavailable, Code.BRIDGE_UNAVAILABLE, _GONE),
    grpc.StatusCode.DATA_LOSS: Meaning(ProtocolError, Code.INVALID_MESSAGE, _GARBLED),
    grpc.StatusCode.UNAUTHENTICATED: Meaning(
        Unauthenticated,
        Code.UNAUTHENTICATED,
        "the bridge at {address} wants a valid token: set LOOM_TOKEN, or token_env in loom.toml",
    ),
}


_LOST = "Internal error from Core"
"""What grpc.aio says, with INTERNAL, of a stream that was ended while something was written to it: why it was
ended is lost."""


def error_from_status(status: grpc.StatusCode, details: str, address: str) -> LoomError:
    """The error for a status.

    Args:
        status: how the call ended.
        details: what the other side, or gRPC itself, said about it.
        address: the bridge's.
    """
    told = _told_by_code(details, address)
    if told is not None:
        return told
    if status is grpc.StatusCode.INTERNAL and details.startswith(_LOST):
        status, details = grpc.StatusCode.ABORTED, ""
    meaning = STATUSES[status]
    sentence = meaning.sentence.format(address=address)
    said = _essence(details)
    return meaning.error(f"{sentence} [{said}]" if said else sentence, code=meaning.code)


def error_from_rpc(failed: Failed, address: str) -> LoomError:
    """The error for a call that failed, of either of gRPC's Python stacks."""
    return error_from_status(failed.code(), failed.details() or "", address)


def _told_by_code(details: str, address: str) -> LoomError | None:
    """What a bridge of ours says about the connection: details that begin with a code of the table."""
    code, colon, said = details.partition(": ")
    error = error_from_code(code, f"the bridge at {address} says: {said}", other=ProtocolError)
    return error if colon and isinstance(error, BridgeError) and error.code in set(Code) else None


def _essence(details: str) -> str:
    """What is worth showing of a status's details.

    gRPC's own connection errors nest their causes ("failed to connect to all addresses; last error:
    UNKNOWN: ipv4:...: connect: Connection refused (111)"); the last one says it.
    """
    if "WRONG_VERSION_NUMBER" in details:
        return "it did not answer in TLS: set LOOM_TLS=0 if it speaks none"
    if "Stream removed" in details or "Socket closed" in details:
        return "the connection was closed"
    if "last error:" in details:
        details = details.rpartition(": ")[2]
    said = " ".join(details.split())[:200]
    return "" if said == "OK" else said
