"""`loom call`: one call of a capability, from the shell."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from loom.cli import console
from loom.cli.arguments import has_pairs, read_arguments
from loom.cli.exits import Exit, Failure, loom_errors, told_as_json
from loom.cli.options import bridge_options, find_endpoint, json_option, timeout_option

if TYPE_CHECKING:
    from loom.sync import SyncClient

SENDER = "loom-call"
"""Who calls, as the provider and `loom dev` see it."""


@click.command()
@click.argument("capability")
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
    from loom.sync import SyncClient
    from loom.topics import topic_problem

    problem = topic_problem(capability)
    if problem:
        raise Failure(f"{capability[:80]!r} is no capability's name: {problem}", Exit.USAGE)
    arguments = None if has_pairs(words) else read_arguments(words)
    with loom_errors(), SyncClient(find_endpoint(bridge, namespace), sender=SENDER) as client:
        if arguments is None:
            arguments = read_arguments(words, _schema(client, capability, version))
        begin = time.monotonic()
        with console.patience(f"waiting for {capability}, at most {timeout:g} s"):
            try:
                output = client.call(capability, arguments, version=version, timeout=timeout)
            finally:
                took = time.monotonic() - begin
    return output, took


def _schema(client: SyncClient, capability: str, version: str) -> dict[str, Any]:
    """The capability's input schema, where it is known."""
    import json

    for found in client.list_capabilities():
        if found.name == capability and version in ("", found.version):
            try:
                schema = json.loads(found.metadata.get("input_schema", "{}"))
            except ValueError:
                return {}
            return schema if isinstance(schema, dict) else {}
    return {}
