"""`loom emit`: one event, from the shell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from loom.cli import console
from loom.cli.arguments import has_pairs, read_arguments, read_json
from loom.cli.exits import Exit, Failure, loom_errors, told_as_json
from loom.cli.options import Seconds, bridge_options, find_endpoint, json_option

if TYPE_CHECKING:
    from loom.endpoint import Endpoint

AGENT = "emit"


@click.command()
@click.argument("topic")
@click.argument("payload", nargs=-1, metavar="[JSON | @FILE | - | KEY=VALUE...]")
@click.option("--type", "event_type", metavar="TYPE", help="The event's type.  [default: the topic]")
@click.option(
    "--ttl",
    type=Seconds(min=0.001, max=9_999_999),
    metavar="SECONDS",
    help="Not delivered later than that.",
)
@click.option("--thread", metavar="ID", help="The thread of work it belongs to.  [default: a new one]")
@bridge_options
@json_option
def command(
    topic: str,
    payload: tuple[str, ...],
    event_type: str | None,
    ttl: float | None,
    thread: str | None,
    bridge: str | None,
    namespace: str | None,
    as_json: bool,
) -> None:
    """Publish one event.

    The payload is JSON; KEY=VALUE pairs make an object. Says how many agents received it, 0 included.

    \b
    Examples:
      loom emit paper.submitted '{"title": "On Looms"}'
      loom emit paper.submitted title='On Looms' pages=12 --ttl 60
      cat paper.json | loom emit paper.submitted -
    """
    with told_as_json(as_json):
        value = _payload(payload)
        _check_topic(topic)
        matched = _emit(find_endpoint(bridge, namespace), topic, value, event_type, ttl, thread)
    if as_json:
        console.json_line({"ok": True, "matched": None if matched < 0 else matched})
    elif matched == 0:
        console.say(f"{console.mark('warn')} published; nobody hears {topic}")
    elif matched < 0:
        console.say(f"{console.mark('good')} published; this bridge does not tell to how many")
    else:
        console.say(f"{console.mark('good')} published to {matched} agent{'' if matched == 1 else 's'}")


def _payload(words: tuple[str, ...]) -> Any:
    if len(words) == 1 and not has_pairs(words):
        return read_json(words[0])
    return read_arguments(words)


def _check_topic(topic: str) -> None:
    from loom.topics import topic_problem

    problem = topic_problem(topic)
    if problem:
        raise Failure(f"{topic[:80]!r} is no topic to publish to: {problem}", Exit.USAGE)


def _emit(
    endpoint: Endpoint, topic: str, value: Any, event_type: str | None, ttl: float | None, thread: str | None
) -> int:
    """How many agents received it; below 0 where the bridge does not tell."""
    import asyncio
    import logging

    from loom.agent import Agent
    from loom.sync import SyncClient

    logging.getLogger("loom").setLevel(logging.ERROR)  # what goes wrong is said once, by the failure

    async def publish() -> int:
        agent = Agent(AGENT, endpoint=endpoint, replicas=True, echo=False)
        async with agent:
            context = agent.context(thread)
            return await context.emit(topic, value, type=event_type, ttl=ttl)

    with loom_errors():
        # A bridge that is not there is known at once; an agent would go on trying.
        with SyncClient(endpoint) as client:
            client.heartbeat()
        return asyncio.run(publish())
