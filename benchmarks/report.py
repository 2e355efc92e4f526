"""A measured row: as it is kept, and as it is shown.

What is shown is made from what is kept, so that the page in the documentation shows the same.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.targets import judge

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.measure import Figures, Row

__all__ = ["Record", "keep", "newest", "record", "show", "summary", "table", "verdict"]

Record = dict[str, Any]
"""A measured row, as JSON."""

RESULTS = Path(__file__).parent / "results"


def record(
    row: Row,
    figures: Sequence[Figures],
    machine: Mapping[str, object],
    versions: Mapping[str, str],
    rounds: int,
) -> Record:
    """The row with everything that was found out."""
    return {
        "row": row.name,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "job": row.job,
        "machine": dict(machine),
        "versions": dict(versions),
        "rounds": rounds,
        "is_rate": row.is_rate,
        "contestants": [_contestant(one, figures[0], is_rate=row.is_rate) for one in figures],
        "targets": [asdict(judge(target, figures)) for target in row.targets],
    }


def table(kept: Record) -> list[list[str]]:
    """The figures: a heading, and a line for each contestant. Ratios are ours to it."""
    ours = kept["contestants"][0]["name"]
    if kept["is_rate"]:
        head = ["", "per second", "slowest", "spread", f"{ours} : it"]
        names: tuple[str, ...] = ("per_second", "slowest_per_second", "spread", "ratio")
        forms: tuple[str, ...] = ("{:,.0f}", "{:,.0f}", "{:.0%}", "{:.3g}x")
    else:
        head = ["", "p50 ms", "p99 ms", "spread", f"{ours} : it, p50", "p99"]
        names = ("p50_ms", "p99_ms", "spread", "ratio", "p99_ratio")
        forms = ("{:.3f}", "{:.3f}", "{:.0%}", "{:.3g}x", "{:.3g}x")
    lines = []
    for one in kept["contestants"]:
        if "not_run" in one:
            lines.append([one["name"], *("-" for _ in names)])
            continue
        cells = [
            form.format(one[name]) if name in one else "" for name, form in zip(names, forms, strict=True)
        ]
        lines.append([one["name"], *cells])
    return [head, *lines]


def show(kept: Record) -> str:
    """The row for a terminal."""
    lines = table(kept)
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    shown = [f"{kept['row']}: {kept['job']}"]
    for first, *rest in lines:
        cells = [f"{cell:>{width}}" for cell, width in zip(rest, widths[1:], strict=True)]
        shown.append(f"  {first:{widths[0]}}  {'  '.join(cells)}")
    shown += [
        f"  {one['name']} did not run: {one['not_run']}" for one in kept["contestants"] if "not_run" in one
    ]
    shown += [f"  {verdict(target)}" for target in kept["targets"]]
    return "\n".join(shown)


def summary(records: Sequence[Record]) -> str:
    """Every target of a run, the versions, and where it was measured."""
    lines = ["targets:"]
    lines += [f"  {kept['row']:10}  {verdict(target)}" for kept in records for target in kept["targets"]]
    machine = records[-1]["machine"]
    versions = {name: version for kept in records for name, version in kept["versions"].items()}
    lines.append("machine: " + ", ".join(f"{key} {value}" for key, value in machine.items()))
    lines.append("versions: " + ", ".join(f"{name} {version}" for name, version in versions.items()))
    return "\n".join(lines)


def verdict(target: Mapping[str, Any]) -> str:
    """What became of a target, in a line."""
    if target["met"] is None:
        return f"{target['target']}; not known: {target['found']}"
    return f"{target['target']}; found {target['found']}: {'reached' if target['met'] else 'not reached'}"


def keep(kept: Record, folder: Path = RESULTS) -> Path:
    """Appends the row to results/NAME.json, newest last; the file's path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{kept['row']}.json"
    path.write_text(json.dumps([*_kept(path), kept], indent=1) + "\n", encoding="utf-8")
    return path


def newest(folder: Path = RESULTS) -> list[Record]:
    """The newest record of every row that is kept, by name."""
    return [_kept(path)[-1] for path in sorted(folder.glob("*.json"))]


def _kept(path: Path) -> list[Record]:
    kept: list[Record] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    return kept


def _contestant(one: Figures, ours: Figures, *, is_rate: bool) -> Record:
    if one.problem:
        return {"name": one.name, "not_run": one.problem}
    kept: Record = {"name": one.name, "spread": round(one.spread, 3), "samples": len(one.samples)}
    compared = one is not ours and not ours.problem
    if is_rate:
        kept["per_second"] = round(one.per_second)
        kept["slowest_per_second"] = round(1000 / max(one.samples))
        if compared:
            kept["ratio"] = round(ours.per_second / one.per_second, 3)
        return kept
    kept["p50_ms"], kept["p99_ms"] = round(one.p50, 3), round(one.p99, 3)
    if compared:
        kept["ratio"], kept["p99_ratio"] = round(ours.p50 / one.p50, 3), round(ours.p99 / one.p99, 3)
    return kept
