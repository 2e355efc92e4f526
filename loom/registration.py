"""What an agent tells the bridge about itself: its subscriptions and what it offers."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, cast

from loom.topics import replies_topic
from loom.v1 import agent_pb2

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from loom.v1 import action_pb2, event_pb2

__all__ = ["QoS", "Registration", "Subscription", "merged"]


class QoS(IntEnum):
    """What happens to a copy of an event when its subscriber cannot keep up (FLOW-1)."""

    REALTIME = 0
    """The oldest queued copy is dropped and counted; nobody waits."""
    BATCHED = 1
    """Never dropped: the publisher is slowed. The default."""
    BACKGROUND = 2
    """Never dropped, as batched; for work that may come late."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """One subscription.

    Attributes:
        topic: the pattern (PUB-2).
        types: only events of these types; none means every type.
        group: the queue group; each event goes to one of its members. Empty: plain.
        qos: None leaves it to the bridge, which takes BATCHED.
        observer: sees events without being counted as a receiver (PUB-9).
    """

    topic: str
    types: tuple[str, ...] = ()
    group: str = ""
    qos: QoS | None = None
    observer: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether a bridge of the base level knows all of it."""
        return not self.types and not self.group and self.qos is None and not self.observer

    def message(self) -> agent_pb2.Subscription:
        """The subscription on the wire."""
        return agent_pb2.Subscription(
            topic=self.topic,
            event_types=self.types,
            qos=None if self.qos is None else cast("event_pb2.QoSLevel.ValueType", int(self.qos)),
            group=self.group,
            observer=self.observer,
        )


@dataclass(frozen=True, slots=True)
class Registration:
    """What an agent registers.

    Attributes:
        agent_id: its id.
        subscriptions: what it hears.
        capabilities: what it offers.
        metadata: about it, for people and tools.
        echo: whether it receives what it publishes itself (PUB-1).
    """

    agent_id: str
    subscriptions: Sequence[Subscription] = ()
    capabilities: Sequence[action_pb2.CapabilityDescriptor] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)
    echo: bool = True

    def request(self, features: Iterable[str]) -> agent_pb2.AgentRegisterRequest:
        """The registration for a bridge that may speak `features`."""
        return agent_pb2.AgentRegisterRequest(
            agent_id=self.agent_id,
            subscribed_topics=[item.topic for item in self.subscriptions if item.is_plain],
            subscriptions=[item.message() for item in self.subscriptions if not item.is_plain],
            capabilities=self.capabilities,
            metadata=self.metadata,
            features=sorted(features),
            echo=None if self.echo else False,
        )

    def base_level_request(self) -> agent_pb2.AgentRegisterRequest:
        """The registration for a bridge that knows only topics.

        Filters are left to the agent itself; a group's member hears everything. Its replies topic is named
        too, for a bridge that does not subscribe agents to theirs.
        """
        topics = dict.fromkeys([*(item.topic for item in self.subscriptions), replies_topic(self.agent_id)])
        return agent_pb2.AgentRegisterRequest(
            agent_id=self.agent_id,
            subscribed_topics=topics,
            capabilities=self.capabilities,
            metadata=self.metadata,
        )


def merged(subscriptions: Iterable[Subscription]) -> tuple[Subscription, ...]:
    """One subscription per topic, group and role: types together, the strongest QoS.

    An agent may have several handlers for one topic; the bridge needs to hear of it once.
    """
    found: dict[tuple[str, str, bool], Subscription] = {}
    for item in subscriptions:
        key = (item.topic, item.group, item.observer)
        found[key] = _joined(found[key], item) if key in found else item
    return tuple(found.values())


def _joined(one: Subscription, other: Subscription) -> Subscription:
    types = tuple(dict.fromkeys(one.types + other.types)) if one.types and other.types else ()
    return Subscription(one.topic, types, one.group, _stronger(one.qos, other.qos), one.observer)


def _stronger(one: QoS | None, other: QoS | None) -> QoS | None:
    """The QoS that drops least; unset counts as BATCHED."""
    if one is None or other is None:
        known = one if other is None else other
        return known if known is QoS.BACKGROUND else None
    return max(one, other)
