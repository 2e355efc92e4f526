"""What cargo-mutants writes, read: its list of mutants, its outcomes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from scripts.mutants.mutant import Mutant, Outcome, numbered

__all__ = ["read_mutants", "read_outcomes"]

OUTCOMES = {
    "CaughtMutant": Outcome.KILLED,
    "MissedMutant": Outcome.SURVIVED,
    "Timeout": Outcome.TIMEOUT,
    "Unviable": Outcome.UNVIABLE,
}


def read_mutants(listing: Iterable[Mapping[str, Any]], workspace: Path) -> list[Mutant]:
    """The mutants of `cargo mutants --list --json`."""
    sources: dict[str, list[str]] = {}
    made = []
    for entry in listing:
        file = entry["file"]
        if file not in sources:
            sources[file] = (workspace / file).read_text(encoding="utf-8").splitlines()
        function = entry["function"]["function_name"] if entry["function"] else "(outside)"
        line = entry["span"]["start"]["line"]
        change = describe(entry, sources[file])
        made.append(Mutant(Path(file).name, function, change, line, entry["name"]))
    return numbered(made)


def describe(entry: Mapping[str, Any], lines: list[str]) -> str:
    """What stood there, an arrow, what stands there now. What is more than a line is told in words."""
    if entry["genre"] == "FnValue":
        return f"the body → {entry['replacement']}"
    start, end = entry["span"]["start"], entry["span"]["end"]
    if start["line"] != end["line"]:
        words = str(entry["name"]).partition(": ")[2]
        return words.removesuffix(f" in {entry['function']['function_name']}")
    line = lines[start["line"] - 1]
    after = line[: start["column"] - 1] + str(entry["replacement"]) + line[end["column"] - 1 :]
    return f"{line.strip()} → {after.strip() or 'nothing'}"


def read_outcomes(data: Mapping[str, Any]) -> dict[str, Outcome]:
    """What became of the mutants of one run, by the tool's names for them."""
    return {
        entry["scenario"]["Mutant"]["name"]: OUTCOMES[entry["summary"]]
        for entry in data["outcomes"]
        if entry["scenario"] != "Baseline" and entry["summary"] in OUTCOMES
    }
