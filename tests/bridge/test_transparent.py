"""A proxy in front of a bridge is not noticed: the conformance suite holds through it as at an address."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from loom.endpoint import Endpoint
from loom_conformance import document, targets
from loom_conformance.result import Outcome
from loom_testing.proxy import ThreadedProxy

LEAST = 400
"""So many clauses are judged at least; else the run shows nothing."""


@pytest.mark.over_grpc
async def test_the_conformance_suite_holds_through_it(bridge_kind, tmp_path):
    async with targets.choose(bridge_kind).open() as opened:
        proxy = await asyncio.to_thread(ThreadedProxy, Endpoint(opened.target.address))
        try:
            code, said = await asyncio.to_thread(judged, proxy.address, tmp_path)
            clocks, links = dict(proxy._proxy.clocks._joint), set(proxy._proxy._links)
        finally:
            await asyncio.to_thread(proxy.close)
    result = document.load((tmp_path / "result.json").read_text(encoding="utf-8"), "result.json")
    failed = [clause.clause for clause in result.clauses if clause.outcome is Outcome.FAILED]
    assert failed == [], said
    assert code == 0, said
    assert sum(clause.outcome is Outcome.PASSED for clause in result.clauses) > LEAST
    assert clocks == {}, "clocks of namespaces that have ended"
    assert links == set(), "connections that are over"


def judged(address: str, folder: Path) -> tuple[int, str]:
    """Runs the suite: its exit code, and what it said."""
    # Two at once: the checks' own patience is for a bridge, and here a proxy in Python does its work as well.
    command = [sys.executable, "-m", "loom.cli", "conformance", "--target", address, "-n", "2"]
    command += ["--report", str(folder)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    return run.returncode, run.stdout + run.stderr
