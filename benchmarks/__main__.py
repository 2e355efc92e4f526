"""python -m benchmarks [ROW ...] [--rounds N] [--no-keep]"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import pkgutil
import sys

from benchmarks import rows
from benchmarks.machine import describe
from benchmarks.measure import Row, measure
from benchmarks.report import keep, show


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
    parser.add_argument("--rounds", type=int, default=7, help="how often each contestant has its turn (7)")
    parser.add_argument("--no-keep", action="store_true", help="print only; leave results/ as it is")
    options = parser.parse_args()
    unknown = [name for name in options.row if name not in known]
    if unknown:
        parser.error(f"no row {', '.join(unknown)}; there are {', '.join(known)}")
    for name in options.row or known:
        row = known[name]
        distributions = tuple(d for contestant in row.contestants for d in contestant.distributions)
        machine = describe(distributions)
        figures = asyncio.run(measure(row, options.rounds))
        print(show(row, figures))
        print("  " + ", ".join(f"{key} {value}" for key, value in machine.items() if key != "versions"))
        versions = machine["versions"]
        print("  " + ", ".join(f"{key} {value}" for key, value in dict(versions).items()))  # type: ignore[call-overload]  # built as a dict
        if not options.no_keep:
            print(f"  kept in {keep(row, figures, machine)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
