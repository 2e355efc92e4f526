"""Recordings for tests: a shop, its customers, and whatever may happen between them."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

from loom.v1 import action_pb2, agent_pb2, event_pb2, stream_pb2
from loom_testing.transcript import Recorder, Transcript, Way

STREAM = "EventStream"
BEGAN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class Story:
    """A recorder with the messages of a few agents. Each new one has other ids, epochs and times."""

    def __init__(self, seed: int = 0, **options: Any) -> None:
        self.now = 0
        self.seed = seed
        self.count = 0
        self.seqs: dict[str, int] = {}
        self.recorder = Recorder(clock=lambda: self.now, began=BEGAN, **options)

    def random(self) -> str:
        self.count += 1
        return uuid.uuid5(uuid.NAMESPACE_URL, f"{self.seed}/{self.count}").hex

    def number(self) -> int:
        return int(self.random()[:12], 16)

    def join(self, who: str, *topics: str, offers: tuple[str, ...] = (), **fields: Any) -> None:
        registration = self.number()
        request = agent_pb2.AgentRegisterRequest(
            agent_id=who,
            subscribed_topics=topics,
            capabilities=[action_pb2.CapabilityDescriptor(name=name) for name in offers],
            **fields,
        )
        self.recorder.sent(who, "RegisterAgent", request)
        answer = agent_pb2.AgentRegisterResponse(
            success=True,
            registration=registration,
            server=agent_pb2.ServerInfo(name="loom-testing", version="1.2", protocol="1.0"),
        )
        self.recorder.received(who, "RegisterAgent", answer)
        self.send(
            who,
            ack=stream_pb2.Ack(message_id=who, registration=registration, producer=self.number()),
        )
        self.recorder.headers(who, STREAM, way=Way.RECEIVED)
        self.receive(who, welcome=stream_pb2.Welcome(epoch=self.number()))

    def send(self, who: str, **message: Any) -> None:
        self.recorder.sent(who, STREAM, stream_pb2.ClientEvent(**message))

    def receive(self, who: str, **message: Any) -> None:
        self.recorder.received(who, STREAM, stream_pb2.ServerEvent(**message))

    def event(self, sender: str, payload: bytes = b"{}", **fields: Any) -> event_pb2.Event:
        metadata = {"loom.sender": sender, **fields.pop("metadata", {})}
        stamp = int(BEGAN.timestamp() * 1000) + self.count % 7
        return event_pb2.Event(
            id=self.random(), payload=payload, metadata=metadata, timestamp_ms=stamp, **fields
        )

    def publish(self, who: str, topic: str, event: event_pb2.Event, **fields: Any) -> None:
        self.send(who, publish=event_pb2.Publish(topic=topic, event=event, **fields))

    def deliver(self, who: str, topic: str, event: event_pb2.Event) -> None:
        self.seqs[who] = self.seqs.get(who, 0) + 1
        self.receive(who, delivery=event_pb2.Delivery(topic=topic, event=event, seq=self.seqs[who]))

    def receipt(self, who: str, ref: int, matched: int = 1, code: str = "") -> None:
        self.receive(who, receipt=stream_pb2.Receipt(ref=ref, matched=matched, code=code))

    def transcript(self, **options: Any) -> Transcript:
        return self.recorder.transcript(**options)


def order(seed: int = 0, **options: Any) -> Story:
    """A probe orders, the shop asks for a price and sends an invoice, the clock goes on, the shop leaves."""
    story = Story(seed, about="an order", virtual=True, **options)
    shop = f"shop:{story.random()[:8]}"
    story.join("probe", ">")
    story.join(shop, "orders.*")
    story.join("prices", offers=("price.quote",))
    thread = {"loom.thread_id": story.random()}
    new = story.event("probe", b'{"id":7,"sku":"A-1"}', metadata=thread)
    story.publish("probe", "orders.new", new, confirm=True, pub_seq=1)
    story.receipt("probe", 1)
    story.deliver(shop, "orders.new", new)
    asked = story.random()
    call = action_pb2.ActionCall(
        id=asked,
        capability="price.quote",
        payload=b'{"sku":"A-1"}',
        headers={"x-agent-id": shop, **thread},
        timeout_ms=29_000 + story.seed,
    )
    story.recorder.sent(shop, "ForwardAction", call)
    given = action_pb2.ActionCall()
    given.CopyFrom(call)
    given.id = f"{story.random()[:10]}-1"
    story.receive("prices", action_call=given)
    story.send("prices", action_result=action_pb2.ActionResult(id=given.id, output=b"12.5"))
    story.recorder.received(shop, "ForwardAction", action_pb2.ActionResult(id=asked, output=b"12.5"))
    priced = story.event(shop, b'{"id":7,"total":12.5}', metadata=thread)
    story.publish(shop, "orders.priced", priced)
    story.deliver("probe", "orders.priced", priced)
    story.now = 30_000_000
    story.recorder.advanced(30)
    story.send(shop, goodbye=stream_pb2.Goodbye(reason="stopped"))
    story.recorder.status(shop, STREAM, "OK")
    return story
