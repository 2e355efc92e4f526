"""The terminal: a table, what is to be mended, the verdict last."""

from __future__ import annotations

import click

from loom_conformance.report import terminal
from tests.conformance.made import bad, clause, concluded, failed, good, passed


def lines(result) -> list[str]:
    return click.unstyle(terminal.draw(result)).splitlines()


def test_a_good_run():
    assert lines(good()) == [
        "   area                       passed  failed  set aside  planned",
        "✓  PUB   Publish and deliver  1/1     ·       ·          ·",
        "",
        "✓ my-bridge 2.0 conforms to the Loom bridge protocol",
        "  full 1/1: 1 passed; 1 check in 1.5 s",
    ]


def test_a_bad_run():
    said = lines(bad())
    assert said[1].split() == ["✓", "HB", "Heartbeat", "1/1", "·", "·", "·"]
    assert said[2].split() == ["✗", "PUB", "Publish", "and", "deliver", "0/4", "3", "2", "1"]
    for line in (
        "· PUB-4.1 fails, as is known: It is old. (https://bugs.example/1)",
        "✗ PUB-1.1 MUST  failed",
        "    tried     What twice tries.",
        "    looked at the deliveries",
        "    expected  1 <event>",
        "    got       2 <events>",
        "    error     KeyError: 'x'",
        "✗ less than the profile says",
    ):
        assert line in said, line
    assert said[-2] == "✗ my-bridge 2.0 does not conform to the Loom bridge protocol"


def test_no_line_is_too_wide_and_no_value_too_long():
    said = lines(concluded([clause(text=f"{'word ' * 60}end.")], [failed("a", got="x " * 2000)]))
    assert max(map(len, said)) <= terminal.WIDTH
    assert any(line.endswith("…") for line in said)


def test_the_first_broken_clauses_are_shown_and_the_others_counted():
    clauses = [clause(f"PUB-1.{number}") for number in range(1, 31)]
    said = lines(concluded(clauses, [failed(f"c{one.id}", one.id) for one in clauses]))
    assert sum("MUST  failed" in line for line in said) == terminal.MOST
    assert "✗ and 10 clauses more; --report DIR writes them all" in said


def test_what_was_not_judged_is_no_fault_of_the_bridge():
    said = lines(concluded([clause(), clause("PUB-1.2")], [passed("a")]))
    assert not any(line.startswith("✗ PUB-1.2") for line in said)
    assert said[-2] == "! my-bridge 2.0 could not be tested"
