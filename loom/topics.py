"""Topics and patterns: checked where they are declared (PUB-2), and matched for an agent's own handlers."""

from __future__ import annotations

import re

__all__ = ["agent_id_problem", "matches", "pattern_problem", "replies_topic", "topic_problem"]

TOPIC_BYTES = 255
AGENT_ID_BYTES = 128

_TOKEN = r"[A-Za-z0-9_:@/-]+"  # noqa: S105 (a token of a topic, no secret)
_TOPIC = re.compile(rf"{_TOKEN}(?:\.{_TOKEN})*")
_PATTERN = re.compile(rf"(?:(?:{_TOKEN}|\*)\.)*(?:{_TOKEN}|\*|>)")

_SIGNS = "dot-separated tokens of A-Z a-z 0-9 _ : @ / -"


def topic_problem(topic: str) -> str | None:
    """What is wrong with `topic` as a concrete topic, and how to write one; None where nothing is."""
    if _TOPIC.fullmatch(topic) and len(topic) <= TOPIC_BYTES:
        return None
    return f"write {_SIGNS}, without wildcards, of 1 to {TOPIC_BYTES} bytes"


def pattern_problem(pattern: str) -> str | None:
    """What is wrong with `pattern` as a subscription's topic, and how to write one; None where nothing is."""
    if _PATTERN.fullmatch(pattern) and len(pattern) <= TOPIC_BYTES:
        return None
    return (
        f"write {_SIGNS}, of 1 to {TOPIC_BYTES} bytes; "
        "* stands alone for one token, > stands last for one or more"
    )


def agent_id_problem(agent_id: str) -> str | None:
    """What is wrong with `agent_id`, and how to write one; None where nothing is (REG-1)."""
    if _TOPIC.fullmatch(agent_id) and len(agent_id) <= AGENT_ID_BYTES:
        return None
    return f"write {_SIGNS}, of 1 to {AGENT_ID_BYTES} bytes"


def replies_topic(agent_id: str) -> str:
    """The topic on which an agent receives replies; a bridge subscribes every agent to its own."""
    return f"agent.{agent_id}.replies"


def matches(pattern: str, topic: str) -> bool:
    """Whether a subscription to `pattern` takes an event of `topic`; both are well-formed."""
    if pattern == topic:
        return True
    wanted, given = pattern.split("."), topic.split(".")
    if wanted[-1] == ">":
        wanted.pop()
        if len(given) <= len(wanted):
            return False
        given = given[: len(wanted)]
    return len(wanted) == len(given) and all(
        want in ("*", token) for want, token in zip(wanted, given, strict=True)
    )
