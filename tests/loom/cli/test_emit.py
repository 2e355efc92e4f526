"""`loom emit` against a bridge."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.loom.cli.conftest import Loom


def test_emit_says_how_many_received_it(at: Loom) -> None:
    heard = at("emit", "paper.new", '{"title": "On Looms"}')
    assert (heard.exit_code, heard.stdout, heard.stderr) == (0, "", "✓ published to 1 agent\n")
    unheard = at("emit", "nobody.hears.this", "a=1")
    assert (unheard.exit_code, unheard.stderr) == (0, "! published; nobody hears nobody.hears.this\n")
    told = at("emit", "paper.new", "a=1", "--ttl", "5", "--type", "Paper", "--thread", "t1", "--json")
    assert json.loads(told.stdout) == {"ok": True, "matched": 1}


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (["paper.*", "{}"], 2, "'paper.*' is no topic to publish to"),
        (["", "{}"], 2, "'' is no topic to publish to"),
        (["x" * 256, "{}"], 2, "is no topic to publish to"),
        (["t", "{"], 2, "is no JSON"),
        (["t", "[" * 100_000], 2, "is no JSON (it is nested too deeply)"),
        (["t", "[" * 300 + "]" * 300], 2, "cannot be written as JSON"),
        (["t", "@nowhere"], 2, "cannot read nowhere"),
        (["t", "a=1", "{}"], 2, "is not key=value"),
        (["t", "--ttl", "0"], 2, "is not in the range"),
        (["t", "--ttl", "nan"], 2, "'nan' is not a number of seconds"),
        (["t", "--bridge", "127.0.0.1:1"], 3, "no bridge answers at 127.0.0.1:1"),
    ],
)
def test_emit_that_fails_is_one_line_and_an_exit_code(
    at: Loom, args: list[str], code: int, says: str
) -> None:
    done = at("emit", *args)
    assert (done.exit_code, done.stdout) == (code, ""), done.output
    assert says in done.stderr
    assert done.stderr.count("\n") == 1
