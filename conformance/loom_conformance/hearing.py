"""What checks about events have in common: what each agent heard, what was refused, who is slowed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from loom.v1 import agent_pb2, event_pb2
from loom_conformance import expect
from loom_conformance.expect import Violation, shown

if TYPE_CHECKING:
    from loom.testing.v1 import control_pb2
    from loom.v1 import stream_pb2
    from loom_conformance.bench import Bench
    from loom_conformance.stream import Stream

__all__ = [
    "BACKGROUND",
    "BATCHED",
    "REALTIME",
    "agent_in",
    "heard",
    "payloads",
    "receipts",
    "refusal",
    "subscription",
    "waiting",
]

REALTIME = event_pb2.QOS_REALTIME
BATCHED = event_pb2.QOS_BATCHED
BACKGROUND = event_pb2.QOS_BACKGROUND


def subscription(topic: str, *event_types: str, **fields: Any) -> agent_pb2.Subscription:
    """A subscription with more than a topic; fields are `qos`, `group` and `observer`."""
    return agent_pb2.Subscription(topic=topic, event_types=event_types, **fields)


async def payloads(stream: Stream) -> list[bytes]:
    """The payloads of all that the bridge had for an agent, in order.

    Raises:
        Violation: something other than deliveries came.
    """
    return [delivery.event.payload for delivery in await stream.deliveries()]


async def heard(publisher: Stream, *subscribers: Stream) -> list[list[bytes]]:
    """What each subscriber heard, by payload, once all that the publisher sent was handled.

    Raises:
        Violation: something other than deliveries came.
    """
    if publisher not in subscribers:
        expect.nothing(await publisher.until_pong(), f"what {publisher.who} received for its publishes")
    return [await payloads(subscriber) for subscriber in subscribers]


async def refusal(publisher: Stream) -> stream_pb2.ServerEvent:
    """The one answer to what the publisher just sent.

    Raises:
        Violation: none or several came.
    """
    answers = await publisher.until_pong()
    if len(answers) != 1:
        raise Violation(f"the answers to {publisher.who}", "one err", shown(answers))
    return answers[0]


async def receipts(publisher: Stream) -> list[tuple[int, int, str]]:
    """The receipts that came: ref, matched, code. Deliveries are passed over.

    Raises:
        Violation: something other than these came.
    """
    found = []
    for event in await publisher.until_pong():
        kind = event.WhichOneof("msg")
        if kind == "receipt":
            found.append((event.receipt.ref, event.receipt.matched, event.receipt.code))
        elif kind != "delivery":
            raise Violation(f"what {publisher.who} received", "receipts only", shown(event))
    return found


# Full queues. These need control.


async def agent_in(bench: Bench, stream: Stream) -> control_pb2.AgentSnapshot:
    """What the bridge holds of an agent now.

    Raises:
        Violation: it does not know the agent.
    """
    found = await bench.control.agent(stream.agent_id)
    if found is None:
        raise Violation(f"the agent {stream.agent_id}", "it to be there", "it is not known")
    return found


async def waiting(bench: Bench, subscriber: Stream, copies: int, *, within: float = 3) -> None:
    """Waits until so many copies wait for room in the subscriber's queue.

    Raises:
        Violation: there are not so many in time.
    """

    async def so_many() -> bool:
        return (await agent_in(bench, subscriber)).waiting_events == copies

    await bench.eventually(so_many, f"that {copies} events wait for {subscriber.who}", within=within)
