"""Bugs in the numbers of the extensions' fields (BASE-8)."""

from __future__ import annotations

from mutants.mutant import Mutant

__all__ = ["MUTANTS"]

CODEC = "loom_testing/codec.py"

MUTANTS = [
    Mutant(
        clause="BASE-8.1",
        name="a-refusal-without-a-code",
        why="the answer to a registration has no error code",
        file=CODEC,
        old="        error_code=reply.error_code,\n",
        new="",
        killed_by="field 100 of a refusal .*: expected b'INVALID_AGENT_ID', got None",
    ),
    Mutant(
        clause="BASE-8.2",
        name="the-epoch-is-the-credit",
        why="a Welcome has its epoch where the credit belongs",
        file=CODEC,
        old="    welcome.epoch, welcome.resumed = message.epoch, message.resumed\n"
        "    welcome.lost, welcome.credit = message.lost, message.credit\n",
        new="    welcome.credit, welcome.resumed = message.epoch, message.resumed\n"
        "    welcome.lost = message.lost\n",
        killed_by="field 1 of the Welcome .*: expected a number above 0, got None",
    ),
    Mutant(
        clause="BASE-8.3",
        name="ref-and-matched-change-places",
        why="a receipt has its ref where the number of receivers belongs",
        file=CODEC,
        old="    receipt.ref, receipt.matched, receipt.code = message.ref,",
        new="    receipt.matched, receipt.ref, receipt.code = message.ref,",
        killed_by="fields 1 and 2 of the receipt .*: expected {1: 5, 2: 1}, got {1: 1, 2: 5}",
    ),
    Mutant(
        clause="BASE-8.4",
        name="nothing-is-fatal",
        why="no err says that the stream ends after it",
        file=CODEC,
        old="message.code, message.message, message.ref, message.fatal\n",
        new="message.code, message.message, message.ref, False\n",
        killed_by="field 101 of the err .*: expected 1, got None",
    ),
    Mutant(
        clause="BASE-8.5",
        name="observers-are-not-read",
        why="whether a subscription observes is not read",
        file=CODEC,
        old="            observer=item.observer,\n",
        new="",
        killed_by="success where fields 4 and 5 are both set .*: expected 0, got 1",
    ),
    Mutant(
        clause="BASE-8.6",
        name="the-ref-of-a-change-is-another",
        why="the receipt of a Subscribe has another ref",
        file=CODEC,
        old="messages.Subscribe(event.subscribe.ref,",
        new="messages.Subscribe(event.subscribe.ref + 1,",
        killed_by="the ref of the receipt, as in field 1 of the change: expected 7, got 8",
    ),
    Mutant(
        clause="BASE-8.7",
        name="no-goodbye-is-known",
        why="a goodbye is taken for a message that nobody knows",
        file=CODEC,
        old='    "goodbye": _goodbye,\n',
        new="",
        killed_by="the stream after field 104 .*: expected that the bridge ends the stream, got nothing",
    ),
    Mutant(
        clause="BASE-8.8",
        name="the-cancel-s-id-is-its-code",
        why="a cancel has its id where the code belongs",
        file=CODEC,
        old="    event.action_cancel.id, event.action_cancel.code = message.id, message.code\n",
        new="    event.action_cancel.code, event.action_cancel.id = message.id, message.code\n",
        killed_by="the cancel's fields .*: expected .*CANCELLED",
    ),
]
