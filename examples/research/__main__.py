"""Ask the trio from the command line."""

from __future__ import annotations

import asyncio
import contextlib
import re
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from examples.research import corpus, settings
from examples.research.ask import Failure, Order, Outcome, ask
from examples.research.narrator import load
from examples.research.plan import plan
from examples.research.timing import summary
from loom import LoomError

if TYPE_CHECKING:
    from collections.abc import Callable

DEFAULT_QUESTION = "How do I run a subprocess with a timeout and capture its output?"
INCOMPLETE = 3


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("question", default=DEFAULT_QUESTION)
@click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of text or Markdown to search; the documentation that Python carries unless given.",
)
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="The report; out/research/… unless given."
)
@click.option(
    "--researchers", type=click.IntRange(1, 16), default=2, show_default=True, help="How many share the work."
)
@click.option(
    "--timeout",
    type=click.FloatRange(1, 3600),
    default=60.0,
    show_default=True,
    help="Seconds for the answer.",
)
@click.option(
    "--narrator", default="", metavar="MODULE:FACTORY", help="Who tells the report; none: quotes alone."
)
@click.option(
    "--keep-going/--no-keep-going",
    default=True,
    show_default=True,
    help=f"Whether a report without a lost researcher's part will do; if not, exit code {INCOMPLETE}.",
)
def main(
    question: str,
    folder: Path | None,
    out: Path | None,
    researchers: int,
    timeout: float,
    narrator: str,
    keep_going: bool,
) -> None:
    """Have QUESTION answered from a folder of text, with citations. Prints the report's place.

    Exit codes: 0 answered, 1 not answered, 2 wrong usage, 3 answered in part (with --no-keep-going).
    """
    _check(question, folder, narrator)
    home = settings.home().resolve()
    out = (out or home / f"{_slug(question)}.md").resolve()
    order = Order(question, out, home, folder, researchers, timeout, narrator)
    begun = time.perf_counter()
    try:
        outcome = asyncio.run(_until_signal(order))
    except (Failure, LoomError, OSError) as error:
        raise click.ClickException(str(error)) from error
    except asyncio.CancelledError:
        click.echo("stopped", err=True)
        sys.exit(128 + signal.SIGINT)
    _show_summary(outcome, time.perf_counter() - begun)
    click.echo(outcome.answer.report)
    if outcome.answer.losses and not keep_going:
        sys.exit(INCOMPLETE)


def _check(question: str, folder: Path | None, narrator: str) -> None:
    """What is wrong is said before anything is started.

    Raises:
        click.UsageError: the question has no words, the folder no text, or there is no such narrator.
    """
    try:
        plan(question)
        load(narrator)
        if folder:
            corpus.documents(folder)
    except (ValueError, TypeError) as error:
        raise click.UsageError(str(error)) from error


async def _until_signal(order: Order) -> Outcome:
    """Ask; Ctrl-C and SIGTERM give up, and everything that was started ends first."""
    task = asyncio.current_task()
    loop = asyncio.get_running_loop()
    if task is not None:
        for number in (signal.SIGINT, signal.SIGTERM):
            with contextlib.suppress(NotImplementedError):  # not on Windows, where Ctrl-C raises instead
                loop.add_signal_handler(number, task.cancel)
    return await ask(order, _shower())


def _shower() -> Callable[[str, str], None]:
    begun = time.perf_counter()

    def show(agent: str, text: str) -> None:
        click.echo(f"{time.perf_counter() - begun:6.2f} s  {agent:<13} {text}", err=True)

    return show


def _show_summary(outcome: Outcome, elapsed: float) -> None:
    answer = outcome.answer
    calls = sum(timing.what == "call" for timing in outcome.timings)
    click.echo(
        f"\n{answer.statements} statements from {len(answer.sources)} sources. "
        f"{outcome.agents} agents, {sum(outcome.events.values())} events, {calls} calls.",
        err=True,
    )
    for line in summary(outcome.timings):
        click.echo(f"  {line}", err=True)
    for gap in answer.gaps:
        click.echo(f"  mind: {gap}", err=True)
    click.echo(
        f"{elapsed:.1f} s in all: {outcome.started:.1f} s to start, {outcome.took:.1f} s to answer.",
        err=True,
    )


def _slug(question: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", question.lower()).strip("-")[:60].rstrip("-") or "report"


if __name__ == "__main__":
    main()
