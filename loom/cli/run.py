"""`loom run`: the agents of a file or module, in one process, until a signal."""

from __future__ import annotations

import click

from loom.cli.options import bridge_options


@click.command()
@click.argument("target", metavar="FILE_OR_MODULE[:NAME]")
@bridge_options
@click.option("--reload", is_flag=True, help="Restart the agents when their code changes.")
def command(target: str, bridge: str | None, namespace: str | None, reload: bool) -> None:
    """Run the agents of a file or module.

    Takes every Agent at its top level, or the one that is named, and runs them in one process until Ctrl-C
    or SIGTERM; then they finish what they are doing and say goodbye.

    \b
    Examples:
      loom run researcher.py
      loom run researcher.py:agent --reload
      loom run papers.agents --bridge bridge.example:50051
    """
