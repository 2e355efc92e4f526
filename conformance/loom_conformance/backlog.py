"""`Backlog`: events that are surely still queued in the bridge, with its testing control or without."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from loom.v1 import event_pb2, stream_pb2
    from loom_conformance.bench import Bench
    from loom_conformance.stream import Stream

__all__ = ["BALLAST_EVENTS", "Backlog", "without_ballast"]

BALLAST = "ballast"
BALLAST_EVENTS = 100
"""More than a bridge has between its queue and the connection, as far as we know."""
BALLAST_BYTES = 8_000


class Backlog:
    """Fills what lies between the bridge's queue and a subscriber: what is published next stays queued.

    Where the bridge offers control, it is asked to hold its writes. Where not, the subscriber does not read,
    and ballast fills its connection, which should be a narrow one (`Bench.peer`); `without_ballast` leaves
    that out of what came.

    Args:
        bench: the check's.
        subscriber: whose events are to stay; it hears the topic.
        publisher: who publishes them; it hears nothing.
        topic: where.
        ballast: by so many events of it in any case, so that the connection is stuck as well.
    """

    def __init__(
        self, bench: Bench, subscriber: Stream, publisher: Stream, topic: str, *, ballast: int = 0
    ) -> None:
        self._bench = bench
        self._subscriber = subscriber
        self._publisher = publisher
        self._topic = topic
        self._controlled = "control" in bench.declared.features and not ballast
        self._ballast = ballast or BALLAST_EVENTS

    async def begin(self) -> None:
        """From now on the subscriber's events stay in the bridge; it must not read until `end`."""
        if self._controlled:
            await self._bench.control.hold(self._subscriber.agent_id)
            return
        for _ in range(self._ballast):
            await self._publisher.publish(self._topic, bytes(BALLAST_BYTES), type=BALLAST)
        await self._publisher.until_pong()

    async def publish(self, *payloads: bytes, **fields: Any) -> None:
        """Publishes these, and makes sure that the bridge has them; fields are those of the events."""
        for payload in payloads:
            await self._publisher.publish(self._topic, payload, **fields)
        await self._publisher.until_pong()

    async def end(self) -> None:
        """Lets the subscriber have them; without control it gets them by reading."""
        if self._controlled:
            await self._bench.control.release(self._subscriber.agent_id)


def without_ballast(events: Iterable[stream_pb2.ServerEvent]) -> list[event_pb2.Delivery]:
    """The deliveries among these that are no ballast."""
    return [
        event.delivery
        for event in events
        if event.WhichOneof("msg") == "delivery" and event.delivery.event.type != BALLAST
    ]
