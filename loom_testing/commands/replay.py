"""`loom-testing replay`: an agent of the user's, driven by a transcript."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING, Any

import click

from loom.cli.console import colour_wanted, data, json_line, mark, say
from loom.cli.exits import Exit, Failure, loom_errors, told_as_json
from loom.cli.options import Seconds, json_option

if TYPE_CHECKING:
    from loom.agent import Agent
    from loom_testing.transcript import Transcript
    from loom_testing.transcript.replay import Replayed, ReplayError

__all__ = ["command"]

WIDTH = 100


@click.command("replay", short_help="Drive an agent by a transcript, and see whether it does the same.")
@click.argument("file", type=click.Path(dir_okay=False))
@click.option(
    "--agent", "target", required=True, metavar="FILE_OR_MODULE[:NAME]", help="The agent, as for `loom run`."
)
@click.option(
    "--as", "role", metavar="ID", help="Which of the recorded agents it plays; by its id unless given."
)
@click.option(
    "--bridge",
    default="fake",
    show_default=True,
    metavar="fake|rust|docker|HOST:PORT",
    help="Where to replay; a bridge at an address must have been started for testing.",
)
@click.option(
    "--ignore",
    multiple=True,
    metavar="NAME",
    help="A name in payloads whose value is not compared, such as a measured duration. May be repeated.",
)
@click.option("--any-order", is_flag=True, help="It may do things in another order than recorded.")
@click.option(
    "--timeout",
    type=Seconds(0, min_open=True),
    default=5.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for each thing.",
)
@json_option
def command(
    file: str,
    target: str,
    role: str | None,
    bridge: str,
    ignore: tuple[str, ...],
    any_order: bool,
    timeout: float,
    as_json: bool,
) -> None:
    """Drive an agent by a transcript, and see whether it does the same.

    Everything that others sent when FILE was recorded is sent again, in its order, on a fresh bridge, and
    the clock moves where it was moved. What the agent publishes, calls and answers is compared with what was
    recorded, and the first difference is shown.

    \b
    Examples:
      loom-testing replay order.jsonl --agent shop.py
      loom-testing replay order.jsonl --agent shop.agent:agent --bridge rust

    \b
    Exit codes:
      0    it does the same
      1    it does something else
      2    FILE is no transcript, nobody in it is this agent, or the agent cannot be loaded
      3    no bridge, or one that was not started for testing
      130  interrupted (Ctrl-C)
    """
    from loom_testing.transcript.replay import ReplayError

    with told_as_json(as_json), loom_errors():
        transcript, agent = _load(file, target)
        try:
            done = _replay(
                transcript, agent, bridge, role=role, ignore=ignore, any_order=any_order, timeout=timeout
            )
        except ReplayError as difference:
            _show(difference, as_json)
            click.get_current_context().exit(Exit.FAILED)
        if as_json:
            json_line({"ok": True, "agent": done.agent, "compared": done.compared, "entries": done.entries})
        else:
            data(f"{mark('good')} {agent.name} did the same: {done.compared} of its messages were compared")


def _load(file: str, target: str) -> tuple[Transcript, Agent]:
    """The transcript and the agent.

    Raises:
        Failure: one of them cannot be had.
    """
    from loom.cli.discover import Target, find_agents
    from loom_testing.transcript import TranscriptError, load

    try:
        transcript = load(file)
    except TranscriptError as error:
        raise Failure(str(error), Exit.USAGE) from None
    try:
        agents = find_agents(Target.parse(target))
    except Failure as problem:
        problem.ends = Exit.USAGE  # 1 says that the agent did something else
        raise
    if len(agents) > 1:
        names = ", ".join(agent.name for agent in agents)
        raise Failure(
            f"{target} has several agents ({names}): name one of them, as {target}:NAME", Exit.USAGE
        )
    return transcript, agents[0]


def _replay(transcript: Transcript, agent: Agent, bridge: str, **options: Any) -> Replayed:
    """Replays on a fresh namespace of the chosen bridge.

    Raises:
        Failure: there is no such bridge, it was not started for testing, or the transcript does not fit.
    """
    import asyncio

    from loom_testing.harness.control import NamespaceOptions
    from loom_testing.harness.errors import BridgeChoiceError, HarnessError
    from loom_testing.harness.handle import LoomBridge
    from loom_testing.harness.kinds import choose
    from loom_testing.transcript import TranscriptError
    from loom_testing.transcript.replay import replay
    from loom_testing.transcript.replay.script import Script

    try:
        Script.of(transcript, agent, options["role"])  # what cannot be replayed needs no bridge
        host = choose(bridge, "--bridge").open()
        try:
            place = LoomBridge(host, NamespaceOptions(virtual=transcript.virtual))
            try:
                return asyncio.run(replay(transcript, agent, place, **options))
            finally:
                place.close()
        finally:
            host.close()
    except (BridgeChoiceError, TranscriptError) as error:
        raise Failure(str(error), Exit.USAGE) from None
    except HarnessError as error:
        raise Failure(str(error), Exit.NO_BRIDGE) from None


def _show(difference: ReplayError, as_json: bool) -> None:
    if as_json:
        json_line({"ok": False, **difference.as_json()})
        return
    wanted = colour_wanted()
    colour = sys.stdout.isatty() if wanted is None else wanted
    width = shutil.get_terminal_size((WIDTH, 24)).columns
    click.echo(f"{mark('bad')} {difference.report(width=width, colour=colour)}", color=colour)
    say("the agent does something else than it did when the transcript was recorded")
