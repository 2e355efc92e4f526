"""The one table of error codes: what a bridge says when it refuses, what the SDK raises, what the docs list.

Both engines, the SDK and the documentation read this table; a code that is not in it does not exist.
A provider may put a code of its own into an `ActionError`; such codes pass through untouched (ACT-1).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["CODES", "Code", "CodeInfo"]


class Code(StrEnum):
    """Every code of the protocol, by name. The value is what stands on the wire."""

    INVALID_AGENT_ID = "INVALID_AGENT_ID"
    INVALID_TOPIC = "INVALID_TOPIC"
    INVALID_SUBSCRIPTION = "INVALID_SUBSCRIPTION"
    INVALID_CAPABILITY = "INVALID_CAPABILITY"
    INVALID_EVENT = "INVALID_EVENT"
    INVALID_TTL = "INVALID_TTL"
    INVALID_MESSAGE = "INVALID_MESSAGE"
    INVALID_INPUT = "INVALID_INPUT"
    INVALID_OUTPUT = "INVALID_OUTPUT"
    FEATURE_REQUIRED = "FEATURE_REQUIRED"
    LIMIT_EXCEEDED = "LIMIT_EXCEEDED"
    NOT_REGISTERED = "NOT_REGISTERED"
    STALE_REGISTRATION = "STALE_REGISTRATION"
    HANDSHAKE_EXPECTED = "HANDSHAKE_EXPECTED"
    HANDSHAKE_TIMEOUT = "HANDSHAKE_TIMEOUT"
    HEARTBEAT_TIMEOUT = "HEARTBEAT_TIMEOUT"
    SUPERSEDED = "SUPERSEDED"
    SLOW_CONSUMER = "SLOW_CONSUMER"
    EVENTS_DROPPED = "EVENTS_DROPPED"
    NAMESPACE_RESET = "NAMESPACE_RESET"
    DRAINING = "DRAINING"
    NOT_FOUND = "NOT_FOUND"
    UNAVAILABLE = "UNAVAILABLE"
    TIMEOUT = "TIMEOUT"
    CANCELLED = "CANCELLED"
    PROVIDER_LOST = "PROVIDER_LOST"
    UNKNOWN_CALL = "UNKNOWN_CALL"
    ID_REUSED = "ID_REUSED"
    OVERLOADED = "OVERLOADED"
    CAPABILITY_ERROR = "CAPABILITY_ERROR"
    PERMISSION_DENIED = "PERMISSION_DENIED"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    # The SDK's own. Of these only HANDLER_ERROR travels: in the metadata of an error reply (`loom.error`).
    HANDLER_ERROR = "HANDLER_ERROR"
    NO_SUBSCRIBERS = "NO_SUBSCRIBERS"
    AGENT_GONE = "AGENT_GONE"
    BRIDGE_UNAVAILABLE = "BRIDGE_UNAVAILABLE"
    NOT_CONNECTED = "NOT_CONNECTED"
    INVALID_CONFIG = "INVALID_CONFIG"
    INVALID_DEFINITION = "INVALID_DEFINITION"
    INVALID_PAYLOAD = "INVALID_PAYLOAD"
    MEMORY_FAILED = "MEMORY_FAILED"
    INTERNAL = "INTERNAL"


@dataclass(frozen=True, slots=True)
class CodeInfo:
    """What a code means.

    Attributes:
        meaning: what happened, one sentence.
        remedy: what to do about it, one sentence.
        retry: whether the same request may succeed later without a change.
        clause: the clause that binds it.
    """

    meaning: str
    remedy: str
    retry: bool
    clause: str


CODES: dict[Code, CodeInfo] = {
    Code.INVALID_AGENT_ID: CodeInfo(
        "The agent id is empty, too long or holds a character that is not allowed.",
        "Use dot-separated tokens of A-Z a-z 0-9 _ : @ / - of at most 128 bytes in all.",
        False,
        "REG-1",
    ),
    Code.INVALID_TOPIC: CodeInfo(
        "The topic is empty, too long, malformed, or holds a wildcard where a concrete topic is needed.",
        "Use dot-separated tokens of A-Z a-z 0-9 _ : @ / - of at most 255 bytes in all.",
        False,
        "PUB-2",
    ),
    Code.INVALID_SUBSCRIPTION: CodeInfo(
        "A subscription is malformed.",
        "`*` stands alone for one token, `>` stands last for one or more; an observer has no group.",
        False,
        "REG-2",
    ),
    Code.INVALID_CAPABILITY: CodeInfo(
        "A capability is malformed, or named twice in one registration.",
        "Name each capability once, by the rules of a topic; loom.max_concurrency is a whole number from 1.",
        False,
        "REG-2",
    ),
    Code.INVALID_EVENT: CodeInfo(
        "The publish carries no event, or one that is not a well-formed loom.v1.Event.",
        "Encode the event with the generated code of loom.v1.",
        False,
        "PUB-5",
    ),
    Code.INVALID_TTL: CodeInfo(
        "The event's loom.ttl_ms is not a whole number of milliseconds from 1 to 9999999999.",
        "Write it as decimal digits without sign, space or leading zero.",
        False,
        "PUB-5",
    ),
    Code.INVALID_MESSAGE: CodeInfo(
        "The message is empty, malformed, or of a kind this bridge does not know.",
        "Send only messages of loom.v1, and extensions only after their feature was agreed.",
        False,
        "SES-1",
    ),
    Code.INVALID_INPUT: CodeInfo(
        "The call's arguments, or the call itself, are not what is asked for.",
        "Compare the arguments with the capability's input schema; the details name the fields.",
        False,
        "ACT-1",
    ),
    Code.INVALID_OUTPUT: CodeInfo(
        "The capability answered with something that does not fit its own output schema.",
        "Mend the capability: its answer must be what its return annotation says.",
        False,
        "ACT-1",
    ),
    Code.FEATURE_REQUIRED: CodeInfo(
        "The message belongs to a feature that this session did not agree on.",
        "Name the feature in the registration, and use it only if the answer lists it.",
        False,
        "REG-2",
    ),
    Code.LIMIT_EXCEEDED: CodeInfo(
        "Something is larger, or there is more of it, than the bridge's limits allow.",
        "Send less at a time; the limits stand in the answer to the registration.",
        False,
        "LIM-1",
    ),
    Code.NOT_REGISTERED: CodeInfo(
        "A stream was opened for an agent that is not registered.",
        "Register the agent first; a registration lapses when its stream is not opened in time.",
        True,
        "SES-2",
    ),
    Code.STALE_REGISTRATION: CodeInfo(
        "The handshake names a registration that is no longer the agent's newest.",
        "Register again and open the stream with the new registration's number.",
        True,
        "SES-2",
    ),
    Code.HANDSHAKE_EXPECTED: CodeInfo(
        "The first message of the stream is not an Ack with the agent's id.",
        "Send Ack{message_id=<agent id>} first.",
        False,
        "SES-1",
    ),
    Code.HANDSHAKE_TIMEOUT: CodeInfo(
        "The stream did not begin with its handshake in time.",
        "Send Ack{message_id=<agent id>} as soon as the stream is open.",
        True,
        "SES-1",
    ),
    Code.HEARTBEAT_TIMEOUT: CodeInfo(
        "The peer was silent for three heartbeat intervals and is taken for dead.",
        "Connect again; keep the event loop free, or send pings from a loop that is.",
        True,
        "SES-7",
    ),
    Code.SUPERSEDED: CodeInfo(
        "Another process opened a stream for the same agent id; the newest wins.",
        "Give each process an id of its own (replicas=True), or stop the other one.",
        False,
        "SES-4",
    ),
    Code.SLOW_CONSUMER: CodeInfo(
        "The subscriber's queue was full and its connection took nothing for too long.",
        "Read the stream faster, subscribe to less, or subscribe with QOS_REALTIME.",
        True,
        "FLOW-3",
    ),
    Code.EVENTS_DROPPED: CodeInfo(
        "Realtime events were dropped because the subscriber's queue was full.",
        "Read faster, or subscribe with QOS_BATCHED to slow the publisher instead.",
        False,
        "FLOW-1",
    ),
    Code.NAMESPACE_RESET: CodeInfo(
        "A test reset the namespace; every session and call of it ended.",
        "Register again.",
        True,
        "CTL-4",
    ),
    Code.DRAINING: CodeInfo(
        "The bridge is about to stop and takes nothing new.",
        "Connect again in a moment, or to another bridge.",
        True,
        "LIM-3",
    ),
    Code.NOT_FOUND: CodeInfo(
        "No agent offers the capability, or not in the version asked for.",
        "Check the name and version (`loom doctor` lists what is callable), and start its agent.",
        False,
        "ACT-2",
    ),
    Code.UNAVAILABLE: CodeInfo(
        "The capability is registered, but no provider of it has a live stream.",
        "Try again in a moment.",
        True,
        "ACT-2",
    ),
    Code.TIMEOUT: CodeInfo(
        "The deadline passed before an answer came.",
        "Give the call more time, or look why its provider is slow.",
        True,
        "ACT-3",
    ),
    Code.CANCELLED: CodeInfo(
        "The caller left before the answer came.",
        "Nothing to do: nobody waits for it.",
        False,
        "ACT-3",
    ),
    Code.PROVIDER_LOST: CodeInfo(
        "The provider was lost while it worked on the call; whether it did the work is unknown.",
        "Call again if doing it twice does no harm.",
        True,
        "ACT-4",
    ),
    Code.UNKNOWN_CALL: CodeInfo(
        "The result belongs to no call that is open with this session.",
        "Nothing to do when the call timed out; else answer only calls given to this agent, once.",
        False,
        "ACT-5",
    ),
    Code.ID_REUSED: CodeInfo(
        "The call's id was used by the same caller for a call with other content.",
        "Use a fresh id for each call; repeat an id only to repeat the very same call.",
        False,
        "ACT-8",
    ),
    Code.OVERLOADED: CodeInfo(
        "Too many calls wait for the capability.",
        "Try again later, raise its concurrency, or start another provider.",
        True,
        "ACT-7",
    ),
    Code.CAPABILITY_ERROR: CodeInfo(
        "The capability raised an exception.",
        "Look into the provider's log; the message says which exception it was.",
        False,
        "ACT-1",
    ),
    Code.PERMISSION_DENIED: CodeInfo(
        "The token does not allow it.",
        "Ask for a token with the permission named in the message.",
        False,
        "SEC-1",
    ),
    Code.UNAUTHENTICATED: CodeInfo(
        "The bridge wants a valid token.",
        "Set LOOM_TOKEN, or `token_env` in loom.toml.",
        False,
        "SEC-1",
    ),
    Code.HANDLER_ERROR: CodeInfo(
        "The handler that the request reached raised an exception.",
        "Look into that agent's log; the message says which exception it was.",
        False,
        "SDK",
    ),
    Code.NO_SUBSCRIBERS: CodeInfo(
        "Nobody hears the topic of the request.",
        "Start the agent that subscribes to it, or check the topic's spelling.",
        True,
        "PUB-9",
    ),
    Code.AGENT_GONE: CodeInfo(
        "The agent that asked is gone, and nobody hears the reply.",
        "Nothing to do: nobody waits for it.",
        False,
        "PUB-9",
    ),
    Code.BRIDGE_UNAVAILABLE: CodeInfo(
        "No bridge answers at the address, or it went away.",
        "Check the address, or start a bridge; `loom doctor` says what is found.",
        True,
        "SDK",
    ),
    Code.NOT_CONNECTED: CodeInfo(
        "The agent is not connected: it was not started, or it was stopped.",
        "Start it first: `async with agent:` or `await agent.start()`.",
        False,
        "SDK",
    ),
    Code.INVALID_CONFIG: CodeInfo(
        "A setting is missing, malformed, or contradicts another.",
        "Mend the setting that the message names.",
        False,
        "SDK",
    ),
    Code.INVALID_DEFINITION: CodeInfo(
        "An agent, handler, subscription or capability is declared wrongly.",
        "Mend the declaration that the message names.",
        False,
        "SDK",
    ),
    Code.INVALID_PAYLOAD: CodeInfo(
        "A payload is not JSON in UTF-8, or a value cannot be written as JSON.",
        "Send JSON, models or dataclasses; take raw bytes by the annotation `bytes`.",
        False,
        "SDK",
    ),
    Code.MEMORY_FAILED: CodeInfo(
        "A memory store could not read or write.",
        "Check the store's place and its permissions.",
        False,
        "SDK",
    ),
    Code.INTERNAL: CodeInfo(
        "Something went wrong that has no code of its own.",
        "Look into the log of both sides.",
        False,
        "SDK",
    ),
}
