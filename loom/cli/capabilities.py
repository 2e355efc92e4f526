"""`loom capabilities`: what can be called now."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from loom.cli import console
from loom.cli.exits import loom_errors, told_as_json
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
        signature(_schema(found, "input_schema")),
        click.style(about.partition(". ")[0], dim=True) if about else "",
    ]


def _as_json(found: CapabilityDescriptor) -> dict[str, Any]:
    return {
        "name": found.name,
        "version": found.version,
        "description": found.metadata.get("description", ""),
        "input_schema": _schema(found, "input_schema"),
        "output_schema": _schema(found, "output_schema"),
    }


def signature(schema: dict[str, Any]) -> str:
    """The arguments in one line, as in `query limit=5 [lang]`: what is optional has a default or brackets."""
    required = schema.get("required", [])
    return " ".join(
        name if name in required else _optional(name, field)
        for name, field in schema.get("properties", {}).items()
    )


def _optional(name: str, field: Any) -> str:
    default = field.get("default") if isinstance(field, dict) else None
    return f"[{name}]" if default is None else f"{name}={json.dumps(default, ensure_ascii=False)}"


def _schema(found: CapabilityDescriptor, key: str) -> dict[str, Any]:
    try:
        schema = json.loads(found.metadata.get(key, "{}"))
    except ValueError:
        return {}
    return schema if isinstance(schema, dict) else {}
