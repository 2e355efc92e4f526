"""Prints a measured row and keeps it as JSON."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.measure import Figures, Row

__all__ = ["keep", "show"]

RESULTS = Path(__file__).parent / "results"


def show(row: Row, figures: list[Figures]) -> str:
    """The row as a small table: milliseconds, and each contestant as a multiple of ours."""
    ours = figures[0]
    width = max(len(one.name) for one in figures)
    lines = [f"{row.name}: {row.job}", f"  {'':{width}}  p50 ms    p99 ms      per s  spread   ratio"]
    for one in figures:
        ratio = one.p50 / ours.p50
        lines.append(
            f"  {one.name:{width}}  {one.p50:6.3f}  {one.p99:8.3f}  {1000 / one.p50:9.0f}"
            f"  {one.spread:6.0%}  {ratio:5.2f}x"
        )
    lines.append(f"  target: {row.target}")
    return "\n".join(lines)


def keep(row: Row, figures: list[Figures], machine: dict[str, object], folder: Path = RESULTS) -> Path:
    """Appends the row to results/NAME.json, newest last; the file's path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{row.name}.json"
    kept = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    kept.append(
        {
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "job": row.job,
            "target": row.target,
            "machine": machine,
            "contestants": [
                {
                    "name": one.name,
                    "p50_ms": round(one.p50, 3),
                    "p99_ms": round(one.p99, 3),
                    "ratio": round(one.p50 / figures[0].p50, 3),
                    "spread": round(one.spread, 3),
                    "samples": len(one.samples),
                }
                for one in figures
            ],
        }
    )
    path.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    return path
