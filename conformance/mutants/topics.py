"""Bugs in what topics may look like and what patterns stand for (PUB-2)."""

from __future__ import annotations

from mutants.mutant import Mutant

__all__ = ["MUTANTS"]

ROUTER = "loom_testing/engine/router.py"
TOPICS = "loom_testing/engine/topics.py"

WHOLE = """_TOPIC = re.compile(r"[A-Za-z0-9_:@/-]+(?:\\.[A-Za-z0-9_:@/-]+)*")
_TOKEN = re.compile(r"[A-Za-z0-9_:@/-]+")
"""

MUTANTS = [
    Mutant(
        clause="PUB-2.1",
        name="no-at-sign-in-topics",
        why="the character @ is taken for a strange one",
        file=TOPICS,
        old=WHOLE,
        new=WHOLE.replace("@", ""),
        killed_by="registration of .*expected success, got .*t.@",
    ),
    Mutant(
        clause="PUB-2.2",
        name="topics-a-byte-too-short",
        why="a topic of 255 bytes is refused, as one that must be shorter",
        file=TOPICS,
        old="TOPIC_BYTES = 255",
        new="TOPIC_BYTES = 254",
        killed_by="registration of .*expected success, got .*255 bytes",
    ),
    Mutant(
        clause="PUB-2.2",
        name="few-tokens",
        why="a topic may have 32 tokens at the most",
        file=TOPICS,
        old="    if len(topic) <= TOPIC_BYTES and _TOPIC.fullmatch(topic):",
        new='    if topic.count(".") > 32:\n        return "has too many tokens"\n'
        "    if len(topic) <= TOPIC_BYTES and _TOPIC.fullmatch(topic):",
        killed_by="expected nothing, got .*INVALID_TOPIC",
    ),
    Mutant(
        clause="PUB-2.3",
        name="topics-a-byte-too-long",
        why="a topic of 256 bytes is accepted",
        file=TOPICS,
        old="TOPIC_BYTES = 255",
        new="TOPIC_BYTES = 256",
        killed_by="the answers to publisher.*expected one err, got \\[\\]",
    ),
    Mutant(
        clause="PUB-2.4",
        name="empty-tokens-after-the-first",
        why="only the first token must not be empty",
        file=TOPICS,
        old=WHOLE,
        new=WHOLE.replace("]+)*", "]*)*"),
        killed_by="the answers to publisher.*expected one err, got \\[\\]",
    ),
    Mutant(
        clause="PUB-2.5",
        name="a-newline-at-the-end",
        why="the topic is matched up to a final newline",
        file=TOPICS,
        old="if len(topic) <= TOPIC_BYTES and _TOPIC.fullmatch(topic):",
        new='if len(topic) <= TOPIC_BYTES and re.match(_TOPIC.pattern + "$", topic):',
        killed_by="the answers to publisher.*expected one err, got \\[\\]",
    ),
    Mutant(
        clause="PUB-2.5",
        name="letters-of-all-scripts",
        why="whatever Unicode calls a letter or digit is allowed",
        file=TOPICS,
        old=WHOLE,
        new=WHOLE.replace("A-Za-z0-9_", "\\w"),
        killed_by="the answers to publisher.*expected one err, got \\[\\]",
    ),
    Mutant(
        clause="PUB-2.6",
        name="topics-in-lower-case",
        why="topics are compared in lower case",
        file=ROUTER,
        old='_collect(self._root, topic.split("."), found)',
        new='_collect(self._root, topic.lower().split("."), found)',
        killed_by="what the subscriber of paper.a heard: expected .*got .*Paper.a",
    ),
    Mutant(
        clause="PUB-2.7",
        name="a-star-of-several-tokens",
        why="a star stands for one token or more",
        file=ROUTER,
        old="                todo.append((child, depth + 1))\n",
        new="                todo.append((child, depth + 1))\n"
        "                if token == STAR and depth + 1 < len(tokens):\n"
        "                    todo.append((node, depth + 1))\n",
        killed_by="the topics of the events heard under .*expected .*got .*a.b.c",
    ),
    Mutant(
        clause="PUB-2.7",
        name="a-star-of-no-token",
        why="a star at the end also stands for no token",
        file=ROUTER,
        old="            found.extend(node.here)\n",
        new="            found.extend(node.here)\n"
        "            if node is not root and STAR in node.children:\n"
        "                found.extend(node.children[STAR].here)\n",
        killed_by=r"heard under a\.\*: expected .*got \['a', ",
    ),
    Mutant(
        clause="PUB-2.8",
        name="a-rest-of-no-token",
        why="a rest also stands for no token",
        file=ROUTER,
        old="            found.extend(node.here)\n",
        new="            found.extend(node.here)\n            found.extend(node.rest)\n",
        killed_by="heard under a.>: expected .*got .*'a', 'a.b'",
    ),
    Mutant(
        clause="PUB-2.8",
        name="a-rest-of-one-token",
        why="a rest stands for exactly one token",
        file=ROUTER,
        old="        found.extend(node.rest)\n        for",
        new="        if depth + 1 == len(tokens):\n            found.extend(node.rest)\n        for",
        killed_by="heard under a.>: expected .*got \\['a.b'\\]",
    ),
    Mutant(
        clause="PUB-2.9",
        name="a-rest-anywhere",
        why="a rest is accepted in any place, and what follows it is forgotten",
        file=TOPICS,
        old="if place == len(tokens) - 1:",
        new="if place < len(tokens):",
        killed_by="the pattern '>.a': success: expected False, got True",
    ),
    Mutant(
        clause="PUB-2.10",
        name="wildcards-at-the-end-of-tokens",
        why="a wildcard at the end of a longer token is taken for a letter",
        file=TOPICS,
        old='return "has a wildcard inside a longer token"',
        new="if token[-1] in (STAR, REST):\n                continue\n"
        '            return "has a wildcard inside a longer token"',
        killed_by="the pattern 'a\\*': success: expected False, got True",
    ),
    Mutant(
        clause="PUB-2.11",
        name="empty-tokens-in-patterns",
        why="an empty token is let through in patterns",
        file=TOPICS,
        old='a longer token"\n        return _token_problem(token)',
        new='a longer token"\n        if token:\n            return _token_problem(token)',
        killed_by="the pattern '.a': success: expected False, got True",
    ),
    Mutant(
        clause="PUB-2.11",
        name="patterns-of-any-length",
        why="the length of a pattern is not looked at, only whether it is empty",
        file=TOPICS,
        old="problem = _length_problem(pattern, TOPIC_BYTES)",
        new="problem = _length_problem(pattern[:1], TOPIC_BYTES)",
        killed_by="the pattern .*aaaa.*: success: expected False, got True",
    ),
]
