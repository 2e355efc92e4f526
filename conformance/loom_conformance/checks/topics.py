"""PUB-2: what topics and patterns may look like, and which topics a pattern stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loom_conformance import Bench, check, expect
from loom_conformance.hearing import heard, refusal

if TYPE_CHECKING:
    from loom_conformance.stream import Stream

MOST = 255
SHOWN = 40
"""How much of a culprit a message must show: the rest may be cut off."""
CHARACTERS = (
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "abcdefghijklmnopqrstuvwxyz",
    "0123456789",
    "_",
    ":",
    "@",
    "/",
    "-",
    "a_b:c@d/e-f",
)
STRANGE = (
    " ",
    "a b",
    " a",
    "a ",
    "a\n",
    "a\t",
    "a\x00",
    "a\x7f",
    "a,b",
    "a#",
    "a+",
    "a\\b",
    "a$",
    "a%20",
    "é",
    "日本",
    "а",  # noqa: RUF001 - a Cyrillic letter that looks like a Latin one: that is the point
    "a\u200b",
    "１",  # noqa: RUF001 - a digit, but not an ASCII one
)


@check("PUB-2.1")
async def every_allowed_character_is_allowed(bench: Bench) -> None:
    """Topics of every allowed character can be subscribed to, and what is published there arrives."""
    topics = [bench.topic(f"t.{token}") for token in CHARACTERS]
    subscriber = await bench.join(bench.id("subscriber"), *topics)
    publisher = await bench.join(bench.id("publisher"))
    for topic in topics:
        await publisher.publish(topic, topic.encode())
    (events,) = await heard(publisher, subscriber)
    expect.equal(events, [topic.encode() for topic in topics], "the topics on which events arrived")


@check("PUB-2.2")
async def the_longest_topics_are_allowed(bench: Bench) -> None:
    """Topics of 255 bytes, one of a single long token and one of as many as fit, carry events."""
    topics = _of_length(bench, MOST)
    subscriber = await bench.join(bench.id("subscriber"), *topics)
    publisher = await bench.join(bench.id("publisher"))
    for topic in topics:
        await publisher.publish(topic, topic.encode())
    (events,) = await heard(publisher, subscriber)
    expect.equal(
        events, [topic.encode() for topic in topics], "the topics of 255 bytes on which events arrived"
    )


@check("PUB-2.3")
async def a_longer_topic_is_malformed(bench: Bench) -> None:
    """Topics of 256 bytes are refused where they are published to; those of 255 bytes carry events."""
    subscriber = await bench.join(bench.id("subscriber"), bench.topic(">"))
    publisher = await bench.join(bench.id("publisher"))
    for topic in _of_length(bench, MOST + 1):
        await _refused(publisher, topic, "a topic of 256 bytes", names=topic[:SHOWN])
    for topic in _of_length(bench, MOST):
        await publisher.publish(topic, b"good")
    (events,) = await heard(publisher, subscriber)
    expect.equal(events, [b"good", b"good"], "what arrived on topics of 255 bytes")


@check("PUB-2.4")
async def an_empty_token_is_malformed(bench: Bench) -> None:
    """The empty topic, and topics with an empty token at the start, within and at the end, are refused."""
    subscriber = await bench.join(bench.id("subscriber"), bench.topic(">"))
    publisher = await bench.join(bench.id("publisher"))
    good = bench.topic("a.b")
    for topic in ("", ".", "..", f".{good}", f"{good}.", good.replace(".", "..")):
        await _refused(publisher, topic, f"the topic {topic!r}", names=topic)
    await publisher.publish(good, b"good")
    (events,) = await heard(publisher, subscriber)
    expect.equal(events, [b"good"], "what arrived on the topic without empty tokens")


@check("PUB-2.5")
async def any_other_character_is_malformed(bench: Bench) -> None:
    """Topics with spaces, control characters, other punctuation and letters beyond ASCII are refused."""
    subscriber = await bench.join(bench.id("subscriber"), bench.topic(">"))
    publisher = await bench.join(bench.id("publisher"))
    for token in STRANGE:
        await _refused(publisher, bench.topic(f"t.{token}"), f"a topic with the token {token!r}", names="t.")
        await _refused(publisher, bench.topic(f"{token}.t"), f"a topic with the token {token!r}", names=".t")
    await publisher.publish(bench.topic("t.a"), b"good")
    (events,) = await heard(publisher, subscriber)
    expect.equal(events, [b"good"], "what arrived on the topic without such characters")


@check("PUB-2.6")
async def topics_are_compared_exactly(bench: Bench) -> None:
    """Events go to topics that differ by case, length or a token: each subscriber hears only its own."""
    near = (
        "paper.a",
        "Paper.a",
        "paper.A",
        "paper.ab",
        "pape.a",
        "paper",
        "paper.a.a",
        "paper.a-",
        "paper_a",
    )
    hearers = [await bench.join(bench.id(f"hearer{number}"), bench.topic(n)) for number, n in enumerate(near)]
    publisher = await bench.join(bench.id("publisher"))
    for topic in near:
        await publisher.publish(bench.topic(topic), topic.encode())
    for topic, events in zip(near, await heard(publisher, *hearers), strict=True):
        expect.equal(events, [topic.encode()], f"what the subscriber of {topic} heard")


@check("PUB-2.7")
async def a_star_is_exactly_one_token(bench: Bench) -> None:
    """Patterns with `*` in the first, a middle and the last place hear topics with one token there only."""
    await _stands_for(
        bench,
        {
            "a.*": ["a.b", "a.c"],
            "*.b": ["a.b", "c.b"],
            "a.*.c": ["a.b.c", "a.c.c"],
            "*.*": ["a.b", "a.c", "c.b"],
            "*": ["a"],
            "*.*.c": ["a.b.c", "a.c.c"],
            "a.*.*.c": ["a.b.b.c"],
        },
        ["a", "a.b", "a.c", "c.b", "a.b.c", "a.c.c", "a.b.b.c"],
    )


@check("PUB-2.8")
async def a_rest_is_one_token_or_more(bench: Bench) -> None:
    """Patterns that end in `>` hear the topics with one token or more in its place, not those with none."""
    await _stands_for(
        bench,
        {
            "a.>": ["a.b", "a.b.c", "a.b.c.d"],
            "a.b.>": ["a.b.c", "a.b.c.d"],
            "*.>": ["a.b", "a.b.c", "a.b.c.d", "b.a"],
            "*.b.>": ["a.b.c", "a.b.c.d"],
            ">": ["a", "a.b", "a.b.c", "a.b.c.d", "b.a"],
        },
        ["a", "a.b", "a.b.c", "a.b.c.d", "b.a"],
    )


@check("PUB-2.9")
async def a_rest_before_the_end_is_malformed(bench: Bench) -> None:
    """Registrations with `>` in the first or a middle place are refused, with it in the last they succeed."""
    await _malformed_patterns(bench, [">.a", "a.>.b", ">.>", "a.>.*"], good=["a.>", "a.*.>"])


@check("PUB-2.10")
async def a_wildcard_within_a_token_is_malformed(bench: Bench) -> None:
    """Registrations with a wildcard beside other characters of a token are refused; alone it is accepted."""
    bad = ["a*", "*a", "a.b*.c", "**", "a.**", "a>", ">a", "a.b>", ">>", "*>", "a.>*"]
    await _malformed_patterns(bench, bad, good=["a.*", "*.a", "a.>"])


@check("PUB-2.11")
async def what_is_malformed_in_a_topic_is_so_in_a_pattern(bench: Bench) -> None:
    """Registrations with empty, too long and strange patterns are refused, with and without wildcards."""
    bad = [".a", "a.", "a..b", "a..>", "*..a", "a b", "a b.>", "*.é", "a\n", f"*.{'a' * MOST}"]
    fitting = "a" * (MOST - len(bench.topic("*.")))
    expect.refused(await bench.peer("peer").register(bench.id("agent"), ""), "the empty pattern")
    await _malformed_patterns(bench, [*bad, f"*.{fitting}a"], good=["a.b", "a.>", "*.a", f"*.{fitting}"])


async def _refused(publisher: Stream, topic: str, what: str, *, names: str) -> None:
    await publisher.publish(topic, b"bad")
    expect.err(await refusal(publisher), "INVALID_TOPIC", what, names=names)


def _of_length(bench: Bench, length: int) -> list[str]:
    """Two topics of so many bytes: one long token, and many of one letter."""
    begin = bench.topic("t")
    room = length - len(begin)
    return [f"{begin}.{'x' * (room - 1)}", begin + ".x" * (room // 2 - 1) + ".x" + "x" * (room % 2)]


async def _stands_for(bench: Bench, patterns: dict[str, list[str]], topics: list[str]) -> None:
    """One agent for each pattern, an event for each topic: each agent hears what its pattern stands for."""
    agents = [
        await bench.join(bench.id(f"agent{number}"), bench.topic(pattern))
        for number, pattern in enumerate(patterns)
    ]
    publisher = await bench.join(bench.id("publisher"))
    for topic in topics:
        await publisher.publish(bench.topic(topic), topic.encode())
    for pattern, events in zip(patterns, await heard(publisher, *agents), strict=True):
        got = [event.decode() for event in events]
        expect.equal(got, patterns[pattern], f"the topics of the events heard under {pattern}")


async def _malformed_patterns(bench: Bench, bad: list[str], good: list[str]) -> None:
    peer = bench.peer("peer")
    for pattern in bad:
        response = await peer.register(bench.id("agent"), bench.topic("fine"), bench.topic(pattern))
        named = pattern[:SHOWN] if pattern.isascii() and pattern.isprintable() else ""
        expect.refused(response, f"the pattern {pattern!r}", names=named)
    for pattern in good:
        response = await peer.register(bench.id("agent"), bench.topic("fine"), bench.topic(pattern))
        expect.true(response.success, f"the pattern {pattern!r}", got=response.error_message)
