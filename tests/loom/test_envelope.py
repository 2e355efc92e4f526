"""Envelope <-> Event.metadata: nothing is lost, nothing foreign is touched."""

from __future__ import annotations

import copy
import dataclasses
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loom.envelope import MAX_TTL_MS, RESERVED, Envelope, parse_ttl_ms
from loom.errors import InvalidInput
from loom.v1 import event_pb2

# What a protobuf string can hold: any text without lone surrogates.
texts = st.text(st.characters(exclude_categories=["Cs"]))
foreign = st.dictionaries(
    texts.filter(lambda key: key not in RESERVED) | st.just("loom.future_field") | st.just("baggage"), texts
)
envelopes = st.builds(
    Envelope,
    thread_id=texts,
    correlation_id=texts,
    sender=texts,
    reply_to=texts,
    ttl_ms=st.none() | st.integers(1, MAX_TTL_MS),
    traceparent=texts,
    tracestate=texts,
    extra=foreign,
)
own_texts = st.dictionaries(
    st.sampled_from(sorted(RESERVED - {"loom.ttl_ms"})), texts.filter(lambda text: text != "")
)
own_ttl: st.SearchStrategy[dict[str, str]] = st.just({}) | st.integers(1, MAX_TTL_MS).map(
    lambda ttl: {"loom.ttl_ms": str(ttl)}
)


@given(envelopes)
def test_an_envelope_survives_its_metadata(envelope: Envelope) -> None:
    assert Envelope.from_metadata(envelope.to_metadata()) == envelope


@given(own_texts, own_ttl, foreign)
def test_metadata_survives_its_envelope(
    texts: dict[str, str], ttl: dict[str, str], foreign: dict[str, str]
) -> None:
    metadata = {**texts, **ttl, **foreign}
    envelope = Envelope.from_metadata(metadata)
    assert envelope.to_metadata() == metadata
    assert envelope.extra == foreign


@given(envelopes)
def test_an_envelope_survives_the_wire(envelope: Envelope) -> None:
    sent = event_pb2.Event(metadata=envelope.to_metadata())
    received = event_pb2.Event.FromString(sent.SerializeToString())
    assert Envelope.from_metadata(received.metadata) == envelope


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        ("thread_id", "loom.thread_id", "t-1"),
        ("correlation_id", "loom.correlation_id", "c-1"),
        ("sender", "loom.sender", "planner"),
        ("reply_to", "loom.reply_to", "agent.planner.replies"),
        ("traceparent", "traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        ("tracestate", "tracestate", "vendor=1"),
    ],
)
def test_each_field_has_its_name_in_the_metadata(name: str, key: str, value: str) -> None:
    envelope = Envelope.from_metadata({key: value})
    assert dataclasses.asdict(envelope) == {**dataclasses.asdict(Envelope()), name: value}
    assert envelope.to_metadata() == {key: value}


def test_ttl_has_its_name_in_the_metadata() -> None:
    assert Envelope(ttl_ms=1500).to_metadata() == {"loom.ttl_ms": "1500"}
    assert Envelope.from_metadata({"loom.ttl_ms": "1500"}).ttl_ms == 1500


def test_the_empty_envelope_is_empty_metadata() -> None:
    assert Envelope().to_metadata() == {}
    assert Envelope.from_metadata({}) == Envelope()
    assert Envelope.from_metadata(dict.fromkeys(RESERVED, "")) == Envelope()


@pytest.mark.parametrize(
    "text", ["0", "-1", "+1", "01", " 1", "1 ", "1\n", "1.5", "1e3", "ten", "10000000000", "١٢", "9" * 5000]
)
def test_a_malformed_ttl_is_a_clear_error(text: str) -> None:
    with pytest.raises(InvalidInput, match="milliseconds from 1 to 9999999999") as caught:
        Envelope.from_metadata({"loom.ttl_ms": text})
    assert caught.value.code == "INVALID_TTL"
    assert caught.value.path == "ttl_ms"
    assert len(caught.value.message) < 160
    with pytest.raises(InvalidInput):
        parse_ttl_ms(text)


@pytest.mark.parametrize("value", [0, -5, MAX_TTL_MS + 1, True, 1.5, "100"])
def test_a_ttl_out_of_range_is_refused_where_it_is_set(value: object) -> None:
    with pytest.raises(ValueError, match=r"loom\.ttl_ms is") as caught:
        Envelope(ttl_ms=value)  # type: ignore[arg-type]  # the wrong types are the point
    assert isinstance(caught.value, InvalidInput)


@pytest.mark.parametrize("key", sorted(RESERVED))
def test_extra_may_not_hold_the_envelopes_own_names(key: str) -> None:
    with pytest.raises(InvalidInput, match="set the envelope's own field instead"):
        Envelope(extra={key: "x"})


@given(envelopes, texts, st.none() | st.integers(1, MAX_TTL_MS))
def test_a_reply_keeps_thread_trace_and_correlation(
    request: Envelope, sender: str, ttl_ms: int | None
) -> None:
    assert request.reply(sender, ttl_ms=ttl_ms, extra={"baggage": "b"}) == Envelope(
        thread_id=request.thread_id,
        correlation_id=request.correlation_id,
        sender=sender,
        ttl_ms=ttl_ms,
        traceparent=request.traceparent,
        tracestate=request.tracestate,
        extra={"baggage": "b"},
    )


@given(envelopes, texts)
def test_a_child_keeps_thread_and_trace_only(parent: Envelope, sender: str) -> None:
    assert parent.child(sender) == Envelope(
        thread_id=parent.thread_id,
        sender=sender,
        traceparent=parent.traceparent,
        tracestate=parent.tracestate,
    )


def test_a_child_may_begin_a_thread_of_its_own() -> None:
    child = Envelope(thread_id="old").child("a", thread_id="new", correlation_id="c", reply_to="r", ttl_ms=5)
    assert child == Envelope(thread_id="new", correlation_id="c", sender="a", reply_to="r", ttl_ms=5)
    assert Envelope(thread_id="old").child("a", thread_id="").thread_id == ""


def test_an_envelope_does_not_change() -> None:
    extra = {"k": "v"}
    envelope = Envelope(thread_id="t", extra=extra)
    extra["k"] = "changed"
    envelope.to_metadata()["k"] = "changed"
    assert envelope.extra == {"k": "v"}
    with pytest.raises(dataclasses.FrozenInstanceError):
        envelope.thread_id = "other"  # type: ignore[misc]  # that it is refused is the point
    assert {envelope: 1}[Envelope(thread_id="t", extra={"k": "v"})] == 1
    assert copy.deepcopy(envelope) == pickle.loads(pickle.dumps(envelope)) == envelope
