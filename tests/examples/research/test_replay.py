"""A recorded run of `make demo`, replayed: the planner against what the others sent then.

`answer.jsonl` was recorded as docs/transcripts.md says, and as the last test here does it again: with
`loom-testing tap`, while the trio answered "How does the kiln cool?" from the kiln's manual of these tests,
with nothing remembered.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from loom_testing import LoomBridge
from loom_testing.transcript import load

QUESTION = "How does the kiln cool?"
RECORDED = Path(__file__).with_name("answer.jsonl")
ROOT = Path(__file__).parents[3]
MEASURED = ("process", "timings")
PATIENCE = 60.0  # seconds


def replay(file: Path, bridge: LoomBridge, home: Path) -> subprocess.CompletedProcess[str]:
    """Replays the planner on the test's bridge."""
    command = [sys.executable, "-m", "loom_testing", "replay", str(file), "--bridge", bridge.address]
    command += ["--agent", "examples.research.planner:agent", "--timeout", "30"]
    command += [word for name in MEASURED for word in ("--ignore", name)]
    environment = {**os.environ, "RESEARCH_HOME": str(home)}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_the_planner_does_what_it_did(loom_bridge: LoomBridge, tmp_path: Path):
    done = replay(RECORDED, loom_bridge, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "planner did the same: " in done.stdout


def test_a_planner_that_was_told_something_else_is_found_out(loom_bridge: LoomBridge, tmp_path: Path):
    text = RECORDED.read_text(encoding="utf-8")
    changed = tmp_path / "changed.jsonl"
    changed.write_text(text.replace("looking for In short", "looking for nothing"), encoding="utf-8")
    done = replay(changed, loom_bridge, tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    assert 'recorded "looking for nothing", now "looking for In short"' in done.stdout


def test_everybody_of_the_trio_was_recorded():
    lanes = {entry.who for entry in load(RECORDED).entries}
    assert {"asker", "planner", "writer", "researcher-1", "researcher-2"} <= lanes


def test_a_run_is_recorded_and_replayed_as_documented(loom_bridge: LoomBridge, manual: Path, tmp_path: Path):
    recorded = tmp_path / "demo.jsonl"
    tapping = [sys.executable, "-m", "loom_testing", "tap", loom_bridge.address, "-o", str(recorded)]
    demo = [sys.executable, "-m", "examples.research", QUESTION, "--folder", str(manual)]
    environment = {**os.environ, "LOOM_BRIDGE_ADDR": loom_bridge.address, "RESEARCH_HOME": str(tmp_path)}
    with subprocess.Popen(tapping, cwd=ROOT, stderr=subprocess.PIPE, text=True) as tap:
        assert tap.stderr is not None
        assert tap.stderr.readline().startswith("recording ")
        asked = subprocess.run(
            demo, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        tap.send_signal(signal.SIGINT)
        said = tap.communicate(timeout=PATIENCE)[1]
    assert asked.returncode == 0, asked.stderr
    assert (tap.returncode, " entries of namespace research-" in said) == (0, True)
    assert QUESTION in recorded.read_text("utf-8")
    done = replay(recorded, loom_bridge, tmp_path / "fresh")
    assert done.returncode == 0, done.stdout + done.stderr
