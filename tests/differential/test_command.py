"""`make fuzz`: what it prints, keeps and answers."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from loom_testing.engine import inputs as i
from loom_testing.engine.trace import Header
from tests.differential.kept import keep
from tests.differential.operations import Case, Step
from tests.differential.rust import ROOT
from tests.differential.values import START

COMMAND = [sys.executable, "-m", "tests.differential"]
PLANTED = [sys.executable, "-m", "tests.differential.planted"]
FAULT = ["loom_testing.engine.publish", "matched = sum(1 for", "matched = 1 + sum(1 for"]
"""Receipts count one receiver too many."""


def fuzz(
    *arguments: str | Path, command: list[str] = COMMAND, **environ: str
) -> subprocess.CompletedProcess[str]:
    import os

    return subprocess.run(
        [*command, *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_a_run_says_what_it_played(tmp_path) -> None:
    done = fuzz("--lane", "engine", "--operations", "300", "--seed", "7", "--keep", tmp_path, "--json")
    assert done.returncode == 0, done.stderr
    assert "lane engine: 300 operations, seed 7" in done.stderr
    assert "no difference" in done.stderr
    lane = json.loads(done.stdout)["engine"]
    assert lane["operations"] >= 300
    assert lane["seeds"]["first"] == 7
    assert lane["divergences"] == 0
    assert sum(lane["kinds"].values()) == lane["operations"]
    assert lane["versions"]["loom-bridge"][0].isdigit()


def test_the_same_seed_plays_the_same(tmp_path) -> None:
    runs = [fuzz("--lane", "engine", "--operations", "500", "--seed", "8", "--json") for _ in range(2)]
    kinds = [json.loads(run.stdout)["engine"]["kinds"] for run in runs]
    assert kinds[0] == kinds[1]


@pytest.mark.parametrize("lane", ["engine", "grpc"])
def test_a_planted_fault_is_found_kept_and_found_again(lane: str, tmp_path) -> None:
    if lane == "engine":
        command, how = [*PLANTED, *FAULT, "tests.differential"], []
    else:
        command, how = COMMAND, ["--fake", shlex.join([*PLANTED, *FAULT, "loom.cli.fake"])]
    done = fuzz(
        "--lane", lane, "--operations", "5000", "--seed", "1", "--keep", tmp_path, *how, command=command
    )
    assert done.returncode == 1, done.stderr
    assert "matched" in done.stdout
    assert "Publish(" in done.stdout
    (kept,) = tmp_path.iterdir()
    assert len(Case.read(kept).steps) <= 8, done.stdout
    assert f"kept in {tmp_path}" in done.stderr or "kept in " in done.stderr
    again = fuzz(kept, *how, command=command)
    assert (again.returncode, again.stdout) == (1, done.stdout)
    later = fuzz("--lane", lane, "--operations", "1", "--keep", tmp_path, *how, command=command)
    assert later.returncode == 1
    assert "a kept case shows a difference" in later.stderr
    assert fuzz(kept).returncode == 0


def test_what_is_kept_and_shows_nothing_is_said(tmp_path) -> None:
    path = keep(Case("engine", Header(START, {}), [Step(START, i.Open(1))]), tmp_path)
    done = fuzz(path)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.endswith("1 operations, no difference\n")


def test_without_the_rust_engine_nothing_is_green() -> None:
    done = fuzz("--lane", "engine", LOOM_ENGINE_BIN="/nowhere/loom-engine")
    assert done.returncode == 3
    assert "could not run: LOOM_ENGINE_BIN is /nowhere/loom-engine, where there is no file" in done.stderr


def test_a_bridge_that_does_not_come_up_is_one_line() -> None:
    done = fuzz("--lane", "grpc", "--fake", f"{shlex.quote(sys.executable)} -c 'raise SystemExit(9)'")
    assert done.returncode == 3
    assert "could not run: fake did not come up: exit code 9" in done.stderr


@pytest.mark.parametrize("arguments", [["--lane", "sea"], ["--operations", "0"], ["no-such-case.jsonl"]])
def test_misuse(arguments: list[str]) -> None:
    done = fuzz(*arguments)
    assert done.returncode == 2
    assert "Error" in done.stderr


def test_a_file_that_is_no_case(tmp_path) -> None:
    path = tmp_path / "engine-1.jsonl"
    path.write_text("nonsense\n")
    done = fuzz(path)
    assert done.returncode == 3
    assert "the first line is no header of a kept case" in done.stderr
