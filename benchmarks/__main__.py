"""python -m benchmarks [ROW ...] [--rounds N] [--no-keep]"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import importlib
import os
import pkgutil
import sys
import time

from benchmarks import rows
from benchmarks.cores import on_one_core
from benchmarks.machine import describe
from benchmarks.measure import Row, measure
from benchmarks.report import Record, keep, record, show, summary

ROUNDS = 5


def all_rows() -> dict[str, Row]:
    """Every row there is, by name."""
    modules = sorted(module.name for module in pkgutil.iter_modules(rows.__path__))
    found: list[Row] = [importlib.import_module(f"{rows.__name__}.{name}").ROW for name in modules]
    return {row.name: row for row in found}


def main() -> int:
    """Measures the rows asked for, or all."""
    parser = argparse.ArgumentParser(prog="make bench", description="Ratios beside the peers, in one run.")
    known = all_rows()
    parser.add_argument("row", nargs="*", help=f"which rows: {', '.join(known)}; all when none is named")
    parser.add_argument(
        "--rounds", type=int, default=ROUNDS, help=f"how often each contestant has its turn ({ROUNDS})"
    )
    parser.add_argument("--no-keep", action="store_true", help="print only; leave results/ as it is")
    options = parser.parse_args()
    unknown = [name for name in options.row if name not in known]
    if unknown:
        parser.error(f"no row {', '.join(unknown)}; there are {', '.join(known)}")
    if options.rounds < 1:
        parser.error(f"--rounds {options.rounds}: give a whole number from 1")
    began = time.monotonic()
    records = [run(known[name], options.rounds) for name in options.row or known]
    print(summary(records))
    if not options.no_keep:
        print("kept in " + ", ".join(os.path.relpath(keep(kept)) for kept in records))
    print(f"took {time.monotonic() - began:.0f} s")
    return 0


def run(row: Row, rounds: int) -> Record:
    """Measures one row and shows it."""
    machine = describe()
    with on_one_core() if row.one_core else contextlib.nullcontext(False) as kept_on_one:
        if kept_on_one:
            machine["cores"] = f"1 of {machine['cores']}"
        figures = asyncio.run(measure(row, rounds, progress))
    versions: dict[str, str] = {}
    for contestant, taken in zip(row.contestants, figures, strict=True):
        if not taken.problem:
            versions |= contestant.versions()
    kept = record(row, figures, machine, versions, rounds)
    progress("")
    print(show(kept), end="\n\n", flush=True)
    return kept


def progress(line: str) -> None:
    """Who does what now, on a terminal only."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{line}")
        sys.stderr.flush()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
