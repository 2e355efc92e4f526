"""`make fuzz`: drives both bridges with the same random operations and compares what is observed."""

from __future__ import annotations

import json
import os
import random
import sys
import time
from pathlib import Path

import click

from loom.errors import LoomError
from loom_testing.engine.trace import TraceError
from tests.differential.campaign import Campaign, Outcome
from tests.differential.divergence import Divergence
from tests.differential.fidelity import publish, record, version_of
from tests.differential.kept import KEPT, keep, kept
from tests.differential.lanes import find, open_lane
from tests.differential.operations import LANES, Case
from tests.differential.processes import NoBridgeError, rust_command
from tests.differential.rust import NoEngineError

__all__ = ["main"]

USUAL = {"engine": 100_000, "grpc": 5_000}
LONG = {"engine": 1_000_000, "grpc": 50_000}
EVERY_S = 10.0
"""How often progress is told where it is not drawn."""


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.argument(
    "cases", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="[CASE]..."
)
@click.option(
    "--lane", "lanes", type=click.Choice(LANES), multiple=True, help="Which lane; both if none is named."
)
@click.option(
    "--operations", type=click.IntRange(1), metavar="N", help="How many operations each lane plays."
)
@click.option("--long", is_flag=True, help="1,000,000 operations engine to engine and 50,000 over gRPC.")
@click.option(
    "--seed",
    type=click.IntRange(0),
    metavar="N",
    help="The first round's seed; a fresh one if none is named.",
)
@click.option(
    "--time-limit",
    type=click.FloatRange(0, min_open=True),
    metavar="SECONDS",
    help="A lane begins no new round after this.",
)
@click.option(
    "--keep",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=KEPT,
    help="Where cases that show a difference are kept, and played from first.",
)
@click.option(
    "--fake",
    "fake",
    default="",
    metavar="COMMAND",
    help="What to run as the fake, instead of this project's.",
)
@click.option(
    "--rust",
    "rust",
    default="",
    metavar="COMMAND",
    help="What to run as the Rust bridge, instead of this project's.",
)
@click.option("--publish", "publishes", is_flag=True, help="Write the result to conformance/fidelity.json.")
@click.option("--json", "as_json", is_flag=True, help="The result as JSON on stdout.")
def main(
    cases: tuple[Path, ...],
    lanes: tuple[str, ...],
    operations: int | None,
    long: bool,
    seed: int | None,
    time_limit: float | None,
    folder: Path,
    fake: str,
    rust: str,
    publishes: bool,
    as_json: bool,
) -> None:
    """Drive both bridges with the same random operations on a virtual clock, and compare what is observed.

    The lane `engine` feeds both engines in memory, the lane `grpc` both bridges as processes. A difference is
    made small, explained, kept, and played first in every later run. Name kept CASEs to play only those.

    \b
    Exit codes:
      0    no difference
      1    a difference was found
      2    the options make no sense
      3    could not run: there is no Rust bridge, or a bridge does not come up
      130  interrupted (Ctrl-C)
    """
    try:
        if cases:
            sys.exit(_play_named(cases, fake, rust))
        first = random.SystemRandom().getrandbits(32) if seed is None else seed
        outcomes = {}
        for lane in lanes or LANES:
            wanted = operations or (LONG if long else USUAL)[lane]
            outcomes[lane] = _run(lane, fake, rust, wanted, first, time_limit, folder)
        version = version_of(rust_command(rust)[:1])
        records = {lane: record(outcome, version) for lane, outcome in outcomes.items()}
        if publishes:
            _say(f"written to {_shown(publish(records))}")
        if as_json:
            click.echo(json.dumps(records, indent=2))
        sys.exit(1 if any(outcome.divergence for outcome in outcomes.values()) else 0)
    except (LoomError, NoBridgeError, NoEngineError, TraceError) as problem:
        _say(f"could not run: {problem}")
        sys.exit(3)
    except KeyboardInterrupt:
        _say("interrupted")
        sys.exit(130)


def _run(
    lane: str, fake: str, rust: str, operations: int, seed: int, seconds: float | None, folder: Path
) -> Outcome:
    """One lane: what is kept, then what is new."""
    with open_lane(lane, fake, rust) as opened:
        for path, case in kept(lane, folder):
            shown = opened.shows(case)
            if shown is not None:
                _tell(shown, path, f"lane {lane}: a kept case shows a difference")
                return Outcome(lane, seed, divergence=shown)
        _say(f"lane {lane}: {operations:,} operations, seed {seed}")
        progress = _Progress(operations)
        campaign = Campaign(
            opened.machine,
            opened.lane,
            operations,
            seed,
            seconds=float("inf") if seconds is None else seconds,
            cases=opened.cases,
            steps=opened.steps,
            tell=progress.tell,
        )
        outcome = find(opened, campaign)
        progress.clear()
    if outcome.divergence is not None:
        path = keep(outcome.divergence.case, folder)
        steady = "" if outcome.is_steady else ", which it does not show each time"
        again = f"seed {outcome.found_at}, after {outcome.operations:,} operations{steady}"
        _tell(outcome.divergence, path, f"lane {lane}: a difference ({again})")
        _say(f'find it again: make fuzz ARGS="--lane {lane} --seed {outcome.found_at}"')
    else:
        _say(f"lane {lane}: {_summary(outcome)}, no difference")
    return outcome


def _play_named(paths: tuple[Path, ...], fake: str, rust: str) -> int:
    """Plays kept cases; 1 if one shows a difference."""
    code = 0
    for path in paths:
        case = Case.read(path)
        with open_lane(case.lane, fake, rust) as opened:
            shown = opened.shows(case)
        if shown is None:
            _say(f"{_shown(path)}: {case.operations} operations, no difference")
        else:
            _tell(shown, path, f"{_shown(path)}: a difference")
            code = 1
    return code


def _tell(divergence: Divergence, path: Path, what: str) -> None:
    _say(what)
    click.echo(str(divergence))
    _say(f'kept in {_shown(path)}; play it again: make fuzz ARGS="{_shown(path)}"')


def _summary(outcome: Outcome) -> str:
    speed = outcome.operations / outcome.seconds if outcome.seconds else 0
    return (
        f"{outcome.operations:,} operations in {outcome.cases:,} cases, {outcome.rounds} rounds from seed "
        f"{outcome.seed}, {outcome.seconds:,.0f} s, {speed:,.0f} a second"
    )


def _shown(path: Path) -> str:
    return os.path.relpath(path)


def _say(line: str) -> None:
    click.echo(line, err=True)


class _Progress:
    """How far a lane is: drawn on a terminal, told now and then elsewhere."""

    def __init__(self, wanted: int) -> None:
        self._wanted = wanted
        self._is_drawn = sys.stderr.isatty()
        self._began = self._last = time.monotonic()

    def tell(self, outcome: Outcome) -> None:
        """After each case."""
        now = time.monotonic()
        if now - self._last < (0.2 if self._is_drawn else EVERY_S):
            return
        self._last = now
        speed = outcome.operations / (now - self._began)
        line = f"  {outcome.operations:,} of {self._wanted:,} operations, {speed:,.0f} a second"
        click.echo(f"\r\x1b[K{line}" if self._is_drawn else line, err=True, nl=not self._is_drawn)

    def clear(self) -> None:
        """The line is needed for something else."""
        if self._is_drawn:
            click.echo("\r\x1b[K", err=True, nl=False)


if __name__ == "__main__":
    main(prog_name="make fuzz")
