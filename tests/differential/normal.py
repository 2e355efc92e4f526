"""What is made alike before the bridges are compared, and nothing else is.

A namespace counts its epochs, registrations and call ids from the moment it was made, and two bridges make
theirs at different moments. So these numbers are moved to the beginning that the case itself names: exactly,
not left out. The rest are words that belong to a bridge or to its gRPC library rather than to the protocol.
"""

from __future__ import annotations

import grpc
from google.protobuf.message import Message

from loom.codes import CODES
from loom.testing.v1 import control_pb2
from loom.v1 import action_pb2, agent_pb2
from loom.view.v1.view_pb2 import ServerEvent

__all__ = ["NORMALISED", "Beginning", "status_of"]

NORMALISED = {
    "epochs, registration numbers, ids of calls, clock readings": (
        "they count from the moment a namespace was made; compared exactly, as the distance from it"
    ),
    "name and version of the server": "two programs; the version of the protocol is compared",
    "the status that ends a message above the limit": (
        "RESOURCE_EXHAUSTED in one gRPC library, OUT_OF_RANGE in the other (LIM-1); "
        "that it ends the call, and only it, is compared"
    ),
    "the words of a status without a code of ours": (
        "they are the gRPC library's or the shell's; status, code and the engines' own sentences are compared"
    ),
    "order between streams": "what arrives on different streams has no order; on each stream it is compared",
    "order of map entries": "maps have none on the wire",
    "when something arrives": (
        "each operation settles before the next; what has not come after 10 s counts as missing"
    ),
}
"""What is not compared as it is, and why."""

NEAR = 1 << 49
"""Numbers so near to a namespace's beginning count from it: 17 years in microseconds. A case waits for
deadlines of at most 116 days each; numbers that somebody made up are much further away."""
OVERSIZE = {"RESOURCE_EXHAUSTED", "OUT_OF_RANGE"}


class Beginning:
    """Moves numbers between the beginning that a case names and that of a bridge's namespace."""

    def __init__(self, ours: int, theirs: int) -> None:
        self._ours = ours
        self._theirs = theirs
        self._our_ids = f"{ours:x}-"
        self._their_ids = f"{theirs:x}-"

    # To the bridge.

    def number_there(self, number: int) -> int:
        """A registration or an epoch, as the bridge counts it."""
        return _moved(number, self._ours, self._theirs)

    def id_there(self, text: str) -> str:
        """A call's id, as the bridge gave it."""
        return text.replace(self._our_ids, self._their_ids)

    # From the bridge.

    def number(self, number: int) -> int:
        """A registration, an epoch or a time, as the case counts it."""
        return _moved(number, self._theirs, self._ours)

    def text(self, text: str) -> str:
        """A text in which ids of calls may stand."""
        return text.replace(self._their_ids, self._our_ids)

    def server_event(self, data: bytes) -> bytes:
        """A message of a stream."""
        event = ServerEvent.FromString(data)
        match event.WhichOneof("msg"):
            case "welcome":
                event.welcome.epoch = self.number(event.welcome.epoch)
            case "err":
                event.err.message, event.err.ref = self.text(event.err.message), self.text(event.err.ref)
            case "action_call":
                event.action_call.id = self.text(event.action_call.id)
            case "action_cancel":
                event.action_cancel.id = self.text(event.action_cancel.id)
            case _:
                pass
        return event.SerializeToString(deterministic=True)

    def registered(self, response: agent_pb2.AgentRegisterResponse) -> bytes:
        """The answer to a registration."""
        response.registration = self.number(response.registration)
        if response.HasField("server"):
            response.server.name = response.server.version = ""
        return response.SerializeToString(deterministic=True)

    def result(self, result: action_pb2.ActionResult) -> bytes:
        """The answer to a call."""
        result.id = self.text(result.id)
        return result.SerializeToString(deterministic=True)

    def plain(self, message: Message) -> bytes:
        """A message in which nothing is counted."""
        return message.SerializeToString(deterministic=True)

    def snapshot(self, response: control_pb2.SnapshotResponse) -> bytes:
        """What a namespace holds."""
        response.now_us = self.number(response.now_us)
        for agent in response.agents:
            agent.registration, agent.epoch = self.number(agent.registration), self.number(agent.epoch)
        for call in response.calls:
            call.id = self.text(call.id)
        return response.SerializeToString(deterministic=True)


def _moved(number: int, source: int, target: int) -> int:
    return number - source + target if abs(number - source) < NEAR else number


def status_of(code: grpc.StatusCode, details: str, *, raw: bool) -> tuple[str, str]:
    """How a call ended: its status, and the engine's own sentence if it has one.

    Args:
        code: the status.
        details: its words.
        raw: whether bytes went into the call that may be too many.
    """
    if details.partition(":")[0] in CODES:
        return code.name, details
    if raw and code.name in OVERSIZE:
        return "OVERSIZE", ""
    return code.name, ""
