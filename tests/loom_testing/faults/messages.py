"""Messages as they cross the wire, made by hand."""

from __future__ import annotations

from typing import Any

from loom.v1 import action_pb2, agent_pb2, event_pb2, stream_pb2
from loom_testing.faults import Direction, Fault, Rules, Which, WireMessage
from loom_testing.faults.effects import Drop, Effect
from loom_testing.faults.message import STREAM

__all__ = ["TO_AGENT", "TO_BRIDGE", "answer", "call", "delivery", "down", "fault", "publish", "up"]

TO_BRIDGE, TO_AGENT = Direction.TO_BRIDGE, Direction.TO_AGENT


def up(agent: str = "a", *, first: bool = False, **sent: Any) -> WireMessage:
    """Something that an agent sends on its stream."""
    data = stream_pb2.ClientEvent(**sent).SerializeToString()
    return WireMessage(TO_BRIDGE, STREAM, data, first, agent)


def down(agent: str = "a", **told: Any) -> WireMessage:
    """Something that an agent is sent on its stream."""
    return WireMessage(TO_AGENT, STREAM, stream_pb2.ServerEvent(**told).SerializeToString(), agent=agent)


def publish(topic: str = "t", type: str = "e", agent: str = "a") -> WireMessage:
    event = event_pb2.Event(id="1", type=type, payload=b"0123456789")
    return up(agent, publish=event_pb2.Publish(topic=topic, event=event))


def delivery(topic: str = "t", type: str = "e", agent: str = "a") -> WireMessage:
    return down(agent, delivery=event_pb2.Delivery(topic=topic, event=event_pb2.Event(id="1", type=type)))


def call(capability: str = "c", agent: str = "a", caller: str = "") -> WireMessage:
    request = action_pb2.ActionCall(capability=capability, headers={"x-agent-id": caller} if caller else {})
    return WireMessage(TO_BRIDGE, "ForwardAction", request.SerializeToString(), True, agent)


def answer(asked: WireMessage | None = None, agent: str = "a") -> WireMessage:
    data = action_pb2.ActionResult(id="1").SerializeToString()
    return WireMessage(TO_AGENT, "ForwardAction", data, True, agent, asked)


def register(agent: str = "a") -> WireMessage:
    data = agent_pb2.AgentRegisterRequest(agent_id=agent).SerializeToString()
    return WireMessage(TO_BRIDGE, "RegisterAgent", data, True)


def fault(rules: Rules, effect: Effect | None = None, name: str = "drop", /, **given: Any) -> Fault:
    """A fault; what is given is about which messages, or how often."""
    limits = {key: given.pop(key) for key in ("times", "probability", "optional") if key in given}
    return Fault(rules, name, Which(**given), effect or Drop(), **limits)
