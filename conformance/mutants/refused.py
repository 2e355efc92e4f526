"""Bugs in which publishes are refused and how (PUB-5)."""

from __future__ import annotations

from mutants.mutant import Mutant

__all__ = ["MUTANTS"]

EVENT = "loom_testing/engine/event.py"
PUBLISH = "loom_testing/engine/publish.py"
TOPICS = "loom_testing/engine/topics.py"

NO_ERR = r"the answers to publisher.*: expected one err, got \[\]"

MUTANTS = [
    Mutant(
        clause="PUB-5.1",
        name="wildcards-in-topics",
        why="a wildcard alone in its token is let through in topics",
        file=TOPICS,
        old='        if STAR in token or REST in token:\n            return "has a wildcard where',
        new="        if token in (STAR, REST):\n            continue\n"
        '        if STAR in token or REST in token:\n            return "has a wildcard where',
        killed_by=NO_ERR,
    ),
    Mutant(
        clause="PUB-5.2",
        name="the-topic-is-not-shown",
        why="the message says what is wrong with the topic, and not with which",
        file=PUBLISH,
        old='f"topic {quote(message.topic)} {problem}"',
        new='f"the topic {problem}"',
        killed_by="message names the culprit: expected .*orders..new",
    ),
    Mutant(
        clause="PUB-5.2",
        name="every-refusal-is-an-invalid-message",
        why="the err of a malformed topic has a code of another problem",
        file=PUBLISH,
        old="raise _Refused(Code.INVALID_TOPIC,",
        new="raise _Refused(Code.INVALID_MESSAGE,",
        killed_by="the err's code: expected 'INVALID_TOPIC', got 'INVALID_MESSAGE'",
    ),
    Mutant(
        clause="PUB-5.3",
        name="no-event-is-an-empty-one",
        why="a publish without an event is delivered with an empty one",
        file=PUBLISH,
        old='        raise _Refused(Code.INVALID_EVENT, "the publish carries no event")\n',
        new='        message.event = b""\n',
        killed_by=NO_ERR,
    ),
    Mutant(
        clause="PUB-5.4",
        name="lengths-are-clamped",
        why="a field longer than what is left is taken to end with the event",
        file=EVENT,
        old='        raise Malformed("a field is longer than what is left")\n',
        new="        length = end - position\n",
        killed_by=NO_ERR,
    ),
    Mutant(
        clause="PUB-5.4",
        name="numbers-may-be-cut-off",
        why="a number of fixed size that is cut off is passed over",
        file=EVENT,
        old='    if size > end - position:\n        raise Malformed("it ends inside a number")\n',
        new="",
        killed_by=NO_ERR,
    ),
    Mutant(
        clause="PUB-5.5",
        name="any-bytes-are-a-string",
        why="bytes that are not UTF-8 are replaced where they are looked at",
        file=EVENT,
        old='        return str(data[start:stop], "utf-8")',
        new='        return str(data[start:stop], "utf-8", "replace")',
        killed_by=NO_ERR,
    ),
    Mutant(
        clause="PUB-5.5",
        name="metadata-is-not-looked-at",
        why="strings are checked in the event itself, and not in its metadata",
        file=EVENT,
        old="            _utf8(data, start, position)\n            value = data[start:position]",
        new="            value = data[start:position]",
        killed_by=NO_ERR,
    ),
    Mutant(
        clause="PUB-5.6",
        name="wire-types-do-not-matter",
        why="a known field of another wire type is passed over as if it were unknown",
        file=EVENT,
        old='            raise Malformed(f"field {field} has wire type {wire_type}")',
        new="            last_known = 0",
        killed_by=NO_ERR,
    ),
    Mutant(
        clause="PUB-5.7",
        name="groups-as-deep-as-you-like",
        why="groups may be nested ten times as deep",
        file=EVENT,
        old="if len(open_groups) > GROUPS_DEEP:",
        new="if len(open_groups) > GROUPS_DEEP * 10:",
        killed_by=NO_ERR,
    ),
    Mutant(
        clause="PUB-5.7",
        name="any-end-ends-a-group",
        why="the end of a group is not compared with its beginning",
        file=EVENT,
        old="if not open_groups or open_groups.pop() != field:",
        new="if not open_groups or not open_groups.pop():",
        killed_by=NO_ERR,
    ),
    Mutant(
        clause="PUB-5.8",
        name="field-zero",
        why="a field number 0 is taken for an unknown field",
        file=EVENT,
        old="    if tag >> 3 == 0:\n",
        new="    if tag == 0:\n",
        killed_by=NO_ERR,
    ),
    Mutant(
        clause="PUB-5.8",
        name="numbers-of-any-length",
        why="a number may have as many bytes as it likes",
        file=EVENT,
        old="if shift == 63 and byte > 1:",
        new="if shift == 700 and byte > 1:",
        killed_by=NO_ERR,
    ),
    Mutant(
        clause="PUB-5.9",
        name="ttl-zero",
        why="any ten digits are a time to live",
        file=PUBLISH,
        old='_TTL = re.compile(rb"[1-9][0-9]{0,9}")',
        new='_TTL = re.compile(rb"[0-9]{1,10}")',
        killed_by=NO_ERR,
    ),
    Mutant(
        clause="PUB-5.9",
        name="ttl-as-python-reads-it",
        why="whatever int() reads is a time to live",
        file=PUBLISH,
        old='_TTL = re.compile(rb"[1-9][0-9]{0,9}")',
        new='_TTL = re.compile(rb"\\s*[+]?[1-9][0-9]{0,9}\\s*")',
        killed_by=NO_ERR,
    ),
    Mutant(
        clause="PUB-5.10",
        name="ttl-of-nine-digits",
        why="a time to live has nine digits at the most",
        file=PUBLISH,
        old='_TTL = re.compile(rb"[1-9][0-9]{0,9}")',
        new='_TTL = re.compile(rb"[1-9][0-9]{0,8}")',
        killed_by="loom.ttl_ms=9999999999: expected nothing, got .*INVALID_TTL",
    ),
    Mutant(
        clause="PUB-5.11",
        name="errs-about-nothing",
        why="the err of a refused publish does not say which",
        file=PUBLISH,
        old="        _refuse(core, stream, refused, _event_id(message))",
        new='        _refuse(core, stream, refused, "")',
        killed_by=r"what the err is about \(ref\): expected 'event-one', got ''",
    ),
    Mutant(
        clause="PUB-5.12",
        name="refused-and-delivered",
        why="an event with a bad time to live is refused, and delivered all the same",
        file=PUBLISH,
        old="        _refuse(core, stream, refused, _event_id(message))\n        return\n",
        new="        _refuse(core, stream, refused, _event_id(message))\n"
        "        if refused.code is not Code.INVALID_TTL:\n            return\n"
        '        published = Published(message.topic, message.event, "", stream.agent_id, None)\n',
        killed_by="heard of refused publishes: expected nothing, got .*bad ttl",
    ),
    Mutant(
        clause="PUB-5.13",
        name="refused-and-thrown-out",
        why="a stream on which something was refused is ended",
        file=PUBLISH,
        old="    flow.reply(core, stream, Err(refused.code, refused.message, ref))\n",
        new="    flow.reply(core, stream, Err(refused.code, refused.message, ref))\n"
        "    from loom_testing.engine import sessions\n\n"
        '    sessions.leave(core, stream, "INVALID_ARGUMENT", refused.code)\n',
        killed_by="the stream of publisher.*its end with INVALID_ARGUMENT",
    ),
    Mutant(
        clause="PUB-5.14",
        name="receipts-about-nothing",
        why="a publish without pub_seq is confirmed under 0",
        file=PUBLISH,
        old='if message.confirm and "confirm" in stream.features and message.pub_seq:',
        new='if message.confirm and "confirm" in stream.features:',
        killed_by="the kind of the answer: expected 'err', got 'receipt'",
    ),
    Mutant(
        clause="PUB-5.15",
        name="receipts-for-all-who-ask",
        why="a receipt is given whether or not the feature was agreed",
        file=PUBLISH,
        old='if message.confirm and "confirm" in stream.features and message.pub_seq:',
        new="if message.confirm and message.pub_seq:",
        killed_by="the kind of the answer: expected 'err', got 'receipt'",
    ),
]
