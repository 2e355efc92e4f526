"""The view is the same wire: same numbers and types, the event as bytes; nothing is lost between the two."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given

from loom.v1 import event_pb2, stream_pb2
from loom.view.v1 import view_pb2
from tests.wire.generated import V1, kind, messages
from tests.wire.random_messages import random_messages

if TYPE_CHECKING:
    from google.protobuf.message import Message

VIEWED = messages((view_pb2,))
CARRIED = {("Publish", "event"), ("Delivery", "event")}

PAIRS: list[tuple[type[Message], type[Message]]] = [
    (stream_pb2.ClientEvent, view_pb2.ClientEvent),
    (stream_pb2.ServerEvent, view_pb2.ServerEvent),
    (stream_pb2.ClientBatch, view_pb2.ClientBatch),
    (stream_pb2.ServerBatch, view_pb2.ServerBatch),
    (event_pb2.Publish, view_pb2.Publish),
    (event_pb2.Delivery, view_pb2.Delivery),
]
by_name = pytest.mark.parametrize(("plain", "view"), PAIRS, ids=lambda kind: str(kind.DESCRIPTOR.name))


def test_every_viewed_message_is_compared() -> None:
    assert {view.DESCRIPTOR.name for _, view in PAIRS} == set(VIEWED)


@pytest.mark.parametrize("name", sorted(VIEWED))
def test_the_same_numbers_and_types(name: str) -> None:
    plain = {field.name: (field.number, kind(field)) for field in messages(V1)[name].fields}
    view = {field.name: (field.number, kind(field)) for field in VIEWED[name].fields}
    for field in plain:
        if (name, field) in CARRIED:
            assert plain.pop(field) == (2, "Event")
            assert view.pop(field) == (2, "optional bytes")
            break
    assert view == plain


@pytest.mark.parametrize("name", sorted(VIEWED))
def test_what_is_not_viewed_is_the_same_message(name: str) -> None:
    for field in VIEWED[name].fields:
        if field.message_type is not None and field.message_type.name not in VIEWED:
            assert field.message_type.full_name.startswith("loom.v1.")


@by_name
def test_what_a_client_writes_survives_the_view(plain: type[Message], view: type[Message]) -> None:
    @given(random_messages(plain))
    def survives(message: Message) -> None:
        seen = view.FromString(message.SerializeToString())
        assert plain.FromString(seen.SerializeToString()) == message
        assert not unknown(seen)

    survives()


@by_name
def test_what_a_bridge_writes_survives_the_wire(plain: type[Message], view: type[Message]) -> None:
    @given(random_messages(view, events=True))
    def survives(message: Message) -> None:
        read = plain.FromString(message.SerializeToString())
        again = view.FromString(read.SerializeToString())
        assert plain.FromString(again.SerializeToString()) == read
        assert not unknown(read)

    survives()


def unknown(message: Message) -> bool:
    """Whether a message holds fields that its class does not know."""
    bare = type(message).FromString(message.SerializeToString())
    bare.DiscardUnknownFields()
    return bare != message


@given(random_messages(event_pb2.Event))
def test_an_event_is_carried_byte_for_byte(event: event_pb2.Event) -> None:
    # A field that loom.v1 does not know (1007), and an order in which no library of ours would write.
    data = b"\xfa\x3e\x03new" + event.SerializeToString() + b"\x0a\x01i"
    publish = view_pb2.ClientEvent(publish=view_pb2.Publish(topic="t", event=data))
    arrived = view_pb2.ClientEvent.FromString(publish.SerializeToString()).publish
    assert arrived.event == data
    delivery = stream_pb2.ServerEvent.FromString(
        view_pb2.ServerEvent(delivery=view_pb2.Delivery(topic="t", event=arrived.event)).SerializeToString()
    ).delivery.event
    assert delivery.id == "i"
    assert b"\xfa\x3e\x03new" in delivery.SerializeToString()


def test_no_event_and_an_empty_one_are_told_apart() -> None:
    none = view_pb2.Publish.FromString(event_pb2.Publish(topic="t").SerializeToString())
    empty = view_pb2.Publish.FromString(
        event_pb2.Publish(topic="t", event=event_pb2.Event()).SerializeToString()
    )
    assert (none.HasField("event"), empty.HasField("event")) == (False, True)
    assert empty.event == b""
