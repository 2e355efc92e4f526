"""`loom capabilities` against a bridge."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.loom.cli.conftest import Loom


def test_capabilities(at: Loom) -> None:
    lines = at("capabilities").stdout.splitlines()
    assert lines == [
        "add     1.0  a b=1         Adds",
        "broken  -",
        "shout   -    text",
        "slow    -    seconds=60.0",
    ]
    listed = json.loads(at("capabilities", "--json").stdout)
    assert [each["name"] for each in listed] == ["add", "broken", "shout", "slow"]
    assert listed[0]["input_schema"]["required"] == ["a"]
    assert listed[0]["description"] == "Adds. Really."


def test_no_capabilities(at: Loom) -> None:
    done = at("capabilities", "--namespace", "empty")
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr == "nothing can be called now; start an agent that offers a capability\n"
