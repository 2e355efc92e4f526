"""`python -m mutants [NAME | CLAUSE ...] [--write]`: 0 where all are killed and no clause lacks one."""

from __future__ import annotations

import asyncio
import sys

import click

from mutants.matrix import MATRIX, run
from mutants.trial import Trial


def main(arguments: list[str]) -> int:
    """Tries the mutants, says what becomes of each, and with `--write` keeps the matrix."""
    wanted = [argument for argument in arguments if argument != "--write"]
    try:
        matrix = asyncio.run(run(wanted, _say))
    except ValueError as problem:
        click.echo(problem, err=True)
        return 2
    killed = sum(trial.killed for trial in matrix.trials)
    for clause in matrix.unproved:
        click.echo(f"UNPROVED {clause}: no mutant")
    for name in matrix.strangers:
        click.echo(f"STRANGER {name}: its clause is not there, or not judged")
    click.echo(f"{killed} of {len(matrix.trials)} mutants killed; {len(matrix.unproved)} clauses unproved")
    if "--write" in arguments and not wanted:
        MATRIX.write_text(matrix.to_json(), encoding="utf-8")
    return 0 if matrix.good else 1


def _say(trial: Trial) -> None:
    word = "killed  " if trial.killed else "SURVIVED"
    click.echo(f"{word} {trial.mutant.clause:9} {trial.mutant.name}: {trial.said}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
