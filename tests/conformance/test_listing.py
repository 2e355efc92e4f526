"""The clauses for those who look them up."""

from __future__ import annotations

import click

from loom_conformance import listing
from tests.conformance.made import check, clause

CLAUSES = [
    clause("HB-1.1"),
    clause("PUB-1.1", feature="confirm", level="SHOULD"),
    clause("SES-8.1", feature="resume", planned=True),
]
CHECKS = [check("a", "PUB-1.1"), check("b", "PUB-1.1", needs=("control",))]


def test_a_table_by_area():
    assert click.unstyle(listing.table(CLAUSES, CHECKS)).splitlines() == [
        "HB  Heartbeat",
        "  HB-1.1   MUST    What HB-1.1 says, with `code` in it. (0 checks)",
        "",
        "PUB  Publish and deliver",
        "  PUB-1.1  SHOULD  What PUB-1.1 says, with `code` in it. (2 checks with confirm)",
        "",
        "SES  Handshake and sessions",
        "  SES-8.1  MUST    What SES-8.1 says, with `code` in it. (planned with resume)",
        "",
        "3 clauses, 1 planned, 2 checks",
    ]


def test_clauses_are_explained_with_their_checks():
    assert click.unstyle(listing.explained(CLAUSES[1:], CHECKS)).splitlines() == [
        "PUB-1.1  SHOULD, since version 1 of the protocol",
        "    What PUB-1.1 says, with `code` in it.",
        "    why    Why PUB-1.1 is there.",
        "    needs  confirm: receipts for publishes",
        "    tried  What a tries.",
        "    tried  What b tries. (needs control)",
        "",
        "SES-8.1  MUST, since version 1 of the protocol",
        "    What SES-8.1 says, with `code` in it.",
        "    why    Why SES-8.1 is there.",
        "    needs  resume: sessions outlive a broken stream",
        "    tried  not yet: this is planned",
    ]


def test_long_texts_are_wrapped_below_themselves():
    (clause_line, *rest) = listing.table([clause(text=f"{'word ' * 40}end.")], []).splitlines()[1:]
    assert all(len(line) <= listing.WIDTH + 20 for line in [clause_line, *rest])
    assert rest[0].startswith(" " * len("  PUB-1.1  MUST    "))


def test_the_same_as_data():
    told = listing.as_json(CLAUSES[1:2], CHECKS)
    assert (told[0]["id"], told[0]["level"], told[0]["planned"]) == ("PUB-1.1", "SHOULD", False)
    assert told[0]["checks"][1] == {"name": "b", "summary": "What b tries.", "needs": ["control"]}
