"""`loom call`: one call of a capability, from the shell."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from loom.cli import console
from loom.cli.arguments import has_pairs, read_arguments
from loom.cli.exits import Exit, Failure, exit_for, loom_errors, told_as_json
from loom.cli.offers import find_offer, nearest, schema_of, signature
from loom.cli.options import bridge_options, find_endpoint, json_option, timeout_option

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from loom.errors import LoomError
    from loom.sync import SyncClient

SENDER = "loom-call"
"""Who calls, as the provider and `loom dev` see it."""

COMPLETION_SECONDS = 1.0


def _complete(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The names that can be called now, where a bridge answers at once."""
    from click.shell_completion import CompletionItem

    from loom.errors import LoomError
    from loom.sync import SyncClient

    try:
        endpoint = find_endpoint(ctx.params.get("bridge"), ctx.params.get("namespace"))
        with SyncClient(endpoint) as client:
            offers = client.list_capabilities(timeout=COMPLETION_SECONDS)
    except (Failure, LoomError):
        return []
    return [
        CompletionItem(each.name, help=each.metadata.get("description", ""))
        for each in offers
        if each.name.startswith(incomplete)
    ]


@click.command()
@click.argument("capability", shell_complete=_complete)
@click.argument("arguments", nargs=-1, metavar="[JSON | @FILE | - | KEY=VALUE...]")
@click.option("--version", default="", help="Only a provider of exactly this version.")
@timeout_option
@bridge_options
@json_option
def command(
    capability: str,
    arguments: tuple[str, ...],
    version: str,
    timeout: float,
    bridge: str | None,
    namespace: str | None,
    as_json: bool,
) -> None:
    """Call a capability and print its answer.

    A value of KEY=VALUE is read as JSON where it is JSON and the capability does not want text, else as
    text. The answer is printed as JSON, and text as it is; with --json as {"ok": true, "output": ...}.

    \b
    Examples:
      loom call web.search query=agents limit=5
      loom call web.search '{"query": "agents"}' --timeout 5
      loom call llm.summarize @paper.json --json | jq .output
    """
    with told_as_json(as_json):
        output, took = _call(capability, arguments, version, timeout, bridge, namespace)
    if as_json:
        console.json_line({"ok": True, "output": output, "took_ms": round(took * 1000, 3)})
    elif isinstance(output, str):
        console.data(output)
    else:
        console.json_line(output, pretty=True)


def _call(
    capability: str,
    words: tuple[str, ...],
    version: str,
    timeout: float,
    bridge: str | None,
    namespace: str | None,
) -> tuple[Any, float]:
    """The answer, and the seconds it took."""
    from loom.errors import CapabilityNotFound, InvalidInput
    from loom.sync import SyncClient
    from loom.topics import topic_problem

    problem = topic_problem(capability)
    if problem:
        raise Failure(f"{capability[:80]!r} is no capability's name: {problem}", Exit.USAGE)
    arguments = None if has_pairs(words) else read_arguments(words)
    with loom_errors(), SyncClient(find_endpoint(bridge, namespace), sender=SENDER) as client:
        if arguments is None:
            offer = find_offer(client.list_capabilities(), capability, version)
            arguments = read_arguments(words, schema_of(offer))
        begin = time.monotonic()
        with console.patience(f"waiting for {capability}, at most {timeout:g} s"):
            try:
                output = client.call(capability, arguments, version=version, timeout=timeout)
            except (CapabilityNotFound, InvalidInput) as error:
                raise _helped(error, client, capability, version) from error
        return output, time.monotonic() - begin


def _helped(error: LoomError, client: SyncClient, capability: str, version: str) -> Failure:
    """The failure, with what the caller may have meant."""
    from loom.errors import InvalidInput

    offers = client.list_capabilities()
    offer = find_offer(offers, capability)
    said = error.message.partition(". ")[0].rstrip(".")
    if isinstance(error, InvalidInput):
        hint = f"it takes: {signature(schema_of(offer)) or 'nothing'}"
    elif offer is not None and version:
        hint = f"it is offered as version {offer.version or '(none)'}"
    elif near := nearest(offers, capability):
        hint = f"did you mean {near!r}?"
    else:
        hint = "start its agent; `loom capabilities` lists what can be called"
    return Failure(f"{said}; {hint}", exit_for(error), code=error.code, details=error.details)
