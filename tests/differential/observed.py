"""What is observed of a bridge in one step, in a form that can be compared and shown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from google.protobuf import text_format

from loom.testing.v1 import control_pb2
from loom.v1 import action_pb2, agent_pb2, stream_pb2
from loom.view.v1 import view_pb2

__all__ = ["ANSWER", "Observed"]

ANSWER = "answer"
"""The place of what is answered to the step itself."""

_KINDS: dict[str, Any] = {
    "RegisterAgent": agent_pb2.AgentRegisterResponse,
    "ForwardAction": action_pb2.ActionResult,
    "Heartbeat": stream_pb2.HeartbeatResponse,
    "ListCapabilities": action_pb2.ListCapabilitiesResponse,
    "Snapshot": control_pb2.SnapshotResponse,
    "message": view_pb2.ServerEvent,
}


@dataclass(slots=True)
class Observed:
    """At each place (a stream, a call, the answer) what came, in order: kind and content."""

    at: dict[str, list[tuple[Any, ...]]] = field(default_factory=dict)

    def add(self, place: str, *what: Any) -> None:
        """One thing more."""
        self.at.setdefault(place, []).append(what)

    def told(self) -> dict[str, list[str]]:
        """The same for people."""
        return {place: [_shown(*what) for what in things] for place, things in self.at.items()}


def _shown(kind: str, *rest: Any) -> str:
    if len(rest) == 1 and isinstance(rest[0], bytes) and kind in _KINDS:
        text = text_format.MessageToString(_KINDS[kind].FromString(rest[0]), as_one_line=True)
        return text or f"{kind} (empty)"
    return " ".join([kind, *_words(rest)])


def _words(rest: Iterable[Any]) -> list[str]:
    return [str(item) for item in rest if item != ""]
