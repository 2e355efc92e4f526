"""`loom capabilities`: what can be called now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from loom.cli import console
from loom.cli.exits import loom_errors, told_as_json
from loom.cli.offers import schema_of, signature
from loom.cli.options import bridge_options, find_endpoint, json_option

if TYPE_CHECKING:
    from loom.v1.action_pb2 import CapabilityDescriptor


@click.command()
@bridge_options
@json_option
def command(bridge: str | None, namespace: str | None, as_json: bool) -> None:
    """List what can be called now.

    Each line is a name, its version, its arguments and what it does; --json gives the JSON Schemas too.

    \b
    Examples:
      loom capabilities
      loom capabilities --json | jq -r '.[].name'
    """
    with told_as_json(as_json):
        found = _list(bridge, namespace)
    if as_json:
        console.json_line([_as_json(each) for each in found])
    elif not found:
        console.say("nothing can be called now; start an agent that offers a capability")
    else:
        for line in console.table([_row(each) for each in found]):
            console.data(line)


def _list(bridge: str | None, namespace: str | None) -> list[CapabilityDescriptor]:
    from loom.sync import SyncClient

    with loom_errors(), SyncClient(find_endpoint(bridge, namespace)) as client:
        return sorted(client.list_capabilities(), key=lambda each: (each.name, each.version))


def _row(found: CapabilityDescriptor) -> list[str]:
    about = " ".join(found.metadata.get("description", "").split())
    return [
        click.style(found.name, bold=True),
        click.style(found.version or "-", dim=True),
        signature(schema_of(found)),
        click.style(about.partition(". ")[0], dim=True) if about else "",
    ]


def _as_json(found: CapabilityDescriptor) -> dict[str, Any]:
    return {
        "name": found.name,
        "version": found.version,
        "description": found.metadata.get("description", ""),
        "input_schema": schema_of(found),
        "output_schema": schema_of(found, "output_schema"),
    }
