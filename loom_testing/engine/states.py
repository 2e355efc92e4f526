"""The state tables of the protocol, as data.

Three things have a life of their own in an engine:

* A **session** is what an agent is to the bridge. It begins with a registration, streams while the agent's
  event stream is accepted, and closes when the agent is gone. A second handshake for the same agent does
  not end the session's life: the newer stream takes it over (SES-4).
* A **stream** is one EventStream call. It awaits its handshake, is open, and ends. An agent that leaves in
  order is gone at once, while its stream goes on flushing what was queued (SES-6).
* A **call** waits in its capability's queue, is dispatched to one provider, and ends exactly once.

Each table maps (state, trigger) to the next state. What is not in a table cannot happen: `step` refuses it,
so that a transition nobody wrote down shows at once. The diagrams in the documentation are drawn from
these tables, and the engine's twin in Rust is checked against them.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TypeVar

__all__ = [
    "CALL",
    "SESSION",
    "STREAM",
    "CallState",
    "CallTrigger",
    "SessionState",
    "SessionTrigger",
    "StreamState",
    "StreamTrigger",
    "step",
]


class SessionState(StrEnum):
    """What an agent is to the bridge."""

    NEW = "NEW"
    REGISTERED = "REGISTERED"
    STREAMING = "STREAMING"
    CLOSED = "CLOSED"


class SessionTrigger(StrEnum):
    """What moves a session."""

    REGISTER = "register"
    HANDSHAKE = "handshake"
    LAPSE = "lapse"
    LEAVE = "leave"
    LOSE = "lose"
    RESET = "reset"


class StreamState(StrEnum):
    """Where one EventStream call stands."""

    AWAITING = "AWAITING"
    OPEN = "OPEN"
    FLUSHING = "FLUSHING"
    ENDED = "ENDED"


class StreamTrigger(StrEnum):
    """What moves a stream."""

    ACCEPT = "accept"
    REFUSE = "refuse"
    LEAVE = "leave"
    SUPERSEDE = "supersede"
    CUT = "cut"
    BREAK = "break"
    FLUSHED = "flushed"


class CallState(StrEnum):
    """Where a call stands."""

    QUEUED = "QUEUED"
    DISPATCHED = "DISPATCHED"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    TIMED_OUT = "TIMED_OUT"
    CANCELLED = "CANCELLED"


class CallTrigger(StrEnum):
    """What moves a call."""

    DISPATCH = "dispatch"
    RESULT = "result"
    LOSE = "lose"
    TIMEOUT = "timeout"
    ABANDON = "abandon"


SESSION: dict[tuple[SessionState, SessionTrigger], SessionState] = {
    (SessionState.NEW, SessionTrigger.REGISTER): SessionState.REGISTERED,
    (SessionState.REGISTERED, SessionTrigger.REGISTER): SessionState.REGISTERED,
    (SessionState.REGISTERED, SessionTrigger.HANDSHAKE): SessionState.STREAMING,
    (SessionState.REGISTERED, SessionTrigger.LAPSE): SessionState.CLOSED,
    (SessionState.REGISTERED, SessionTrigger.RESET): SessionState.CLOSED,
    (SessionState.STREAMING, SessionTrigger.REGISTER): SessionState.STREAMING,
    (SessionState.STREAMING, SessionTrigger.HANDSHAKE): SessionState.STREAMING,
    (SessionState.STREAMING, SessionTrigger.LEAVE): SessionState.CLOSED,
    (SessionState.STREAMING, SessionTrigger.LOSE): SessionState.CLOSED,
    (SessionState.STREAMING, SessionTrigger.RESET): SessionState.CLOSED,
}

STREAM: dict[tuple[StreamState, StreamTrigger], StreamState] = {
    (StreamState.AWAITING, StreamTrigger.ACCEPT): StreamState.OPEN,
    (StreamState.AWAITING, StreamTrigger.REFUSE): StreamState.ENDED,
    (StreamState.AWAITING, StreamTrigger.BREAK): StreamState.ENDED,
    (StreamState.OPEN, StreamTrigger.LEAVE): StreamState.FLUSHING,
    (StreamState.OPEN, StreamTrigger.SUPERSEDE): StreamState.ENDED,
    (StreamState.OPEN, StreamTrigger.CUT): StreamState.ENDED,
    (StreamState.OPEN, StreamTrigger.BREAK): StreamState.ENDED,
    (StreamState.FLUSHING, StreamTrigger.FLUSHED): StreamState.ENDED,
    (StreamState.FLUSHING, StreamTrigger.CUT): StreamState.ENDED,
    (StreamState.FLUSHING, StreamTrigger.BREAK): StreamState.ENDED,
}

CALL: dict[tuple[CallState, CallTrigger], CallState] = {
    (CallState.QUEUED, CallTrigger.DISPATCH): CallState.DISPATCHED,
    (CallState.QUEUED, CallTrigger.LOSE): CallState.FAILED,
    (CallState.QUEUED, CallTrigger.TIMEOUT): CallState.TIMED_OUT,
    (CallState.QUEUED, CallTrigger.ABANDON): CallState.CANCELLED,
    (CallState.DISPATCHED, CallTrigger.RESULT): CallState.COMPLETED,
    (CallState.DISPATCHED, CallTrigger.LOSE): CallState.FAILED,
    (CallState.DISPATCHED, CallTrigger.TIMEOUT): CallState.TIMED_OUT,
    (CallState.DISPATCHED, CallTrigger.ABANDON): CallState.CANCELLED,
}

State = TypeVar("State", SessionState, StreamState, CallState)
Trigger = TypeVar("Trigger", SessionTrigger, StreamTrigger, CallTrigger)


def step(table: dict[tuple[State, Trigger], State], state: State, trigger: Trigger) -> State:
    """The state after `trigger`.

    Raises:
        AssertionError: the table knows no such transition; the engine itself is wrong.
    """
    after = table.get((state, trigger))
    if after is None:
        raise AssertionError(f"no transition from {state} on {trigger}")
    return after
