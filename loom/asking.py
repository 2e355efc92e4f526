"""Asking: publishing an event that wants an answer, and telling good answers from bad ones."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from loom.codes import Code
from loom.errors import InvalidInput, NoSubscribers, PublishRefused
from loom.event import make_event
from loom.payload import encode_payload
from loom.topics import topic_problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from loom.envelope import Envelope
    from loom.replies import Pending, Reply
    from loom.worker import Worker

__all__ = ["Question", "ask", "check_heard", "check_topic", "first_good", "milliseconds"]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked. The fields are `Context.request`'s arguments."""

    topic: str
    payload: Any = None
    type: str | None = None
    metadata: Mapping[str, str] | None = None


async def ask(
    worker: Worker, envelope: Envelope, question: Question, pending: Pending, seconds: float
) -> int:
    """Publishes a question. Answers how many receive it.

    Args:
        worker: who asks.
        envelope: what it follows from.
        question: what is asked.
        pending: where the replies will come in.
        seconds: how long they are waited for.
    """
    check_topic(question.topic)
    asking = envelope.child(
        worker.agent_id,
        correlation_id=pending.correlation_id,
        reply_to=worker.replies_topic,
        ttl_ms=milliseconds(seconds, "timeout"),
        extra=question.metadata,
    )
    event = make_event(question.type or question.topic, encode_payload(question.payload), asking)
    return await worker.ask(question.topic, event, seconds)


async def first_good(pending: Pending, matched: int) -> Reply:
    """The first reply that is no error; an error only once nobody is left who could do better.

    Raises:
        LoomError: what the last of them answered.
    """
    failures = 0
    while True:
        reply = await pending.next()
        error = reply.error
        if error is None:
            return reply
        failures += 1
        if failures >= matched:
            raise error


def check_heard(topic: str, matched: int) -> None:
    """Refuses to wait for an answer where nobody received the question.

    Raises:
        NoSubscribers: nobody did.
    """
    if matched == 0:
        told = "start the agent that subscribes to it, or check the topic's spelling"
        raise NoSubscribers(f"nobody hears {topic}: {told}")


def check_topic(topic: str) -> None:
    """Refuses what is no concrete topic.

    Raises:
        PublishRefused: it is none.
    """
    problem = topic_problem(topic)
    if problem:
        raise PublishRefused(f"{topic[:80]!r} is not a topic: {problem}", code=Code.INVALID_TOPIC)


def milliseconds(seconds: float, name: str) -> int:
    """Whole milliseconds, at least 1.

    Raises:
        InvalidInput: not a number of seconds above 0.
    """
    if not (math.isfinite(seconds) and seconds > 0):
        raise InvalidInput(f"{name} is {seconds!r}: give seconds above 0")
    return max(1, round(seconds * 1000))
