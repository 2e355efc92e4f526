"""Where the fuzzer's operations get their values: few of each, so that they meet, and bad ones among them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from loom_testing.engine import messages as m
from loom_testing.engine.inputs import Register
from loom_testing.engine.limits import FEATURES
from loom_testing.engine.trace import Header
from tests.differential.drawing import made_of, mostly, short

__all__ = [
    "AGENTS",
    "A_CALL",
    "CAPABILITIES",
    "SMALL",
    "START",
    "agents",
    "bursts",
    "calls",
    "changes",
    "confirmed",
    "event_of",
    "headers",
    "limits",
    "odd_messages",
    "pings",
    "published",
    "registrations",
    "results",
    "subscription_lists",
]

START = 1_700_000_000_000_000
"""When the engines that only pretend begin, microseconds."""

AGENTS = ["a", "b", "c", "d.e", "team:1"]
BAD_AGENTS = ["", "a b", "a.*", "é", "x" * 129, 'q"\\\n', "😀" * 50, "\x00", "."]
TOPICS = ["a", "a.b", "a.b.c", "b", "c.b", "agent.a.replies", "agent.d.e.replies"]
BAD_TOPICS = ["", "a..b", "a.*", ">", "a b", "x" * 256, "é" * 200, "a>", "a.b\n"]
PATTERNS = ["a", ">", ">", "a.b", "*", "a.*", "a.>", "a.>", "*.b", "*.*", "a.b.c", "agent.>", "b.>"]
BAD_PATTERNS = ["", ">.a", "a*", "a..b", "a.b c", "x" * 256, "a.>>"]
TYPES = ["t", "u"]
CAPABILITIES = ["cap", "tool.x", "z"]
BAD_CAPABILITIES = ["", "a.*", "a b", "nobody", "x" * 300]
CONCURRENCY = ["1", "2", "3", "999999"]
BAD_CONCURRENCY = ["0", "01", "-1", "", "1000000", "one", "१", "1\n", '"']
TTLS = ["5", "1", "50", "2000", "60000", "9999999999"]
BAD_TTLS = ["0", "01", "-1", "", "99999999999", " 5", "5\n", "é", "\u0665"]
CALL_IDS = ["", "", "1", "2", "3"]
BAD_CALL_IDS = ["x" * 300, "q\u2028"]

SMALL: dict[str, list[int]] = {
    "event_bytes": [60, 1024],
    "queue_events": [1, 2, 5, 100],
    "queue_bytes": [40, 200, 10_000],
    "waiting_calls": [1, 3, 100],
    "subscriptions": [5, 8, 100],
    "capabilities": [2, 3],
    "producer_outcomes": [1, 3, 100],
    "call_timeout_ms": [1_000, 100_000],
    "default_call_timeout_ms": [200, 30_000],
    "registration_lapse_ms": [500, 30_000],
    "handshake_ms": [300, 10_000],
    "goodbye_flush_ms": [100, 5_000],
    "slow_consumer_ms": [200, 10_000],
    "idempotency_ms": [1_000, 120_000],
    "producer_ms": [1_000, 120_000],
    "heartbeat_interval_ms": [200, 3_000],
    "stream_window": [1, 2, 8, 64],
    "stream_replies": [1, 2, 4, 256],
    "kept_results": [1, 2, 100],
    "kept_result_bytes": [30, 200, 10_000],
    "producers": [1, 2, 100],
}
"""Limits so small that a few steps reach them."""


def limits(wanted: dict[str, list[int]]) -> st.SearchStrategy[dict[str, int]]:
    """Some of these limits, set to one of these values; often a queue that is soon full."""
    some = st.dictionaries(st.sampled_from(sorted(wanted)), st.integers(0, 11), max_size=8).map(
        lambda drawn: {name: wanted[name][place % len(wanted[name])] for name, place in drawn.items()}
    )
    narrow = {
        name: values[:3] for name, values in wanted.items() if name in ("queue_events", "stream_window")
    }
    full = st.fixed_dictionaries({name: st.sampled_from(values) for name, values in narrow.items()})
    return st.one_of(some, st.tuples(some, full).map(lambda drawn: {**drawn[0], **drawn[1]}))


def headers(wanted: dict[str, list[int]], fixed: dict[str, int]) -> st.SearchStrategy[Header]:
    """The engine that a case is for."""
    return st.builds(
        lambda drawn, liveness: Header(START, {**drawn, **fixed}, liveness), limits(wanted), st.booleans()
    )


_agents = mostly(AGENTS, BAD_AGENTS)
_topics = mostly(TOPICS, BAD_TOPICS)
agents = made_of(str, _agents)

_TYPE_LISTS = mostly([[], [], [], ["t"], ["u"], ["t", "u"]], [[""]])
_QOS = mostly([None, None, 0, 1, 2], [7, -1])
_STANDING = mostly(
    [("", False), ("g", False), ("", True), ("g", False), ("h.1", False)], [("g", True), ("g.*", False)]
)


def _subscription(
    topic: str, types: list[str], qos: int | None, standing: tuple[str, bool]
) -> m.Subscription:
    return m.Subscription(topic, list(types), qos, *standing)


_subscriptions = made_of(_subscription, mostly(PATTERNS, BAD_PATTERNS), _TYPE_LISTS, _QOS, _STANDING)
subscription_lists = st.lists(_subscriptions, min_size=1, max_size=3)


def _capability(name: str, version: str, most: str | None, told: str | None) -> m.Capability:
    metadata = {"loom.max_concurrency": most, "description": told}
    return m.Capability(name, version, 0, {key: text for key, text in metadata.items() if text is not None})


_capabilities = made_of(
    _capability,
    mostly(CAPABILITIES, BAD_CAPABILITIES),
    mostly(["", "1", "1", "2"], ["v" * 129]),
    mostly([None, None, None, None, *CONCURRENCY], BAD_CONCURRENCY),
    [None, None, None, None, "é\U0001f600\x7f"],
)
_features = st.one_of(
    *[st.just(list(FEATURES))] * 7,
    st.lists(st.sampled_from([*FEATURES, "resume", "nonsense"]), max_size=5),
)


def _register(
    agent_id: str, rest: tuple[Any, ...], subscriptions: Any, capabilities: Any, features: Any
) -> Register:
    topics, twice, echo = rest
    if subscriptions and "nonsense" not in features:
        features = [*features, "subscriptions"]
    if not twice:  # a registration that names one twice is refused as a whole
        capabilities = list({capability.name: capability for capability in capabilities}.values())
    metadata = {"name": "value"} if len(topics) > 1 else {}
    return Register(0, agent_id, list(topics), capabilities, metadata, subscriptions, list(features), echo)


_TOPIC_LISTS = mostly([[], ["a"], ["a.*"], [">"], ["*.b", "b"], ["a.>", "a.b"]], [["a*"], ["a", ""]])
_rest = made_of(lambda *parts: parts, _TOPIC_LISTS, mostly([False], [True]), [None, None, True, False])


def registrations(agent_ids: st.SearchStrategy[str]) -> st.SearchStrategy[Register]:
    """Registrations of these agents; the call's number is for the machine to set."""
    subscriptions = st.one_of(st.just([]), subscription_lists, subscription_lists)
    capabilities = st.lists(_capabilities, max_size=3)
    return short(st.builds(_register, agent_ids, _rest, subscriptions, capabilities, _features))


# Events, as bytes.


def _event(
    type: str, which: int, ttl: str | None, size: int, extra: bytes, turn: int, spoil: Spoil | None
) -> bytes:
    parts = [_text(0x0A, f"e{which}"), _text(0x12, type), extra]
    if ttl is not None:
        parts.append(_field(0x2A, _text(0x0A, "loom.ttl_ms") + _text(0x12, ttl)))
    if size:
        parts.append(_field(0x32, bytes(range(which, which + size))))
    data = b"".join(parts[turn:] + parts[:turn])
    return spoil(data) if spoil else data


Spoil = Callable[[bytes], bytes]
_SPOILT: list[Spoil] = [
    lambda data: data[:-1],
    lambda data: data[: len(data) // 2],
    lambda data: data + b"\xff",
    lambda data: data[:3] + b"\xff" + data[4:],
    lambda data: data[:1] + b"\x80" + data[1:],
    lambda data: data[:7] + b"\x0b" + data[7:],
    lambda data: b"\x07" + data,
    lambda data: b"",
    lambda data: bytes(reversed(data)),
]
_event_parts = (
    mostly(TYPES, [""], often=10),
    range(10),
    mostly([None, None, None, None, None, None, *TTLS], BAD_TTLS, often=150),
    [0, 7, 30, 60],
    mostly([b""], [b"\x18\x05", b"\x3d\0\0\0\0", b"\x53\x08\x01\x54", b"\x50\x01"], often=10),
    range(3),
    mostly([None], _SPOILT, often=25),
)


def event_of(size: int) -> bytes:
    """A well-formed event of exactly so many bytes, from 8 on."""
    head = _text(0x0A, "big")
    for length_bytes in range(1, 6):
        payload = size - len(head) - 1 - length_bytes
        if payload >= 0 and len(_varint(payload)) == length_bytes:
            return head + b"\x32" + _varint(payload) + b"x" * payload
    # A length whose own length does not fit is made up for by an unknown number.
    return b"\x50\x01" + event_of(size - 2)


def _varint(number: int) -> bytes:
    encoded = b""
    while number >= 128:
        encoded += bytes([number & 127 | 128])
        number >>= 7
    return encoded + bytes([number])


def _field(tag: int, content: bytes) -> bytes:
    return bytes([tag]) + _varint(len(content)) + content


def _text(tag: int, text: str) -> bytes:
    return _field(tag, text.encode())


# Messages.

published = made_of(lambda topic, *parts: m.Publish(topic, _event(*parts)), _topics, *_event_parts)
confirmed = made_of(
    lambda topic, number, *parts: m.Publish(topic, _event(*parts), True, number),
    _topics,
    mostly([1, 2, 3, 4, 5, 6, 7, 8], [0], often=30),
    *_event_parts,
)
pings = made_of(m.Ping, [0, 5, -5, 2**63 - 1])
changes = st.one_of(
    st.builds(m.Subscribe, st.sampled_from([0, 3]), subscription_lists),
    st.builds(m.Unsubscribe, st.sampled_from([0, 4]), subscription_lists),
)
_ODD: list[m.ClientMessage] = [
    m.Unknown(),
    m.Unknown("batch"),
    m.Ack("a", 1, 2, [(3, 4)]),
    m.Ack(),
    m.Subscribe(),
    m.Publish("a"),
    m.Publish("a.b", None, True, 7),
]
odd_messages = st.sampled_from(_ODD)
bursts = st.lists(st.one_of(published, confirmed, published, pings, changes), min_size=2, max_size=5)


def _call(
    name: str, call_id: str, version: str, payload: bytes, caller: str, timeout: int, qos: int
) -> m.ActionCall:
    given = {"x-agent-id": caller} if caller else {}
    if qos == 2:
        given["traceparent"] = "é"
    return m.ActionCall(call_id, name, version, payload, given, timeout, "thread" if qos else "", qos)


calls = made_of(
    _call,
    mostly(CAPABILITIES, BAD_CAPABILITIES),
    mostly(CALL_IDS, BAD_CALL_IDS),
    ["", "", "", "", "1"],
    [b"", b"one", b"two", b"x" * 40],
    mostly(["", "a", "a", "b"], ["x" * 300]),
    mostly([0, 0, 1, 50, 5_000, 90_000, 10**13], [-1, -90_000]),
    [0, 0, 1, 2, 7],
)
A_CALL = [m.ActionCall("1", "cap", headers={"x-agent-id": "a"})]

_ERRORS = [m.ActionError("MY_CODE", "text"), m.ActionError("", "", {"k": "é" * 20}), m.ActionError("é")]
results = made_of(
    lambda status, output, error: m.ActionResult("", status, output, error),
    [0, 0, 0, 1, 1, 2, 3, 7],
    [b"", b"done", b"\x00\xff" * 15],
    [None, None, None, *_ERRORS],
)
