"""Completion scripts, and what they ask for."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.loom.cli.conftest import Loom


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_and_how_to_install_it(loom: Loom, shell: str) -> None:
    done = loom("completion", shell)
    assert done.exit_code == 0
    assert f"loom completion {shell}" in done.stdout.splitlines()[1]
    assert f"_LOOM_COMPLETE={shell}_complete" in done.stdout
    assert done.stderr == ""


def test_an_unknown_shell(loom: Loom) -> None:
    done = loom("completion", "tcsh")
    assert done.exit_code == 2
    assert done.stderr.count("\n") == 1
    assert "'bash'" in done.stderr


def complete(words: str, position: int, **extra: str) -> list[str]:
    environ = (
        os.environ
        | extra
        | {
            "_LOOM_COMPLETE": "bash_complete",
            "COMP_WORDS": words,
            "COMP_CWORD": str(position),
        }
    )
    done = subprocess.run(
        [sys.executable, "-m", "loom.cli"], env=environ, capture_output=True, text=True, check=False
    )
    return [line.partition(",")[2] for line in done.stdout.splitlines() if line]


def test_bash_is_told_commands_options_and_choices() -> None:
    assert complete("loom c", 1) == ["call", "capabilities", "conformance", "completion"]
    assert "--dir" in complete("loom new --", 2)
    assert complete("loom completion z", 2) == ["zsh"]


def test_bash_itself_takes_the_script() -> None:
    script = f'eval "$({sys.executable} -m loom.cli completion bash)"; complete -p loom'
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    assert "_loom_completion" in done.stdout


def test_capabilities_are_completed_where_a_bridge_answers(address: str) -> None:
    assert complete("loom call s", 2, LOOM_BRIDGE_ADDR=address) == ["shout", "slow"]
    assert complete(f"loom call --bridge {address} ad", 4) == ["add"]
    assert complete("loom call s", 2, LOOM_BRIDGE_ADDR="127.0.0.1:1") == []


def test_paths_are_left_to_the_shell() -> None:
    assert complete("loom run pap", 2) == complete("loom dev pap", 2) == ["pap"]
