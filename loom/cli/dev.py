"""`loom dev`: a bridge, the agents that are named, and everything that happens there."""

from __future__ import annotations

import os

import click

from loom.cli import console
from loom.cli.exits import Exit, loom_errors
from loom.cli.options import complete_file, json_option

KINDS = ("auto", "fake", "rust", "docker")
DEFAULT_PORT = 50051


@click.command()
@click.argument("targets", nargs=-1, metavar="[FILE_OR_MODULE[:NAME]]...", shell_complete=complete_file)
@click.option(
    "--bridge",
    "kind",
    type=click.Choice(KINDS),
    default="auto",
    show_default=True,
    help="Which bridge to start; auto takes the best that is here and builds nothing.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=DEFAULT_PORT,
    show_default=True,
    help="Where it listens; 0 takes any free one.",
)
@click.option("--reload", is_flag=True, help="Restart the agents when their code changes.")
@click.option("--payloads", is_flag=True, help="Show what events and calls carry.")
@json_option
def command(
    targets: tuple[str, ...], kind: str, port: int, reload: bool, payloads: bool, as_json: bool
) -> None:
    """Start a bridge and watch what happens on it.

    Shows agents that come and go, events and who got them, calls with their latency, and what went wrong.
    Agents that are named run too, each in a process of its own. Ctrl-C ends everything in order.

    \b
    Examples:
      loom dev                                the bridge alone
      loom dev planner.py writer.py --reload  and two agents, restarted on change
      loom dev --json | jq 'select(.kind == "call.ended") | .took_us'
    """
    import asyncio

    from loom.cli.discover import Target
    from loom.cli.lifeline import follow_parent
    from loom.cli.reloading import require_watchfiles
    from loom.cli.view import View
    from loom.cli.watching import watch
    from loom.runtime.programs import choose

    follow_parent()
    for target in targets:
        Target.parse(target)
    if reload:
        require_watchfiles()
    with loom_errors(), console.patience("making the bridge ready"):
        program = choose(kind, os.environ)  # may build it, with progress on stderr
    view = View(machine=as_json, payloads=payloads)
    try:
        code = asyncio.run(watch(targets, program, port, view, reload=reload))
    except asyncio.CancelledError:
        code = Exit.INTERRUPTED
    click.get_current_context().exit(code)
