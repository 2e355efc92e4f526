"""Faults that are planted for the fuzzer to find."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.differential.planted import plant
from tests.differential.rust import ROOT

PROGRAM = [sys.executable, "-m", "tests.differential.planted"]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, *arguments],
        cwd=ROOT,
        env={**os.environ, "LOOM_ENGINE_BIN": "not-there"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_program_runs_with_the_fault() -> None:
    done = run(
        "tests.differential.rust",
        'HOW = "build it',
        'HOW = "by all means build it',
        "tests.differential",
        "--lane=engine",
    )
    assert done.returncode == 3
    assert "where there is no file; by all means build it with" in done.stderr


def test_what_does_not_stand_there_once_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'no such text' stands 0 times in loom_testing\.serve"):
        plant("loom_testing.serve", "no such text", "")
    with pytest.raises(ValueError, match=r"'async' stands .* times in loom_testing\.serve"):
        plant("loom_testing.serve", "async", "")


def test_what_was_imported_already_is_refused() -> None:
    with pytest.raises(ValueError, match=r"tests\.differential\.planted was imported already"):
        plant("tests.differential.planted", "from types import CodeType, ModuleType\n", "")


def test_a_package_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match="there is no package nowhere"):
        plant("nowhere.module", "", "")
