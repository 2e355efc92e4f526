"""The published result of the fuzzer: conformance/fidelity.json, which docs/fidelity.md draws."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.machine import describe, installed
from tests.differential.campaign import Outcome
from tests.differential.kept import KEPT
from tests.differential.normal import NORMALISED
from tests.differential.rust import ROOT

__all__ = ["FORMAT", "PUBLISHED", "publish", "record"]

FORMAT = 1
PUBLISHED = ROOT / "conformance" / "fidelity.json"

LEFT_OUT = {
    "operations at the same time": (
        "more than one outcome is right, so two bridges may differ; each operation settles before the next"
    ),
    "cut connections, frozen processes, lost packets": (
        "they break a stream as a reset does, which is played; when they are noticed is real time"
    ),
    "small windows of the transport, over gRPC": (
        "what is sent when would depend on its pace; played engine to engine, where its pace is played too"
    ),
    "a bridge that stops, over gRPC": (
        "its grace is real time and it takes the process along; played engine to engine"
    ),
}
"""What is not played, and why."""


def record(outcome: Outcome, bridge_version: str) -> dict[str, Any]:
    """One lane's run."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "operations": outcome.operations,
        "cases": outcome.cases,
        "divergences": 0 if outcome.divergence is None else 1,
        "seeds": {"first": outcome.seed, "rounds": outcome.rounds},
        "seconds": round(outcome.seconds, 1),
        "kinds": dict(sorted(outcome.kinds.items())),
        "versions": {**installed("hypothesis"), "loom-bridge": bridge_version},
        "machine": describe(),
    }


def publish(records: dict[str, dict[str, Any]], path: Path = PUBLISHED) -> Path:
    """Writes what was run; a lane that was not keeps its last result."""
    known = json.loads(path.read_text(encoding="utf-8"))["lanes"] if path.exists() else {}
    published = {
        "format": FORMAT,
        "lanes": {**known, **records},
        "kept_cases": len(list(KEPT.glob("*.jsonl"))),
        "normalised": [{"what": what, "why": why} for what, why in NORMALISED.items()],
        "left_out": [{"what": what, "why": why} for what, why in LEFT_OUT.items()],
    }
    path.write_text(json.dumps(published, indent=2) + "\n", encoding="utf-8")
    return path


def version_of(command: list[str]) -> str:
    """What a bridge's program says of itself."""
    said = subprocess.run([*command, "--version"], capture_output=True, text=True, check=False)
    return said.stdout.strip().rpartition(" ")[2] or "unknown"
