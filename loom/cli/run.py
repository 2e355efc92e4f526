"""`loom run`: the agents of a file or module, in one process, until a signal."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import click

from loom.cli.exits import Exit, loom_errors
from loom.cli.lifeline import follow_parent
from loom.cli.options import bridge_options, complete_file, load_settings

if TYPE_CHECKING:
    from loom.cli.discover import Target
    from loom.endpoint import Endpoint


@click.command()
@click.argument("target", metavar="FILE_OR_MODULE[:NAME]", shell_complete=complete_file)
@bridge_options
@click.option("--reload", is_flag=True, help="Restart the agents when their code changes.")
def command(target: str, bridge: str | None, namespace: str | None, reload: bool) -> None:
    """Run the agents of a file or module.

    Takes every Agent at its top level, or the one that is named, and runs them in one process until Ctrl-C
    (exit code 130) or SIGTERM (0); then they finish what they are doing and say goodbye.

    \b
    Examples:
      loom run researcher.py
      loom run researcher.py:agent --reload
      loom run papers --bridge bridge.example:50051    the package's agents, in papers/agent.py
    """
    from loom.cli.discover import Target

    follow_parent()
    endpoint = _endpoint(bridge, namespace)
    place = Target.parse(target)
    ends = _reload(place, bridge, namespace) if reload else _run(place, endpoint)
    click.get_current_context().exit(ends)


def _run(target: Target, endpoint: Endpoint | None) -> Exit:
    from loom.cli.discover import find_agents
    from loom.runner import run

    agents = find_agents(target)
    with loom_errors():
        came = run(*agents, endpoint=endpoint)
    return Exit.INTERRUPTED if came == signal.SIGINT else Exit.OK


def _reload(target: Target, bridge: str | None, namespace: str | None) -> Exit:
    from loom.cli.reloading import require_watchfiles, run_reloading

    require_watchfiles()
    options = [*(["--bridge", bridge] if bridge else []), *(["--namespace", namespace] if namespace else [])]
    return run_reloading(["run", *options, "--", target.text], target.root)


def _endpoint(bridge: str | None, namespace: str | None) -> Endpoint | None:
    """What the options say, with the token and TLS of the settings; None leaves each agent to its own."""
    if bridge is None and namespace is None:
        return None
    return load_settings(bridge, namespace).endpoint
