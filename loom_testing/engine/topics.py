"""What a topic, a pattern and an agent id may look like (PUB-2, REG-1).

Each `..._problem` function answers None for what is well-formed, else half a sentence saying what is wrong.
"""

from __future__ import annotations

import re

from loom_testing.engine.text import utf8_size

__all__ = [
    "AGENT_ID_BYTES",
    "REST",
    "STAR",
    "TOPIC_BYTES",
    "agent_id_problem",
    "pattern_problem",
    "replies_topic",
    "topic_problem",
]

TOPIC_BYTES = 255
AGENT_ID_BYTES = 128
STAR = "*"
REST = ">"

_TOPIC = re.compile(r"[A-Za-z0-9_:@/-]+(?:\.[A-Za-z0-9_:@/-]+)*")
_TOKEN = re.compile(r"[A-Za-z0-9_:@/-]+")


def topic_problem(topic: str) -> str | None:
    """What is wrong with `topic` as a concrete topic."""
    if len(topic) <= TOPIC_BYTES and _TOPIC.fullmatch(topic):
        return None
    return _length_problem(topic, TOPIC_BYTES) or _concrete_problem(topic)


def agent_id_problem(agent_id: str) -> str | None:
    """What is wrong with `agent_id`: a concrete topic of at most 128 bytes (REG-1)."""
    return _length_problem(agent_id, AGENT_ID_BYTES) or topic_problem(agent_id)


def pattern_problem(pattern: str) -> str | None:
    """What is wrong with `pattern` as a subscription's topic."""
    problem = _length_problem(pattern, TOPIC_BYTES)
    if problem:
        return problem
    tokens = pattern.split(".")
    for place, token in enumerate(tokens):
        if token == STAR or _TOKEN.fullmatch(token):
            continue
        if token == REST:
            if place == len(tokens) - 1:
                continue
            return "has > before its last token"
        if STAR in token or REST in token:
            return "has a wildcard inside a longer token"
        return _token_problem(token)
    return None


def replies_topic(agent_id: str) -> str:
    """The topic on which an agent receives replies; every agent is subscribed to its own."""
    return f"agent.{agent_id}.replies"


def _length_problem(text: str, most: int) -> str | None:
    if not text:
        return "is empty"
    size = utf8_size(text)
    if size > most:
        return f"has {size} bytes; at most {most} are allowed"
    return None


def _concrete_problem(topic: str) -> str | None:
    for token in topic.split("."):
        if STAR in token or REST in token:
            return "has a wildcard where a concrete topic is needed"
        if not _TOKEN.fullmatch(token):
            return _token_problem(token)
    return None


def _token_problem(token: str) -> str:
    if not token:
        return "has an empty token"
    return "has a character other than A-Z a-z 0-9 _ : @ / -"
